"""Statements and envelopes: what is signed is what is read, byte for byte."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colophon import statement
from colophon.digest import canonical, sha256, to_base64
from colophon.errors import InputError, SignatureError
from colophon.keys import Ed25519Key
from colophon.statement import Envelope, Signature, subject_of

ADA = Ed25519Key.from_seed(b"a" * 32)
EVE = Ed25519Key.from_seed(b"e" * 32)
SAID = statement.statement(
    [subject_of("out.png", sha256(b"out"))], statement.STEP_TYPE, {"action": "x"}
)


def test_the_signed_bytes_are_dsse_pae() -> None:
    # The example of the DSSE specification.
    made = statement.pae("http://example.com/HelloWorld", b"hello world")
    assert made == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    assert statement.pae("é", b"") == "DSSEv1 2 é 0 ".encode()


def test_a_signed_statement_reads_back() -> None:
    envelope = statement.sign(SAID, ADA)
    assert statement.verify(envelope, ADA.public_spki) == SAID
    assert statement.subject_digests(SAID) == [sha256(b"out")]


def test_several_may_sign() -> None:
    envelope = statement.sign(SAID, ADA, EVE)
    for key in (ADA, EVE):
        assert statement.verify(envelope, key.public_spki) == SAID


def test_a_key_that_did_not_sign_is_refused() -> None:
    with pytest.raises(SignatureError, match="not signed by"):
        statement.verify(statement.sign(SAID, ADA), EVE.public_spki)


def test_a_signature_under_anothers_name_is_refused() -> None:
    forged = statement.sign(SAID, EVE)
    forged = replace(
        forged, signatures=(Signature(ADA.key_id, forged.signatures[0].sig),)
    )
    with pytest.raises(SignatureError):
        statement.verify(forged, ADA.public_spki)


@given(st.data())
def test_any_changed_payload_byte_fails(data: st.DataObject) -> None:
    envelope = statement.sign(SAID, ADA)
    at = data.draw(st.integers(0, len(envelope.payload) - 1))
    flipped = bytearray(envelope.payload)
    flipped[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(SignatureError):
        statement.verify(replace(envelope, payload=bytes(flipped)), ADA.public_spki)


def test_another_payload_type_is_refused() -> None:
    envelope = replace(statement.sign(SAID, ADA), payload_type="text/plain")
    with pytest.raises(InputError) as caught:
        statement.verify(envelope, ADA.public_spki)
    assert caught.value.field == "payloadType"


def test_an_envelope_round_trips_in_every_form() -> None:
    envelope = statement.sign(SAID, ADA, EVE)
    for form in (
        envelope.to_json(),
        envelope.to_bytes(),
        json.dumps(envelope.to_json(), indent=1),
    ):
        assert Envelope.from_json(form) == envelope
    assert envelope.digest == sha256(envelope.to_bytes())


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda e: e.pop("payload"), "payload"),
        (lambda e: e.update(payload="@@"), "payload"),
        (lambda e: e.update(payload=5), "payload"),
        (lambda e: e.update(payloadType=5), "payloadType"),
        (lambda e: e.update(extra=1), "extra"),
        (lambda e: e.update(signatures={}), "signatures"),
        (lambda e: e.update(signatures=[{}] * 17), "signatures"),
        (lambda e: e["signatures"][0].update(keyid="x"), "signatures/0/keyid"),
        (lambda e: e["signatures"][0].update(sig="x"), "signatures/0/sig"),
        (lambda e: e["signatures"][0].update(cert="x"), "signatures/0/cert"),
    ],
)
def test_a_malformed_envelope_names_the_field(
    change: Callable[[dict[str, Any]], object], field: str
) -> None:
    data = statement.sign(SAID, ADA).to_json()
    change(data)
    with pytest.raises(InputError) as caught:
        Envelope.from_json(data)
    assert caught.value.field == field


@given(st.binary(max_size=80))
def test_any_bytes_give_an_envelope_or_an_input_error(data: bytes) -> None:
    with pytest.raises(InputError):
        Envelope.from_json(data)


def test_a_payload_that_is_not_canonical_is_refused() -> None:
    loose = json.dumps(SAID, indent=1).encode()
    envelope = Envelope(
        statement.PAYLOAD_TYPE,
        loose,
        (
            Signature(
                ADA.key_id, ADA.sign(statement.pae(statement.PAYLOAD_TYPE, loose))
            ),
        ),
    )
    with pytest.raises(InputError, match="canonical"):
        statement.verify(envelope, ADA.public_spki)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda s: s.update(_type="x"), "_type"),
        (lambda s: s.update(subject=[]), "subject"),
        (lambda s: s["subject"][0].pop("name"), "subject/0/name"),
        (lambda s: s["subject"][0].update(digest={}), "subject/0/digest/sha256"),
        (lambda s: s["subject"][0].update(uri="x"), "subject/0/uri"),
        (lambda s: s.pop("predicateType"), "predicateType"),
        (lambda s: s.update(predicate=[]), "predicate"),
        (lambda s: s.update(more=1), "more"),
    ],
)
def test_a_malformed_statement_is_never_signed(
    change: Callable[[dict[str, Any]], object], field: str
) -> None:
    broken = json.loads(canonical(SAID))
    change(broken)
    with pytest.raises(InputError) as caught:
        statement.sign(broken, ADA)
    assert caught.value.field == field


def test_signing_needs_a_signer() -> None:
    with pytest.raises(InputError, match="signers"):
        statement.sign(SAID)


def test_a_predicate_opens_only_as_its_own_type() -> None:
    assert statement.open_predicate(SAID, statement.STEP_TYPE).text("action") == "x"
    with pytest.raises(InputError) as caught:
        statement.open_predicate(SAID, statement.SEAL_TYPE)
    assert caught.value.field == "predicateType"


def test_a_huge_payload_is_refused() -> None:
    data = statement.sign(SAID, ADA).to_json()
    data["payload"] = to_base64(b"x" * (statement.MAX_ENVELOPE_BYTES + 3))
    with pytest.raises(InputError, match="large"):
        Envelope.from_json(data)
