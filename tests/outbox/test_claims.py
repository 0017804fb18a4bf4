"""One worker at a time; whoever lost its claim writes nothing."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from outbox.claims import Claim
from outbox.errors import LostClaim, NotInTransactionError
from outbox.models import Heartbeat, Job


def expire(job: Any) -> None:
    past = timezone.now() - timedelta(seconds=1)
    Job.objects.filter(pk=job.pk).update(lease_until=past)
    job.refresh_from_db()


def test_a_claimed_job_cannot_be_claimed_again(make_job: Any) -> None:
    job = make_job()
    assert Claim.take(job).token == 1
    job.refresh_from_db()
    assert Claim.take(job) is None
    assert job.attempts == 1


@pytest.mark.parametrize(
    "values",
    [
        {"done_at": timezone.now()},
        {"parked_at": timezone.now()},
        {"due_at": timezone.now() + timedelta(hours=1)},
    ],
)
def test_a_job_that_is_done_parked_or_not_due_cannot_be_claimed(
    make_job: Any, values: Any
) -> None:
    job = make_job()
    Job.objects.filter(pk=job.pk).update(**values)
    job.refresh_from_db()
    assert Claim.take(job) is None


def test_after_the_lease_another_worker_takes_over_and_the_first_fails(
    make_job: Any,
) -> None:
    job = make_job()
    first = Claim.take(job)
    first.hold()
    expire(job)
    second = Claim.take(job)
    with pytest.raises(LostClaim):
        first.hold()
    with pytest.raises(LostClaim):
        first.renew()
    second.hold()


def test_an_expired_lease_that_nobody_took_is_still_held(make_job: Any) -> None:
    job = make_job()
    claim = Claim.take(job)
    expire(job)
    claim.hold()
    job.refresh_from_db()
    assert job.lease_until > timezone.now()


def test_a_done_job_cannot_be_held(make_job: Any) -> None:
    claim = Claim.take(make_job())
    claim.update(done_at=timezone.now())
    with pytest.raises(LostClaim):
        claim.hold()


@pytest.mark.django_db(transaction=True)
def test_hold_outside_of_a_transaction_is_refused(make_job: Any) -> None:
    claim = Claim.take(make_job())
    with pytest.raises(NotInTransactionError):
        claim.hold()


@pytest.mark.django_db(transaction=True)
def test_who_lost_the_claim_leaves_no_effect(make_job: Any) -> None:
    job = make_job()
    first = Claim.take(job)
    expire(job)
    second = Claim.take(job)

    def verb(claim: Any) -> None:
        with transaction.atomic(durable=True):
            Heartbeat.objects.create(process=f"effect of {claim.token}")
            claim.hold()

    with pytest.raises(LostClaim):
        verb(first)
    verb(second)
    assert [row.process for row in Heartbeat.objects.all()] == ["effect of 2"]


@pytest.mark.django_db(transaction=True)
def test_eight_workers_claim_each_of_forty_jobs_once(make_job: Any) -> None:
    for number in range(40):
        make_job(f"cup {number}")
    barrier = threading.Barrier(8)
    taken = []

    def work() -> None:
        barrier.wait()
        taken.extend(job.pk for job in Job.objects.order_by("pk") if Claim.take(job))
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == sorted(Job.objects.values_list("pk", flat=True))
