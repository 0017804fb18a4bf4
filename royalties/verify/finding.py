"""What a check of the ledger says: the invariant, what it is about, and the words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One place where an invariant does not hold."""

    about: str
    words: str

    def __str__(self) -> str:
        return f"{self.about}: {self.words}"


Check = Callable[[], Iterator[Finding]]


@dataclass(frozen=True)
class Invariant:
    """Something that must always hold.

    Attributes:
        id: short, stable.
        words: the sentence that holds.
        check: yields a finding for each place where it does not.
        quick: cheap enough to ask before every settlement.
        node: asks a node of the chain.
    """

    id: str
    words: str
    check: Check
    quick: bool = False
    node: bool = False
