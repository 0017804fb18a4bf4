"""What a generator's settings inside a picture claim: words of whoever wrote them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MAX_PROMPT = 16_000
_WHOLE = re.compile(r"-?\d{1,20}", re.ASCII)
_FRACTION = re.compile(r"-?\d{1,9}\.\d{1,12}", re.ASCII)


@dataclass(frozen=True)
class Settings:
    """The settings of one generation.

    Attributes:
        generator: the software, as people call it.
        version: of the software; empty when it is not told.
        prompts: what it was asked for; several when there were several samplers.
        parameters: everything else that is taken over, by our names.
        begins_elsewhere: it says that it began with another picture.
    """

    generator: str
    prompts: Sequence[str] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    version: str = ""
    begins_elsewhere: bool = False


def number_or_text(text: str) -> Any:
    """A text as the number that it writes down; else as it is."""
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _FRACTION.fullmatch(text) else text
