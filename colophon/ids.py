"""Public identifiers: a short prefix and a UUIDv7, like ``ast_0198…``.

UUIDv7 (RFC 9562) sorts by time of creation; Python before 3.14 has none, so the
uuid-utils package makes them.
"""

from __future__ import annotations

import re
from typing import Any

import uuid_utils

from colophon.errors import InputError

_PREFIX = re.compile(r"[a-z]{3,8}", re.ASCII)
_ID = re.compile(r"([a-z]{3,8})_[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}", re.ASCII)


def new_id(prefix: str) -> str:
    """Fresh id such as ``ast_0198…`` for the prefix ``ast``.

    Raises:
        InputError: the prefix is not three to eight lowercase letters.
    """
    if _PREFIX.fullmatch(prefix) is None:
        raise InputError("is not three to eight lowercase letters", "prefix")
    return f"{prefix}_{uuid_utils.uuid7().hex}"


def is_id(value: Any) -> bool:
    """Whether a value is an id of any prefix."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def parse_id(text: Any, prefix: str, field: str = "") -> str:
    """The id itself, when it is well formed and has that prefix.

    Raises:
        InputError: not text, another prefix, or not a UUIDv7 in lowercase hex.
    """
    if not is_id(text) or not text.startswith(f"{prefix}_"):
        raise InputError(
            f"is not an id like {prefix}_ and 32 lowercase hex digits", field
        )
    return str(text)
