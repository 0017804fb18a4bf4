"""Indexes are contiguous, whoever appends and whoever sequences at the same time."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection, transaction

from colophon.entry import parse_entry
from log.append import append
from log.keys import log_key, log_keys
from log.models import Entry, Head
from log.sequence import sequence
from outbox.claims import Claim
from outbox.errors import LostClaim
from outbox.models import Job
from tests.log.conftest import record

pytestmark = pytest.mark.django_db


def indexes() -> list[int]:
    rows = Entry.objects.exclude(index=None).order_by("index")
    return list(rows.values_list("index", flat=True))


def test_entries_get_contiguous_indexes_in_their_order(add: Any) -> None:
    rows = add(3)
    assert sequence() == 4
    for row in rows:
        row.refresh_from_db()
    assert [row.index for row in rows] == [1, 2, 3]
    assert Head.objects.get().size == 4


def test_the_first_entry_names_the_key_that_signs(add: Any) -> None:
    add(2)
    sequence()
    first = Entry.objects.get(index=0)
    assert first.kind == "checkpoint-key"
    assert parse_entry(bytes(first.data)).envelope is not None
    assert log_keys() == [log_key()]


def test_a_new_key_gets_an_entry_and_the_old_one_stays_listed(
    add: Any, settings: Any, tmp_path: Any
) -> None:
    add(1)
    sequence()
    old = log_key()
    settings.KEYS_DIR = tmp_path / "other keys"
    add(1)
    assert sequence() == 2
    assert Entry.objects.get(index=2).kind == "checkpoint-key"
    assert log_keys() == [old, log_key()]
    assert old != log_key()


def test_nothing_pending_writes_nothing() -> None:
    assert sequence() == 0
    assert not Head.objects.exists()


def test_a_limit_leaves_the_rest_for_the_next_run(add: Any) -> None:
    add(5)
    assert sequence(limit=2) == 3
    assert sequence(limit=2) == 2
    assert sequence(limit=2) == 1
    assert indexes() == list(range(6))


def test_a_lost_claim_numbers_nothing(add: Any) -> None:
    add(2)
    with transaction.atomic():
        job = Job.objects.create(kind="log.sequence", key="log.sequence@1")
    claim = Claim.take(job)
    Job.objects.update(token=claim.token + 1)
    with pytest.raises(LostClaim):
        sequence(claim)
    assert indexes() == []


@pytest.mark.django_db(transaction=True)
def test_eight_threads_append_and_sequence_without_gap_or_twin() -> None:
    barrier = threading.Barrier(8)
    errors = []

    def work(number: Any) -> None:
        try:
            barrier.wait()
            for at in range(15):
                with transaction.atomic():
                    append("step", record(100 * number + at).to_json())
                if at % 3 == number % 3:
                    sequence()
        except Exception as error:
            errors.append(error)
            raise
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    while sequence():
        pass
    assert errors == []
    assert indexes() == list(range(121))
    assert Entry.objects.filter(kind="checkpoint-key").count() == 1
    assert Head.objects.get().size == 121
