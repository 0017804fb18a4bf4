"""The certifiers' queue: what waits, its place, and who works on it.

A claim is one conditional update, so two certifiers never hold the same case, and it
ends by itself: nobody can sit on a case.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from provenance.conflicts import why_not
from provenance.errors import CaseStateError, ConflictOfInterestError
from provenance.models import Case

LOCK = timedelta(minutes=30)
_TEENS = (11, 12, 13)
_ENDINGS = {1: "st", 2: "nd", 3: "rd"}


@dataclass(frozen=True)
class Place:
    """Where a case stands: `number` of `of`, oldest first."""

    number: int
    of: int

    def __str__(self) -> str:
        teen = self.number % 100 in _TEENS
        ending = "th" if teen else _ENDINGS.get(self.number % 10, "th")
        return f"{self.number}{ending} of {self.of}"


def place_of(case: Case) -> Place | None:
    """The case's place among all that wait; None when it is closed."""
    if case.closed_at is not None:
        return None
    waiting = Case.objects.filter(closed_at__isnull=True)
    earlier = Q(opened_at__lt=case.opened_at) | Q(
        opened_at=case.opened_at, pk__lt=case.pk
    )
    return Place(waiting.filter(earlier).count() + 1, waiting.count())


def take_case(*, case: Case, by: User) -> Case:
    """Take a case for half an hour; taking one's own again renews it.

    Writes: Case. Lock: conditional update.

    Raises:
        ConflictOfInterestError: they have a stake in it, or decided before.
        CaseStateError: closed, or another certifier has it.
    """
    if why := why_not(case, by):
        raise ConflictOfInterestError(why)
    now = timezone.now()
    free = Q(locked_by__isnull=True) | Q(lock_until__lte=now) | Q(locked_by=by)
    taken = Case.objects.filter(free, pk=case.pk, closed_at__isnull=True).update(
        locked_by=by, lock_until=now + LOCK
    )
    case.refresh_from_db()
    if not taken:
        raise CaseStateError(
            "It is decided already."
            if case.closed_at
            else "Another certifier works on it; take the next one."
        )
    return case


def leave_case(*, case: Case, by: User) -> None:
    """Give a case back to the queue; nothing happens when it is not one's own.

    Writes: Case. Lock: conditional update.
    """
    mine = Case.objects.filter(pk=case.pk, locked_by=by, closed_at__isnull=True)
    mine.update(locked_by=None, lock_until=None)
    case.refresh_from_db()


def holds(case: Case, user: User) -> bool:
    """Whether the case is the user's to decide right now."""
    until = case.lock_until
    return case.locked_by_id == user.pk and until is not None and until > timezone.now()


def is_taken(case: Case) -> bool:
    """Whether some certifier works on it right now."""
    return case.lock_until is not None and case.lock_until > timezone.now()
