"""Run due jobs in this process: for tests, small tools and a broker-less demo."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from outbox.claims import waiting
from outbox.models import Job
from outbox.run import Outcome, run


def drain(
    *,
    limit: int = 1000,
    kinds: Collection[str] | None = None,
    ahead: timedelta = timedelta(0),
    raising: bool = True,
) -> int:
    """Run due jobs, and those they enqueue, until none is left.

    Args:
        limit: at most this many runs.
        kinds: only these kinds; all when None.
        ahead: also run what is due this much later (a second try, a timer).
        raising: let the first handler error through; else go on with the others.

    Returns:
        How many runs ended with the job done.
    """
    done = 0
    tried: set[int] = set()
    for _ in range(limit):
        rows = Job.objects.filter(waiting(ahead)).exclude(pk__in=tried)
        if kinds is not None:
            rows = rows.filter(kind__in=kinds)
        job_id = rows.order_by("due_at", "pk").values_list("pk", flat=True).first()
        if job_id is None:
            break
        outcome = run(job_id, ahead=ahead, raising=raising)
        if outcome is not Outcome.DONE:
            tried.add(job_id)
        done += outcome is Outcome.DONE
    return done
