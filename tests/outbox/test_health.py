"""What the operator sees, and how a parked job goes on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from outbox.beats import beat
from outbox.errors import OutboxError
from outbox.health import (
    Counts,
    counts,
    forget_processes,
    oldest_pending_seconds,
    parked,
    processes,
    retry,
)
from outbox.models import Heartbeat, Job
from outbox.run import Outcome, run


@pytest.fixture
def one_of_each(make_job: Any) -> None:
    now = timezone.now()
    for key in ("pending", "running", "parked", "done"):
        make_job(key)
    make_job("later", due_at=now + timedelta(hours=1))
    set_ = Job.objects.filter
    set_(key="pending").update(due_at=now - timedelta(minutes=3))
    set_(key="running").update(lease_until=now + timedelta(seconds=30))
    set_(key="parked").update(parked_at=now, attempts=12, last_error="it broke")
    set_(key="done").update(done_at=now)


def test_each_state_is_counted(one_of_each: Any) -> None:
    assert counts() == Counts(pending=1, running=1, later=1, parked=1, done=1)


def test_the_oldest_due_job_gives_the_lag(one_of_each: Any) -> None:
    assert 179 < oldest_pending_seconds() < 200


@pytest.mark.django_db
def test_without_jobs_there_is_no_lag() -> None:
    assert oldest_pending_seconds() == 0
    assert counts() == Counts(0, 0, 0, 0, 0)


def test_a_parked_job_is_listed_and_runs_again_when_asked(
    one_of_each: Any, tea: Any
) -> None:
    job = parked().get()
    assert retry(job, by="operator 1").attempts == 0
    assert run(job.pk) is Outcome.DONE
    assert not parked().exists()


def test_a_job_that_is_not_parked_cannot_be_retried(one_of_each: Any) -> None:
    with pytest.raises(OutboxError, match="not parked"):
        retry(Job.objects.get(key="done"), by="operator 1")
    assert Job.objects.get(key="done").done_at is not None


@pytest.mark.django_db
def test_a_silent_process_is_stale_and_later_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("outbox.beats._last", {})
    beat("relay")
    beat("worker:one")
    long_ago = timezone.now() - timedelta(days=2)
    Heartbeat.objects.filter(process="worker:one").update(beat_at=long_ago)
    assert [(one.name, one.is_stale) for one in processes()] == [
        ("relay", False),
        ("worker:one", True),
    ]
    assert forget_processes() == 1
    assert [one.name for one in processes()] == ["relay"]


@pytest.mark.django_db
def test_a_heartbeat_is_written_at_most_every_five_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("outbox.beats._last", {})
    beat("relay", round=1)
    beat("relay", round=2)
    assert Heartbeat.objects.get().detail["round"] == 1
