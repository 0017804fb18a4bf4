"""What an operator asks about jobs and processes, and how a parked job goes on."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from outbox import STALE_SECONDS
from outbox.claims import live
from outbox.errors import OutboxError
from outbox.models import Heartbeat, Job

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Counts:
    """Jobs by state; a leased job counts as running."""

    pending: int
    running: int
    later: int
    parked: int
    done: int


@dataclass(frozen=True)
class Process:
    """One process that beats, and how long ago it did."""

    name: str
    age_seconds: float
    is_stale: bool

    @property
    def role(self) -> str:
        """What it does, wherever it runs: `relay`, `worker:chain`."""
        return self.name.partition("@")[0]


def counts() -> Counts:
    """How many jobs are in each state."""
    now = timezone.now()
    leased = live() & Q(lease_until__gt=now)
    free = live() & ~Q(lease_until__gt=now)
    found = Job.objects.aggregate(
        pending=Count("pk", filter=free & Q(due_at__lte=now)),
        running=Count("pk", filter=leased),
        later=Count("pk", filter=free & Q(due_at__gt=now)),
        parked=Count("pk", filter=Q(parked_at__isnull=False)),
        done=Count("pk", filter=Q(done_at__isnull=False)),
    )
    return Counts(**found)


def oldest_pending_seconds() -> float:
    """Age of the longest-waiting due job; 0.0 when none waits."""
    now = timezone.now()
    oldest = (
        Job.objects.filter(live(), due_at__lte=now)
        .order_by("due_at")
        .values_list("due_at", flat=True)
        .first()
    )
    return (now - oldest).total_seconds() if oldest else 0.0


def parked() -> QuerySet[Job]:
    """Jobs that failed too often, the newest first."""
    return Job.objects.filter(parked_at__isnull=False).order_by("-parked_at", "-pk")


def processes(stale_seconds: float = STALE_SECONDS) -> list[Process]:
    """Every process that ever said it lives, by name.

    Args:
        stale_seconds: silent for longer than this means stale.
    """
    now = timezone.now()
    rows = Heartbeat.objects.order_by("process")
    ages = [(row.process, (now - row.beat_at).total_seconds()) for row in rows]
    return [Process(name, age, age > stale_seconds) for name, age in ages]


def roles_down() -> list[str]:
    """Roles of which no process is well; a container that was replaced is no loss."""
    found = processes()
    well = {one.role for one in found if not one.is_stale}
    return sorted({one.role for one in found} - well)


def forget_processes(older: timedelta = timedelta(days=1)) -> int:
    """Drop rows of processes that are long gone; returns how many.

    Writes: Heartbeat.
    """
    gone, _ = Heartbeat.objects.filter(beat_at__lt=timezone.now() - older).delete()
    return gone


def retry(job: Job, *, by: str) -> Job:
    """Let a parked job run again, from its first attempt.

    Args:
        job: the parked row.
        by: who asked, for the audit line in the log.

    Writes: Job.

    Raises:
        OutboxError: the job is not parked.
    """
    freed = Job.objects.filter(pk=job.pk, parked_at__isnull=False).update(
        parked_at=None, attempts=0, lease_until=None, due_at=timezone.now()
    )
    if not freed:
        raise OutboxError(f"job {job.pk} is not parked; nothing was changed")
    logger.warning("job_retried", extra={"job": job.pk, "kind": job.kind, "by": by})
    job.refresh_from_db()
    return job
