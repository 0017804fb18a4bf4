"""Erasure empties what an entry hides; every proof stays valid."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from colophon import merkle
from colophon.entry import entry_leaf, open_sealed
from colophon.errors import ProofError
from colophon.statement import Envelope
from colophon.tlogproof import LogProof
from log import proofs
from log.erase import erase
from log.errors import PublicEntryError
from log.fsck import check
from log.keys import log_key
from log.models import Entry

pytestmark = pytest.mark.django_db


def test_after_erasure_every_proof_holds_and_nothing_of_it_is_left(grow: Any) -> None:
    first = grow(300)
    row = Entry.objects.get(index=77)
    salt, envelope = bytes(row.salt), Envelope.from_json(row.envelope)
    before = proofs.inclusion(row, first)
    erased = erase(row)
    assert (erased.envelope, erased.salt) == (None, None)
    assert erased.erased_at is not None
    second = grow(20)
    assert proofs.inclusion(erased, first) == before
    for one in (first, second):
        proof = LogProof.from_text(proofs.inclusion(erased, one))
        proof.check(entry_leaf(bytes(erased.data)), log_key())
    merkle.verify_consistency(
        first.size,
        second.size,
        bytes(first.root),
        bytes(second.root),
        proofs.consistency(first, second),
    )
    assert check().findings == []
    # Whoever kept a copy can still show it, and nobody can show another.
    open_sealed(bytes(erased.data), salt, envelope)
    with pytest.raises(ProofError):
        open_sealed(bytes(erased.data), bytes(32), envelope)


def test_no_column_of_the_row_holds_the_record_or_its_salt(grow: Any) -> None:
    grow(3)
    row = Entry.objects.get(index=2)
    secrets = (bytes(row.salt), Envelope.from_json(row.envelope).payload)
    erase(row)
    with connection.cursor() as cursor:
        cursor.execute('SELECT * FROM log_entry WHERE "index" = 2')
        values = cursor.fetchone()
    told = b"|".join(
        bytes(one) if isinstance(one, bytes | memoryview) else str(one).encode()
        for one in values
    )
    for secret in secrets:
        assert secret not in told
        assert secret.hex().encode() not in told


def test_erasing_twice_is_erasing_once(grow: Any) -> None:
    grow(2)
    first = erase(Entry.objects.get(index=1)).erased_at
    assert erase(Entry.objects.get(index=1)).erased_at == first


def test_a_pending_entry_can_be_erased(add: Any, grow: Any) -> None:
    (row,) = add(1)
    erase(row)
    grow(2)
    assert check().findings == []


def test_a_public_entry_cannot_be_erased(grow: Any) -> None:
    grow(1)
    with pytest.raises(PublicEntryError, match="public for ever"):
        erase(Entry.objects.get(index=0))
    assert Entry.objects.get(index=0).envelope is not None
