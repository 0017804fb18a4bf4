"""Run one job: claim it, call its handler, write down how it ended.

The handler computes outside of any transaction and calls a verb, which holds the
claim inside its own. It can run twice, late, or beside itself: every effect has a
key of its own.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from enum import StrEnum

from django.conf import settings
from django.db.models import F
from django.db.models.functions import Now
from django.utils.module_loading import import_string

from outbox.claims import Claim, LostClaim, Retry
from outbox.models import Job
from outbox.table import table

logger = logging.getLogger(__name__)

MAX_BACKOFF_SECONDS = 300.0
# The timetable comes round anyway: its jobs need not wait long for a second try.
MAX_TICK_BACKOFF_SECONDS = 15.0
MAX_ERROR_LENGTH = 2000
UNKNOWN_KIND_SECONDS = 30.0
_jitter = random.SystemRandom()


class Outcome(StrEnum):
    """How a run ended."""

    DONE = "done"
    TAKEN = "taken"  # not due, done, or another worker has it
    LOST = "lost"  # another worker took it over meanwhile
    AGAIN = "again"  # the handler asked for another run
    FAILED = "failed"  # an error; another run follows
    PARKED = "parked"  # an error too many; a person must look


def run(
    job_id: int,
    *,
    ahead: timedelta = timedelta(0),
    keep: Callable[[Claim], AbstractContextManager[object]] = nullcontext,
    raising: bool = False,
) -> Outcome:
    """Run one job if it is due and free.

    Args:
        job_id: primary key; an unknown one counts as taken.
        ahead: run jobs that are due this much later, too.
        keep: makes, of the claim, what renews it while the handler works.
        raising: let a handler's error through after it was written down.

    Writes: Job. Lock: none, claims by token.
    """
    job = Job.objects.filter(pk=job_id).first()
    claim = Claim.take(job, ahead) if job else None
    if claim is None:
        return Outcome.TAKEN
    if claim.attempts > settings.OUTBOX_MAX_ATTEMPTS:
        return _park(claim, f"began {claim.attempts - 1} times and never ended")
    try:
        with keep(claim):
            _work(claim)
    except LostClaim:
        logger.warning("job_lost", extra={"job": claim.job_id, "kind": claim.kind})
        return Outcome.LOST
    except Retry as asked:
        return _again(claim, asked)
    except Exception as error:
        logger.exception("job_failed", extra={"job": claim.job_id, "kind": claim.kind})
        outcome = _failed(claim, error)
        if raising:
            raise
        return outcome
    return Outcome.DONE


def _work(claim: Claim) -> None:
    """Call the handler, then mark the job done, both on condition of the claim."""
    if claim.kind not in table():
        # Another version of the code wrote it; that version may yet run it.
        raise Retry("no handler in this version", UNKNOWN_KIND_SECONDS)
    import_string(table()[claim.kind][0])(claim)
    claim.update(done_at=Now(), lease_until=None)


def backoff_seconds(attempts: int, *, ceiling: float = MAX_BACKOFF_SECONDS) -> float:
    """Wait before the next try: 1, 2, 4 … seconds, half to whole of it at random."""
    whole = min(ceiling, 2.0 ** min(attempts - 1, 30))
    return whole * _jitter.uniform(0.5, 1.0)


def _again(claim: Claim, asked: Retry) -> Outcome:
    """Not an error: the attempt does not count."""
    return _release(
        claim,
        Outcome.AGAIN,
        asked.after_seconds,
        last_error=asked.reason[:MAX_ERROR_LENGTH],
        attempts=F("attempts") - 1,
    )


def _failed(claim: Claim, error: Exception) -> Outcome:
    words = f"{type(error).__name__}: {error}"
    if claim.attempts >= settings.OUTBOX_MAX_ATTEMPTS:
        return _park(claim, words)
    ceiling = MAX_TICK_BACKOFF_SECONDS if claim.is_tick else MAX_BACKOFF_SECONDS
    wait = backoff_seconds(claim.attempts, ceiling=ceiling)
    return _release(claim, Outcome.FAILED, wait, last_error=words[:MAX_ERROR_LENGTH])


def _park(claim: Claim, words: str) -> Outcome:
    try:
        claim.update(
            parked_at=Now(), lease_until=None, last_error=words[:MAX_ERROR_LENGTH]
        )
    except LostClaim:
        return Outcome.LOST
    logger.error("job_parked", extra={"job": claim.job_id, "kind": claim.kind})
    return Outcome.PARKED


def _release(
    claim: Claim, outcome: Outcome, wait_seconds: float, **values: object
) -> Outcome:
    due = Now() + timedelta(seconds=wait_seconds)
    try:
        claim.update(lease_until=None, due_at=due, **values)
    except LostClaim:
        return Outcome.LOST
    return outcome
