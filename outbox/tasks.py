"""The one Celery task: run a job by its id."""

from __future__ import annotations

from celery import shared_task

from outbox.lease import Keep
from outbox.nudge import TASK
from outbox.run import run as run_job


@shared_task(name=TASK)
def run(job_id: int) -> str:
    """Run one job; the answer is only for the worker's log."""
    return str(run_job(job_id, keep=Keep))
