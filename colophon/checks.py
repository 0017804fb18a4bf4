"""The numbered checks of a verification, and their results.

This is the whole list; each number stands again at the code that makes the check.

 1 file        the file is the sealed one, or a copy that a record ties to it
 2 credential  the C2PA credential is intact and is the one that was sealed
 3 signer      the credential's signer is on a trust list
 4 seal        the seal is signed by a platform key
 5 steps       every step is signed by an enrolled key, and the steps connect
 6 ticket      the steps belong to a ticket that was given out before them
 7 log         the records are in the log
 8 checkpoint  the log's head is signed by a known log key
 9 time        a time-stamping authority dates the log's head (RFC 3161)
10 anchor      the log's head is on the chain
11 agreement   the shares sum up and everyone accepted them
12 verdict     the verdict is signed, and the policy gives the same again
13 standing    nothing speaks against the work today
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

NAMES = (
    "file",
    "credential",
    "signer",
    "seal",
    "steps",
    "ticket",
    "log",
    "checkpoint",
    "time",
    "anchor",
    "agreement",
    "verdict",
    "standing",
)


class Result(StrEnum):
    """What came of one check."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_CHECKED = "not_checked"


class Code(StrEnum):
    """Why a check did not pass, for machines."""

    NONE = ""
    MISMATCH = "mismatch"  # something was changed, forged or left out
    UNKNOWN_SIGNER = "unknown_signer"  # intact, by somebody the trust file lacks
    MISSING = "missing"  # the evidence has nothing about it
    NO_TRUST = "no_trust"  # no trust file to judge by
    UNREADABLE = "unreadable"  # could not be read here
    UNCONFIRMED = "unconfirmed"  # holds in itself, nobody known vouches for it
    EXPIRED = "expired"  # was in order once
    OBJECTION = "objection"  # contested, suspended or superseded


@dataclass(frozen=True)
class Check:
    """One line of a report."""

    number: int
    result: Result
    words: str
    code: Code = Code.NONE
    detail: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The short name of the check."""
        return NAMES[self.number - 1]

    def to_json(self) -> dict[str, Any]:
        """The check as stable JSON (docs/cli.md)."""
        return {
            "n": self.number,
            "id": self.name,
            "result": self.result.value,
            "code": self.code.value,
            "words": self.words,
            "detail": list(self.detail),
        }


@dataclass
class Checklist:
    """Collects at most one result for each number, the worst one."""

    found: dict[int, Check] = field(default_factory=dict)

    def passed(self, number: int, words: str, *detail: str) -> None:
        """Note that a check passed."""
        self.add(Check(number, Result.PASSED, words, Code.NONE, detail))

    def failed(
        self, number: int, words: str, code: Code = Code.MISMATCH, *detail: str
    ) -> None:
        """Note that a check was made and did not pass."""
        self.add(Check(number, Result.FAILED, words, code, detail))

    def skipped(
        self, number: int, words: str, code: Code = Code.MISSING, *detail: str
    ) -> None:
        """Note that a check was not made."""
        self.add(Check(number, Result.NOT_CHECKED, words, code, detail))

    def __iter__(self) -> Iterator[Check]:
        """The checks in the order of their numbers."""
        return iter([self.found[number] for number in sorted(self.found)])

    def add(self, check: Check) -> None:
        """Keep a check unless a worse one of the same number is there."""
        before = self.found.get(check.number)
        if before is None or _badness(check) > _badness(before):
            self.found[check.number] = check


def _badness(check: Check) -> tuple[int, int]:
    order = (Result.PASSED, Result.NOT_CHECKED, Result.FAILED)
    return order.index(check.result), int(check.code is Code.MISMATCH)
