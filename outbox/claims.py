"""Hold a job while working on it: lease, fencing token, conditional updates.

A claim is one conditional update, so it needs no row lock and works the same on
PostgreSQL and SQLite. Time is the database's clock; workers may disagree about
theirs. Source: fencing tokens as in Chubby's sequencers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Self

from django.conf import settings
from django.db import connection
from django.db.models import F, Q, Value
from django.db.models.functions import Concat, Now

from outbox.errors import LostClaim, NotInTransactionError, Retry
from outbox.models import Job

__all__ = ["Claim", "LostClaim", "Retry", "live", "ticks", "waiting"]

# SQLite's clock ends at the millisecond, a row's due_at at the microsecond: a job
# enqueued just now is due just now.
CLOCK_GRAIN = timedelta(milliseconds=1)


def live() -> Q:
    """Neither done nor parked."""
    return Q(done_at__isnull=True, parked_at__isnull=True)


def waiting(ahead: timedelta = timedelta(0)) -> Q:
    """Live, due (or due within `ahead`) and not leased."""
    moment = Now() + (ahead + CLOCK_GRAIN)
    free = Q(lease_until__isnull=True) | Q(lease_until__lte=Now())
    return live() & Q(due_at__lte=moment) & free


def ticks() -> Q:
    """Fired by the timetable: the key is `kind@tick`."""
    return Q(key__startswith=Concat("kind", Value("@")))


@dataclass(frozen=True)
class Claim:
    """One worker's right to one job, as long as nobody took it over.

    Attributes:
        attempts: how often the job was begun, this time included.
        token: the fencing token; grows with every claim.
    """

    job_id: int
    kind: str
    payload: dict[str, Any] = field(hash=False)
    token: int
    key: str = ""
    attempts: int = 1

    @property
    def is_tick(self) -> bool:
        """Whether the timetable fired the job; then its key is `kind@tick`."""
        return self.key.startswith(f"{self.kind}@")

    @classmethod
    def take(cls, job: Job, ahead: timedelta = timedelta(0)) -> Self | None:
        """Claim a job as it was just read; None when another was quicker.

        Writes: Job (token, lease_until, attempts). Lock: none.
        """
        taken = Job.objects.filter(waiting(ahead), pk=job.pk, token=job.token).update(
            token=F("token") + 1, attempts=F("attempts") + 1, lease_until=_lease()
        )
        if not taken:
            return None
        return cls(
            job_id=job.pk,
            kind=job.kind,
            payload=job.payload,
            token=job.token + 1,
            key=job.key,
            attempts=job.attempts + 1,
        )

    def hold(self) -> None:
        """Make sure the job is still ours until the transaction ends.

        Call it first thing in the verb's atomic block: the row stays locked, so
        whoever wants to take the job over waits for the verb's outcome.

        Writes: Job (lease_until).

        Raises:
            LostClaim: another worker has taken the job over, or it is done.
            NotInTransactionError: there is no transaction to hold it for.
        """
        if not connection.in_atomic_block:
            raise NotInTransactionError(
                f"hold job {self.job_id} inside the transaction that writes its effect"
            )
        self.renew()

    def renew(self) -> None:
        """Lengthen the lease; for work between transactions.

        Writes: Job (lease_until).

        Raises:
            LostClaim: another worker has taken the job over, or it is done.
        """
        self.update(lease_until=_lease())

    def update(self, **values: Any) -> None:
        """Change the job's row on condition that it is still ours.

        Raises:
            LostClaim: another worker has taken the job over, or it is done.
        """
        mine = Job.objects.filter(live(), pk=self.job_id, token=self.token)
        if not mine.update(**values):
            raise LostClaim(f"job {self.job_id} is no longer held by {self.token}")


def _lease() -> Any:
    return Now() + timedelta(seconds=settings.OUTBOX_LEASE_SECONDS)
