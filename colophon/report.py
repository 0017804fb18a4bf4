"""The answer of a verification, for people and for machines.

`recorded` follows from (file, bundle, trust, as_of) alone and is the same bytes on
every machine. `live` is what was asked of the world while verifying. The JSON keys
are described in docs/cli.md and do not change their meaning.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from colophon.checks import Check, Code, Result
from colophon.digest import canonical
from colophon.fields import format_time
from colophon.filematch import FileDigests
from colophon.policy import Verdict
from colophon.records import Seal

VERSION = 1


class Outcome(StrEnum):
    """The one answer about a file."""

    GENUINE = "genuine"
    ALTERED = "altered"
    NO_RECORD = "no_record"
    LOOKS_LIKE = "looks_like"
    OTHER_SIGNER = "other_signer"
    COULD_NOT_CHECK = "could_not_check"


EXIT_NO_TRUST, EXIT_UNREACHABLE, EXIT_UNREADABLE, EXIT_NO_EVIDENCE = 10, 11, 12, 13
EXITS = {
    Outcome.GENUINE: 0,
    Outcome.ALTERED: 1,
    Outcome.NO_RECORD: 2,
    Outcome.LOOKS_LIKE: 3,
    Outcome.OTHER_SIGNER: 4,
    Outcome.COULD_NOT_CHECK: EXIT_NO_TRUST,
}
# DESIGN section 5: the worst of many files, the first one wins.
_WORST_FIRST = (1, EXIT_NO_TRUST, 4, 3, 2, 0)


def worst_exit(codes: Sequence[int]) -> int:
    """The exit code of many files: 1, then 10 and above, then 4, 3, 2, 0."""

    def rank(code: int) -> tuple[int, int]:
        return _WORST_FIRST.index(min(code, EXIT_NO_TRUST)), code

    return min(codes, key=rank, default=0)


@dataclass(frozen=True)
class LiveItem:
    """One question asked of the world, and the answer."""

    id: str
    result: Result
    words: str
    code: Code = Code.NONE
    detail: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The item as stable JSON."""
        return {
            "id": self.id,
            "result": self.result.value,
            "code": self.code.value,
            "words": self.words,
            "detail": list(self.detail),
        }


@dataclass(frozen=True)
class Report:
    """Everything a verification found about one file."""

    outcome: Outcome
    summary: str
    file: FileDigests
    match: str
    as_of: datetime
    checks: tuple[Check, ...] = ()
    verdict: Verdict | None = None
    signed: dict[str, Any] | None = None
    seal: Seal | None = None
    proven_at: datetime | None = None
    steps: tuple[dict[str, Any], ...] = ()
    trust_digest: bytes | None = None
    bundle_digest: bytes | None = None
    similar: tuple[dict[str, Any], ...] = ()
    code: int = 0
    live: tuple[LiveItem, ...] = field(default=())

    @property
    def exit_code(self) -> int:
        """The command line's exit code for this file."""
        if any(item.result is Result.FAILED for item in self.live if _hard(item)):
            return EXITS[Outcome.ALTERED]
        unreachable = any(item.code is Code.UNREADABLE for item in self.live)
        if unreachable and self.outcome is Outcome.GENUINE:
            return EXIT_UNREACHABLE
        return self.code or EXITS[self.outcome]

    def check(self, number: int) -> Check:
        """The check of a number."""
        return next(one for one in self.checks if one.number == number)

    @property
    def recorded(self) -> dict[str, Any]:
        """The part that is the same everywhere, as JSON."""
        return {
            "v": VERSION,
            "as_of": format_time(self.as_of),
            "file": {"sha256": self.file.sha256.hex(), "match": self.match},
            "trust": _hex(self.trust_digest),
            "bundle": _hex(self.bundle_digest),
            "outcome": self.outcome.value,
            "summary": self.summary,
            "asset": None if self.seal is None else _asset(self.seal),
            "proven_at": None
            if self.proven_at is None
            else format_time(self.proven_at),
            "checks": [one.to_json() for one in self.checks],
            "verdict": None if self.verdict is None else self.verdict.to_json(),
            "signed_verdict": self.signed,
            "steps": list(self.steps),
            "similar": list(self.similar),
        }

    def recorded_bytes(self) -> bytes:
        """Canonical JSON of `recorded`: equal bytes for equal input."""
        return canonical(self.recorded)

    def to_json(self) -> dict[str, Any]:
        """Both parts, and the exit code."""
        return {
            "recorded": self.recorded,
            "live": [item.to_json() for item in self.live],
            "exit": self.exit_code,
        }


def _hard(item: LiveItem) -> bool:
    """Failed in a way that speaks against the evidence, not against the work."""
    return item.code is not Code.OBJECTION


def _hex(digest: bytes | None) -> str | None:
    return None if digest is None else digest.hex()


def _asset(seal: Seal) -> dict[str, Any]:
    return {
        "id": seal.asset,
        "title": seal.title,
        "creator": seal.creator,
        "registrant": seal.registrant,
        "identities": list(seal.identities),
        "declared_origin": seal.origin,
        "sealed_sha256": seal.file.hex(),
        "uploaded_sha256": seal.uploaded.hex(),
        "sealed_at": format_time(seal.sealed_at),
    }
