"""Records as in-toto Statements v1 in DSSE envelopes: build, sign, verify.

Payloads are RFC 8785 canonical JSON, so equal statements are equal bytes.
Sources: in-toto attestation framework v1, DSSE v1.0 (pre-authentication
encoding), https://github.com/secure-systems-lab/dsse.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

from colophon import keys
from colophon.digest import canonical, from_base64, from_hex, sha256, to_base64
from colophon.errors import InputError, SignatureError
from colophon.fields import Fields, load_json

Json = dict[str, Any]

NAMESPACE = "https://colophon.example"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
VSA_TYPE = "https://slsa.dev/verification_summary/v1"

STEP_TYPE = f"{NAMESPACE}/step/v1"
SEAL_TYPE = f"{NAMESPACE}/seal/v1"
TICKET_TYPE = f"{NAMESPACE}/ticket/v1"
ENROLLMENT_TYPE = f"{NAMESPACE}/enrollment/v1"
REVOCATION_TYPE = f"{NAMESPACE}/revocation/v1"
SOURCE_TYPE = f"{NAMESPACE}/source/v1"
AGREEMENT_TYPE = f"{NAMESPACE}/agreement/v1"
ACCEPTANCE_TYPE = f"{NAMESPACE}/acceptance/v1"
POLICY_TYPE = f"{NAMESPACE}/policy/v1"
USAGE_TYPE = f"{NAMESPACE}/usage/v1"
SETTLEMENT_TYPE = f"{NAMESPACE}/settlement/v1"
LICENSE_TYPE = f"{NAMESPACE}/license/v1"
STANDING_TYPE = f"{NAMESPACE}/standing/v1"
CHECKPOINT_KEY_TYPE = f"{NAMESPACE}/checkpoint-key/v1"
DELIVERY_TYPE = f"{NAMESPACE}/delivery/v1"
REFUND_TYPE = f"{NAMESPACE}/refund/v1"
EXAMINATION_TYPE = f"{NAMESPACE}/examination/v1"
REVIEW_TYPE = f"{NAMESPACE}/review/v1"
DISPUTE_TYPE = f"{NAMESPACE}/dispute/v1"

MAX_ENVELOPE_BYTES = 256 * 1024
MAX_SIGNATURES = 16
MAX_SUBJECTS = 256


@dataclass(frozen=True)
class Signature:
    """One DSSE signature: who (hex key id) and the raw signature."""

    keyid: str
    sig: bytes


@dataclass(frozen=True)
class Envelope:
    """A DSSE envelope around one payload."""

    payload_type: str
    payload: bytes
    signatures: tuple[Signature, ...] = field(default=())

    def to_json(self) -> Json:
        """The envelope as a JSON object."""
        return {
            "payload": to_base64(self.payload),
            "payloadType": self.payload_type,
            "signatures": [
                {"keyid": one.keyid, "sig": to_base64(one.sig)}
                for one in self.signatures
            ],
        }

    def to_bytes(self) -> bytes:
        """Canonical JSON of the envelope: what is stored, sealed and hashed."""
        return canonical(self.to_json())

    @cached_property
    def digest(self) -> bytes:
        """SHA-256 of the canonical envelope JSON."""
        return sha256(self.to_bytes())

    @classmethod
    def from_json(cls, data: Mapping[str, Any] | str | bytes) -> Self:
        """Read an envelope from JSON text, bytes or an object.

        Raises:
            InputError: not an envelope; the field is named.
        """
        if isinstance(data, str | bytes):
            data = load_json(data, max_bytes=MAX_ENVELOPE_BYTES)
        outer = Fields(data)
        payload_type = outer.text("payloadType")
        payload = from_base64(outer.raw("payload"), "payload")
        signatures = []
        for one in outer.objects("signatures", limit=MAX_SIGNATURES):
            keyid = from_hex(one.raw("keyid"), 32, one.at("keyid")).hex()
            signatures.append(
                Signature(keyid, from_base64(one.raw("sig"), one.at("sig")))
            )
            one.close()
        outer.close()
        if len(payload) > MAX_ENVELOPE_BYTES:
            raise InputError("is too large", "payload")
        return cls(payload_type, payload, tuple(signatures))


def statement(
    subject: Sequence[Mapping[str, Any]],
    predicate_type: str,
    predicate: Mapping[str, Any],
) -> Json:
    """An in-toto Statement v1.

    Args:
        subject: ``{"name": …, "digest": {"sha256": hex}}`` objects, at least one.
        predicate_type: one of the ``*_TYPE`` constants.
        predicate: the kind's fields.
    """
    return {
        "_type": STATEMENT_TYPE,
        "subject": [dict(one) for one in subject],
        "predicateType": predicate_type,
        "predicate": dict(predicate),
    }


def subject_of(name: str, sha256_digest: bytes) -> Json:
    """One subject: a name and a SHA-256 digest."""
    return {"name": name, "digest": {"sha256": sha256_digest.hex()}}


def read_statement(payload: bytes) -> Json:
    """The statement of a payload; it must be canonical JSON.

    Raises:
        InputError: not JSON, not canonical, or no Statement v1.
    """
    value = load_json(payload, max_bytes=MAX_ENVELOPE_BYTES)
    if canonical(value) != payload:
        raise InputError("is not canonical JSON (RFC 8785)", "payload")
    check_statement(value)
    return dict(value)


def check_statement(value: Any) -> Fields:
    """The checked outer fields of a statement.

    Raises:
        InputError: no Statement v1 with named sha256 subjects.
    """
    outer = Fields(value)
    outer.choice("_type", (STATEMENT_TYPE,))
    outer.text("predicateType")
    outer.object("predicate")
    subjects = list(outer.objects("subject", limit=MAX_SUBJECTS))
    if not subjects:
        raise InputError("is empty, expected at least one", "subject")
    for one in subjects:
        one.text("name")
        one.sha256("digest")
        one.close()
    outer.close()
    return outer


def open_predicate(value: Any, predicate_type: str) -> Fields:
    """The predicate of a checked statement of that type.

    Raises:
        InputError: no statement, or of another predicate type.
    """
    outer = check_statement(value)
    outer.choice("predicateType", (predicate_type,))
    return outer.object("predicate")


def subject_digests(value: Mapping[str, Any]) -> list[bytes]:
    """SHA-256 digests of a statement's subjects, in order.

    Raises:
        InputError: no statement with sha256 subjects.
    """
    outer = check_statement(value)
    return [one.sha256("digest") for one in outer.objects("subject")]


def pae(payload_type: str, payload: bytes) -> bytes:
    """DSSE pre-authentication encoding: the bytes that are signed."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def sign(value: Mapping[str, Any], *signers: keys.Signer) -> Envelope:
    """Sign a statement with one or more keys.

    Raises:
        InputError: no signer, or no Statement v1.
    """
    if not signers:
        raise InputError("is empty, expected at least one key", "signers")
    payload = canonical(value)
    read_statement(payload)
    message = pae(PAYLOAD_TYPE, payload)
    signatures = tuple(Signature(one.key_id, one.sign(message)) for one in signers)
    return Envelope(PAYLOAD_TYPE, payload, signatures)


def verify(envelope: Envelope, public_spki: bytes) -> Json:
    """The statement of an envelope signed by that key.

    Raises:
        SignatureError: that key did not sign it, or the signature is wrong.
        InputError: the payload is no canonical Statement v1.
    """
    wanted = keys.key_id_of(public_spki)
    if envelope.payload_type != PAYLOAD_TYPE:
        raise InputError(f"is not {PAYLOAD_TYPE}", "payloadType")
    message = pae(envelope.payload_type, envelope.payload)
    mine = [one for one in envelope.signatures if one.keyid == wanted]
    if not mine:
        raise SignatureError(f"not signed by key {wanted[:16]}…")
    for one in mine:
        keys.verify(public_spki, message, one.sig)
    return read_statement(envelope.payload)
