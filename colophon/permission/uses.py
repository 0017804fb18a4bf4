"""One permission out of many statements: for each use the strictest that was said.

The uses are those of CAWG training and data mining 1.1. Adding a statement never
loosens a use about which something was said; silence is never a permission, and
whoever forbids training forbids the training of generative models with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

USES = ("data_mining", "ai_inference", "ai_training", "ai_generative_training")
ALLOWED, CONSTRAINED, NOT_ALLOWED = "allowed", "constrained", "notAllowed"
# From the loosest to the strictest.
VALUES = (ALLOWED, CONSTRAINED, NOT_ALLOWED)
WIDER, NARROWER = "ai_training", "ai_generative_training"


@dataclass(frozen=True)
class Statement:
    """What one statement in one vocabulary says.

    Attributes:
        vocabulary: a key of `vocabularies.NAMES`.
        clause: its deciding words in that vocabulary, such as "train-ai=n".
        uses: value for each use it speaks about; others it leaves open.
    """

    vocabulary: str
    clause: str
    uses: Mapping[str, str]


@dataclass(frozen=True)
class Permission:
    """For each use about which something was said: the value, and who decided it."""

    uses: Mapping[str, str] = field(default_factory=dict)
    clauses: Mapping[str, str] = field(default_factory=dict)


def stricter(one: str | None, other: str | None) -> str | None:
    """The stricter of two values; None says nothing."""
    if one is None or other is None:
        return one or other
    return max(one, other, key=VALUES.index)


def combine(statements: Iterable[Statement]) -> Permission:
    """The strictest of all statements, use by use.

    A clause reads "vocabulary: its words" and names the first statement that was as
    strict as the result.
    """
    uses: dict[str, str] = {}
    clauses: dict[str, str] = {}
    for one in statements:
        for use, value in _closed(one.uses).items():
            if stricter(uses.get(use), value) != uses.get(use):
                uses[use] = value
                clauses[use] = f"{one.vocabulary}: {one.clause}"
    return Permission(
        {use: uses[use] for use in USES if use in uses},
        {use: clauses[use] for use in USES if use in uses},
    )


def _closed(uses: Mapping[str, str]) -> dict[str, str]:
    """With what follows: limits on all training are limits on generative training."""
    found = dict(uses)
    if found.get(WIDER) in {CONSTRAINED, NOT_ALLOWED}:
        narrower = stricter(found[WIDER], found.get(NARROWER))
        assert narrower is not None
        found[NARROWER] = narrower
    return found
