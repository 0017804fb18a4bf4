"""How a run ends, and what the row says afterwards."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any, Never

import pytest
from django.db import transaction
from django.utils import timezone

from outbox import run as module
from outbox.inline import drain
from outbox.lease import Keep
from outbox.models import Heartbeat, Job
from outbox.run import Outcome, backoff_seconds, run
from tests.outbox import jobs_for_tests


def fail(_: Any) -> Never:
    raise ValueError("the cup broke")


def test_a_job_runs_once(make_job: Any, tea: Any) -> None:
    job = make_job()
    assert run(job.pk) is Outcome.DONE
    assert run(job.pk) is Outcome.TAKEN
    assert tea.ran == ["cup"]
    job.refresh_from_db()
    assert job.done_at is not None
    assert job.lease_until is None


def test_a_job_that_is_gone_is_nothing_to_do(db: None) -> None:
    assert run(424242) is Outcome.TAKEN


def test_a_failure_is_written_down_and_tried_again_later(
    make_job: Any, tea: Any
) -> None:
    tea.behavior["cup"] = fail
    job = make_job()
    assert run(job.pk) is Outcome.FAILED
    job.refresh_from_db()
    assert job.last_error == "ValueError: the cup broke"
    assert job.due_at > timezone.now()
    assert run(job.pk) is Outcome.TAKEN
    tea.behavior.clear()
    assert run(job.pk, ahead=timedelta(minutes=10)) is Outcome.DONE


def test_a_poisoned_job_is_parked_and_not_run_again(
    make_job: Any, tea: Any, settings: Any
) -> None:
    settings.OUTBOX_MAX_ATTEMPTS = 3
    tea.behavior["cup"] = fail
    job = make_job()
    far = timedelta(days=1)
    outcomes = [run(job.pk, ahead=far) for _ in range(4)]
    assert outcomes == [Outcome.FAILED, Outcome.FAILED, Outcome.PARKED, Outcome.TAKEN]
    assert len(tea.ran) == 3


def test_a_job_that_kills_its_worker_is_parked(
    make_job: Any, tea: Any, settings: Any
) -> None:
    settings.OUTBOX_MAX_ATTEMPTS = 3
    job = make_job()
    Job.objects.filter(pk=job.pk).update(attempts=3)
    assert run(job.pk) is Outcome.PARKED
    assert tea.ran == []
    job.refresh_from_db()
    assert "never ended" in job.last_error


def test_asking_for_another_run_is_no_error(make_job: Any, tea: Any) -> None:
    tea.behavior["cup"] = jobs_for_tests.ask_again
    job = make_job()
    for _ in range(30):
        assert run(job.pk, ahead=timedelta(minutes=1)) is Outcome.AGAIN
    job.refresh_from_db()
    assert job.attempts == 0
    assert job.last_error == "the kettle is not hot yet"
    wait = (job.due_at - timezone.now()).total_seconds()
    assert 38 < wait <= 40


def test_a_claim_lost_during_the_run_writes_nothing(make_job: Any, tea: Any) -> None:
    def lose(claim: Any) -> None:
        Job.objects.filter(pk=claim.job_id).update(token=claim.token + 1)

    tea.behavior["cup"] = lose
    job = make_job()
    assert run(job.pk) is Outcome.LOST
    job.refresh_from_db()
    assert job.done_at is None


@pytest.mark.parametrize("attempts", [1, 3])
def test_a_claim_lost_before_a_failure_leaves_the_row_alone(
    make_job: Any, tea: Any, settings: Any, attempts: Any
) -> None:
    settings.OUTBOX_MAX_ATTEMPTS = attempts

    def lose_and_fail(claim: Any) -> None:
        Job.objects.filter(pk=claim.job_id).update(token=claim.token + 1)
        fail(claim)

    tea.behavior["cup"] = lose_and_fail
    job = make_job()
    assert run(job.pk) is Outcome.LOST
    job.refresh_from_db()
    assert job.last_error == ""


def test_a_crash_between_effect_and_done_runs_again_and_meets_its_key(
    make_job: Any, tea: Any
) -> None:
    effects = []

    def effect_then_die(claim: Any) -> None:
        with transaction.atomic(durable=True):
            claim.hold()
            _, made = Heartbeat.objects.get_or_create(process=claim.key)
        effects.append(made)
        if len(effects) == 1:
            raise SystemExit

    tea.behavior["cup"] = effect_then_die
    job = make_job()
    with pytest.raises(SystemExit):
        run(job.pk)
    assert run(job.pk) is Outcome.TAKEN
    past = timezone.now() - timedelta(seconds=1)
    Job.objects.filter(pk=job.pk).update(lease_until=past)
    assert run(job.pk) is Outcome.DONE
    assert effects == [True, False]


def test_a_kind_of_another_version_waits(make_job: Any, tea: Any) -> None:
    job = make_job()
    Job.objects.filter(pk=job.pk).update(kind="coffee.make")
    assert run(job.pk) is Outcome.AGAIN
    job.refresh_from_db()
    assert (job.attempts, job.parked_at) == (0, None)


def test_backoff_doubles_up_to_the_ceiling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module._jitter, "uniform", lambda _, high: high)
    waits = [backoff_seconds(attempt) for attempt in (1, 2, 3, 9, 10, 999)]
    assert waits == [1, 2, 4, 256, 300, 300]


def test_backoff_is_spread(db: None) -> None:
    waits = {backoff_seconds(5) for _ in range(50)}
    assert len(waits) > 10
    assert all(8 <= wait <= 16 for wait in waits)


@pytest.mark.django_db(transaction=True)
def test_a_long_handler_keeps_its_lease(make_job: Any, tea: Any, settings: Any) -> None:
    settings.OUTBOX_LEASE_SECONDS = 2
    second = []

    def slow(claim: Any) -> None:
        first = Job.objects.get(pk=claim.job_id).lease_until
        while timezone.now() <= first:  # the lease that it began with is over
            time.sleep(0.05)
        second.append(run(claim.job_id))

    tea.behavior["cup"] = slow
    job = make_job()
    assert run(job.pk, keep=Keep) is Outcome.DONE
    assert second == [Outcome.TAKEN]


@pytest.mark.django_db(transaction=True)
def test_without_renewal_a_long_handler_loses_its_lease(
    make_job: Any, tea: Any, settings: Any
) -> None:
    settings.OUTBOX_LEASE_SECONDS = 60

    def slow(claim: Any) -> None:
        tea.behavior.clear()
        over = timezone.now() - timedelta(seconds=1)
        Job.objects.filter(pk=claim.job_id).update(lease_until=over)
        assert run(claim.job_id) is Outcome.DONE

    tea.behavior["cup"] = slow
    job = make_job()
    assert run(job.pk) is Outcome.LOST


def test_drain_runs_what_the_jobs_enqueue(make_job: Any, tea: Any) -> None:
    tea.behavior["cup"] = lambda _: make_job("saucer")
    make_job("cup")
    assert drain() == 2
    assert tea.ran == ["cup", "saucer"]


def test_drain_lets_an_error_through_unless_told_not_to(
    make_job: Any, tea: Any
) -> None:
    tea.behavior["cup"] = fail
    make_job("cup")
    make_job("saucer")
    with pytest.raises(ValueError, match="the cup broke"):
        drain()
    assert drain(raising=False) == 1
    assert tea.ran == ["cup", "saucer"]


def test_drain_keeps_to_its_kinds_and_its_limit(make_job: Any, tea: Any) -> None:
    make_job("cup")
    make_job("picture", kind="tea.paint")
    assert drain(kinds=["tea.paint"]) == 1
    assert tea.ran == ["picture"]
    make_job("saucer")
    assert drain(limit=1) == 1
    assert drain() == 1
