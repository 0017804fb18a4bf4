"""An entry is written with its business row, sealed unless its kind is public."""

from __future__ import annotations

from typing import Any, Never

import pytest
from django.db import transaction

from colophon.entry import open_sealed, parse_entry, public_entry
from colophon.errors import InputError
from colophon.statement import NAMESPACE, Envelope, sign, statement, subject_of
from log.append import append
from log.errors import NotInTransactionError
from log.models import Entry
from tests.log.conftest import SIGNER, record


@pytest.mark.django_db
def test_a_sealed_entry_shows_the_log_a_salted_digest_only() -> None:
    envelope = record(1)
    row = append("step", envelope.to_json())
    data = bytes(row.data)
    assert row.index is None
    assert parse_entry(data).envelope is None
    assert envelope.digest.hex() not in data.decode()
    open_sealed(data, bytes(row.salt), Envelope.from_json(row.envelope))


@pytest.mark.django_db
def test_one_record_sealed_twice_gives_two_unlike_entries() -> None:
    one, two = (append("step", record(1).to_json()) for _ in range(2))
    assert bytes(one.data) != bytes(two.data)


@pytest.mark.django_db
def test_a_public_entry_carries_its_envelope() -> None:
    row = append("policy", record(1).to_json(), public=True)
    assert parse_entry(bytes(row.data)).envelope == record(1)
    assert row.salt is None


@pytest.mark.django_db
@pytest.mark.parametrize(("kind", "public"), [("policy", False), ("step", True)])
def test_a_kind_cannot_be_made_public_or_sealed_by_a_word(
    kind: Any, public: Any
) -> None:
    with pytest.raises(InputError, match="public"):
        append(kind, record(1).to_json(), public=public)


@pytest.mark.django_db
def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(InputError, match="kind"):
        append("rumor", record(1).to_json())


@pytest.mark.django_db
def test_a_malformed_envelope_is_refused_by_its_field() -> None:
    broken = record(1).to_json() | {"payload": "?"}
    with pytest.raises(InputError, match="payload"):
        append("step", broken)


@pytest.mark.django_db
def test_an_entry_of_more_than_64_kib_is_refused_with_the_reason() -> None:
    """A public entry carries its envelope, in base64: three bytes more are four."""

    def padded(count: int) -> Envelope:
        subject = subject_of("x", bytes(32))
        text = {"text": "x" * count}
        return sign(statement([subject], f"{NAMESPACE}/policy/v1", text), SIGNER)

    count = next(n for n in range(48_700, 48_500, -1) if fits(padded(n)))
    row = append("policy", padded(count).to_json(), public=True)
    assert 65_532 <= len(bytes(row.data)) <= 65_535
    with pytest.raises(InputError, match="65535"):
        append("policy", padded(count + 1).to_json(), public=True)
    assert Entry.objects.count() == 1


def fits(envelope: Envelope) -> bool:
    try:
        return bool(public_entry("policy", envelope))
    except InputError:
        return False


@pytest.mark.django_db(transaction=True)
def test_a_rollback_leaves_no_entry() -> None:
    def verb() -> Never:
        with transaction.atomic():
            append("step", record(1).to_json())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        verb()
    assert not Entry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_outside_of_a_transaction_nothing_is_appended() -> None:
    with pytest.raises(NotInTransactionError):
        append("step", record(1).to_json())
