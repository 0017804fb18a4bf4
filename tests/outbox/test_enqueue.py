"""Jobs are written with their business row, once per key."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from outbox import enqueue as module
from outbox.enqueue import enqueue
from outbox.errors import NotInTransactionError, OutboxError, UnknownKindError
from outbox.models import Job


@pytest.fixture
def nudged(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, str]]:
    seen: list[tuple[int, str]] = []
    monkeypatch.setattr(module, "nudge", lambda job, queue: seen.append((job, queue)))
    return seen


@pytest.mark.django_db(transaction=True)
def test_a_job_and_its_nudge_follow_the_commit(nudged: Any) -> None:
    with transaction.atomic():
        job = enqueue("tea.paint", key="cup", payload={"cup": 1})
        assert nudged == []
    assert nudged == [(job.pk, "media")]
    kept = Job.objects.get()
    assert (kept.kind, kept.key, kept.payload, kept.queue) == (
        "tea.paint",
        "cup",
        {"cup": 1},
        "media",
    )


@pytest.mark.django_db(transaction=True)
def test_a_rollback_leaves_no_job_and_no_nudge(nudged: Any) -> None:
    def verb() -> None:
        with transaction.atomic():
            enqueue("tea.make", key="cup")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        verb()
    assert nudged == []
    assert not Job.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_outside_of_a_transaction_nothing_is_enqueued() -> None:
    with pytest.raises(NotInTransactionError, match="inside the transaction"):
        enqueue("tea.make", key="cup")
    assert not Job.objects.exists()


def test_a_key_is_honored_once(make_job: Any) -> None:
    first = make_job("cup", payload={"cup": 1})
    again = make_job("cup", payload={"cup": 2})
    assert again.pk == first.pk
    assert Job.objects.get().payload == {"cup": 1}


def test_a_key_that_is_done_stays_done(make_job: Any) -> None:
    job = make_job("cup")
    Job.objects.filter(pk=job.pk).update(done_at=timezone.now())
    assert make_job("cup").done_at is not None
    assert Job.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_job_for_later_is_not_nudged(nudged: Any) -> None:
    with transaction.atomic():
        enqueue("tea.make", key="cup", due_at=timezone.now() + timedelta(hours=1))
    assert nudged == []


def test_a_kind_without_handler_is_refused_with_advice(make_job: Any) -> None:
    with pytest.raises(UnknownKindError, match="add its handler"):
        make_job("cup", kind="coffee.make")


@pytest.mark.parametrize("key", ["", "k" * 201])
def test_a_key_of_wrong_length_is_refused(make_job: Any, key: Any) -> None:
    with pytest.raises(OutboxError, match="1 to 200"):
        make_job(key)


def test_a_payload_that_is_no_id_is_refused(make_job: Any) -> None:
    with pytest.raises(OutboxError, match="pass ids"):
        make_job("cup", payload={"picture": "x" * 9000})


@pytest.mark.django_db(transaction=True)
def test_eight_writers_of_one_key_make_one_job(nudged: Any) -> None:
    barrier = threading.Barrier(8)
    made = []

    def write() -> None:
        barrier.wait()
        with transaction.atomic():
            made.append(enqueue("tea.make", key="cup").pk)
        connection.close()

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 8
    assert set(made) == {Job.objects.get().pk}
