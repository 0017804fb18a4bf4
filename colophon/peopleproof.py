"""What people decided about a work: reviews (check 12) and disputes (check 13).

A decision carries two signatures: the certifier's, by an enrolled account key, and
the platform's, which says that this account was a certifier. Neither alone counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from colophon.checks import Checklist, Code
from colophon.errors import ColophonError
from colophon.evidence import Bundle, Record
from colophon.keyring import Enrolled, Keyring, platform_statement
from colophon.logview import LogView
from colophon.records import (
    Dispute,
    Review,
    Seal,
    Standing,
    parse_dispute,
    parse_review,
)
from colophon.statement import Json

PEOPLE = 2  # who must agree before a review counts, or a work is suspended
UPHELD, REJECTED = "upheld", "rejected"
SUSPENDED = ("suspended", "dispute-upheld")
Said = TypeVar("Said", Review, Dispute)


@dataclass(frozen=True)
class Move:
    """One move of a dispute; the account that decided, "" for other moves."""

    said: Dispute
    account: str


@dataclass(frozen=True)
class People:
    """The reviews and disputes of one bundle, about the work of its seal."""

    bundle: Bundle
    log: LogView
    ring: Keyring
    seal: Seal
    checks: Checklist

    def reviewed(self, *, as_of: datetime, vouched: frozenset[bytes] | None) -> bool:
        """Check 12: whether two people confirmed the work who have no stake in it.

        Somebody's refusal ends earlier confirmations; two must confirm after it.

        Args:
            vouched: digests that a trusted verdict rests on: a review counts when
                the verdict names it. None counts all, for who makes the verdict.
        """
        found: list[tuple[int, Review, str]] = []
        stakes = self._stakes()
        for record in self.bundle.of("review"):
            certified = self._certified(record, parse_review, "review", 12)
            if certified is None:
                continue
            said, signer = certified
            if signer.account in stakes or said.reviewer == self.seal.registrant:
                words = "A review is by somebody who has a stake in the work."
                self.checks.failed(12, words)
                continue
            named = vouched is None or record.envelope.digest in vouched
            index = self._index(record, signer)
            counts = named and not said.conflict and said.reviewed_at <= as_of
            if counts and index is not None:
                found.append((index, said, signer.account))
        refused = [at for at, one, _ in found if one.decision == "refused"]
        last = max(refused, default=-1)
        yes = {
            (account, one.reviewer)
            for at, one, account in found
            if one.decision == "confirmed" and at > last
        }
        return _different(yes)

    def check_disputes(self, standing: Standing | None) -> None:
        """Check 13: each move is signed, and the standing is what two decided."""
        moves = [self._move(record) for record in self.bundle.of("dispute")]
        if standing is None:
            return
        by_dispute: dict[str, list[Move]] = {}
        for one in moves:
            if one is not None and one.said.at <= standing.at:
                by_dispute.setdefault(one.said.dispute, []).append(one)
        upheld = any(_is_upheld(some) for some in by_dispute.values())
        if (standing.after, standing.reason) == SUSPENDED and not upheld:
            words = "It is suspended, and no decisions of two certifiers are shown."
            self.checks.failed(13, words, Code.OBJECTION)
        elif upheld and standing.after != SUSPENDED[0]:
            words = "Two certifiers upheld an objection, and it is not suspended."
            self.checks.failed(13, words, Code.OBJECTION)

    def _move(self, record: Record) -> Move | None:
        """One move of a dispute about this work."""
        try:
            said = self._by_platform(record, parse_dispute, "dispute", 13)
        except ColophonError as error:
            self.checks.failed(13, f"A dispute does not hold: {error}.")
            return None
        if said is None or not said.by:
            return None if said is None else Move(said, "")
        found = self._certified(record, parse_dispute, "dispute", 13)
        return None if found is None else Move(said, found[1].account)

    def _certified(
        self, record: Record, parse: Callable[[Json], Said], what: str, number: int
    ) -> tuple[Said, Enrolled] | None:
        """What a certifier said: signed by their account's key and by the platform."""
        try:
            said = self._by_platform(record, parse, what, number)
            signed = self.ring.verify(record.envelope)
        except ColophonError as error:
            self.checks.failed(number, f"A {what} does not hold: {error}.")
            return None
        if said is None:
            return None
        if signed is None or signed[1].enrollment.purpose != "account":
            self.checks.failed(number, f"A {what} is signed by no enrolled account.")
            return None
        return said, signed[1]

    def _by_platform(
        self, record: Record, parse: Callable[[Json], Said], what: str, number: int
    ) -> Said | None:
        """What the platform signed, about this very work.

        Raises:
            ColophonError: a wrong signature, or no such record.
        """
        found = platform_statement(record.envelope, self.log.trust)
        if found is None:
            words = f"A {what} is by nobody whom a platform key that you trust names."
            self.checks.failed(number, words, Code.UNKNOWN_SIGNER)
            return None
        said = parse(found)
        if (said.asset, said.file) != (self.seal.asset, self.seal.file):
            self.checks.failed(number, f"A {what} is about another work.")
            return None
        return said

    def _index(self, record: Record, signer: Enrolled) -> int | None:
        """Where the log has a record; None when its signer's key did not count."""
        place = self.log.place(record)
        moment = self.log.proven_at(place)
        gone = self.ring.revoked_by(signer.enrollment.key_id, moment)
        if place is None or place.index < signer.index or gone:
            return None
        return place.index

    def _stakes(self) -> set[str]:
        """Accounts that made the work, own a part of it, or agreed to the shares."""
        found = set()
        for kind in ("step", "source", "agreement", "acceptance"):
            for record in self.bundle.of(kind):
                try:
                    signed = self.ring.verify(record.envelope)
                except ColophonError:
                    continue  # its own check says so
                if signed is not None:
                    found.add(signed[1].account)
        return found


def _is_upheld(moves: Sequence[Move]) -> bool:
    """Whether a dispute's decisions suspend the work.

    What was decided stands until the appeal is; and only two undo what two decided.
    """
    first = [one for one in moves if not one.said.appeal]
    again = [one for one in moves if one.said.appeal]
    if _agree(first, UPHELD) and not _says(first, REJECTED):
        return not _agree(again, REJECTED) or _says(again, UPHELD)
    return _agree(again, UPHELD) and not _says(again, REJECTED)


def _agree(moves: Sequence[Move], move: str) -> bool:
    """Whether two different people decided so."""
    return _different({(o.account, o.said.by) for o in moves if o.said.move == move})


def _says(moves: Sequence[Move], move: str) -> bool:
    return any(one.said.move == move for one in moves)


def _different(people: set[tuple[str, str]]) -> bool:
    """Whether these are two people, by account and by party."""
    accounts, parties = {one for one, _ in people}, {one for _, one in people}
    return min(len(accounts), len(parties)) >= PEOPLE
