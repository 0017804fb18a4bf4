"""Log entries: public ones carry their record, sealed ones only a salted digest."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colophon import entry, merkle, statement
from colophon.digest import sha256
from colophon.errors import InputError, ProofError
from colophon.keys import Ed25519Key

SALT = bytes(range(32))
ENVELOPE = statement.sign(
    statement.statement(
        [statement.subject_of("x", sha256(b"x"))], statement.POLICY_TYPE, {"a": 1}
    ),
    Ed25519Key.from_seed(b"a" * 32),
)


def test_a_public_entry_carries_its_envelope() -> None:
    data = entry.public_entry("policy", ENVELOPE)
    found = entry.parse_entry(data)
    assert (found.kind, found.envelope) == ("policy", ENVELOPE)
    assert found.digest == ENVELOPE.digest
    assert entry.entry_leaf(data) == merkle.leaf_hash(data)


def test_a_sealed_entry_says_nothing_but_its_kind() -> None:
    data = entry.sealed_entry("step", SALT, ENVELOPE)
    digest = hashlib.sha256(SALT + ENVELOPE.to_bytes()).hexdigest()
    assert data.decode() == f'{{"digest":"{digest}","kind":"step","v":1}}'
    assert entry.parse_entry(data).envelope is None


def test_a_sealed_entry_opens_with_its_salt_and_envelope_only() -> None:
    data = entry.sealed_entry("step", SALT, ENVELOPE)
    assert entry.open_sealed(data, SALT, ENVELOPE).kind == "step"
    for salt, envelope in (
        (bytes(32), ENVELOPE),
        (SALT, replace(ENVELOPE, signatures=())),
    ):
        with pytest.raises(ProofError):
            entry.open_sealed(data, salt, envelope)
    with pytest.raises(InputError):
        entry.open_sealed(entry.public_entry("policy", ENVELOPE), SALT, ENVELOPE)


def test_kinds_are_either_public_or_sealed() -> None:
    assert not set(entry.PUBLIC_KINDS) & set(entry.SEALED_KINDS)
    for kind in entry.SEALED_KINDS:
        with pytest.raises(InputError) as caught:
            entry.public_entry(kind, ENVELOPE)
        assert caught.value.field == "envelope"
    for kind in entry.PUBLIC_KINDS:
        with pytest.raises(InputError) as caught:
            entry.sealed_entry(kind, SALT, ENVELOPE)
        assert caught.value.field == "envelope"
    with pytest.raises(InputError) as caught:
        entry.sealed_entry("gossip", SALT, ENVELOPE)
    assert caught.value.field == "kind"


def test_a_public_entry_of_another_digest_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        entry.entry("policy", sha256(b"other"), ENVELOPE)
    assert caught.value.field == "digest"


def test_a_short_salt_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        entry.sealed_digest(b"short", ENVELOPE)
    assert caught.value.field == "salt"


@pytest.mark.parametrize(
    "data",
    [
        b"{}",
        b'{"v":1,"kind":"step","digest":"' + b"ab" * 32 + b'"}',  # not canonical
        b'{"digest":"' + b"ab" * 32 + b'","kind":"step","v":2}',
        b'{"digest":"ab","kind":"step","v":1}',
        b'{"digest":"' + b"ab" * 32 + b'","kind":"step","name":"Ada","v":1}',
        b" " * 70_000,
    ],
)
def test_what_is_no_entry_is_refused(data: bytes) -> None:
    with pytest.raises(InputError):
        entry.parse_entry(data)


@given(st.binary(max_size=60))
def test_any_bytes_give_an_input_error(data: bytes) -> None:
    with pytest.raises(InputError):
        entry.parse_entry(data)


def test_an_entry_fits_into_a_tile_bundle() -> None:
    big = statement.sign(
        statement.statement(
            [statement.subject_of("x", sha256(b"x"))],
            statement.POLICY_TYPE,
            {"a": ["y" * 500] * 100},
        ),
        Ed25519Key.from_seed(b"a" * 32),
    )
    with pytest.raises(InputError, match="bytes"):
        entry.public_entry("policy", big)
    sealed = entry.sealed_entry("step", SALT, big)
    assert json.loads(sealed)["kind"] == "step"
