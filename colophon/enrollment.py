"""Enrollment and revocation of signing keys: statements anyone can check.

An enrollment is signed by the very key it enrolls (proof of possession) and by the
account key that takes it in; an account's first key is taken in by the platform
key. The subject's digest is the key id, because a key id is the SHA-256 of the
public key. Both kinds are public log entries and name no person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from colophon import keys
from colophon.errors import InputError, SignatureError
from colophon.fields import Fields, format_time
from colophon.statement import (
    ENROLLMENT_TYPE,
    PAYLOAD_TYPE,
    REVOCATION_TYPE,
    Envelope,
    Json,
    Signature,
    open_predicate,
    pae,
    read_statement,
    statement,
    subject_digests,
    subject_of,
    verify,
)

PURPOSES = ("actor", "runtime", "account", "verdict")
CUSTODIES = ("client", "server")
REASONS = ("compromised", "superseded", "retired")
MAX_MODELS = 32
_SPKI_BYTES = 44  # Ed25519: 12 bytes of algorithm, 32 bytes of key


@dataclass(frozen=True)
class Enrollment:
    """What an enrollment says, after its shape was checked.

    Attributes:
        key_id: the enrolled key, hex SHA-256 of its SPKI.
        public_spki: the enrolled key, DER SubjectPublicKeyInfo.
        purpose: actor (a person or tool), runtime (runs a model), account, verdict.
        custody: client: the private half never was on the platform.
        account: key id of the account key that takes it in; empty for the account's
            first key, which the platform takes in.
        models: digests of the models that a runtime key speaks for.
        enrolled_on: the signer's clock, shown and never believed.
    """

    key_id: str
    public_spki: bytes
    purpose: str
    custody: str
    account: str
    models: tuple[bytes, ...]
    enrolled_on: datetime


@dataclass(frozen=True)
class Revocation:
    """From `effective_on` on, nothing signed by the key counts."""

    key_id: str
    effective_on: datetime
    reason: str


def build_enrollment(
    public_spki: bytes,
    *,
    purpose: str,
    custody: str,
    enrolled_on: datetime,
    account: str = "",
    models: Sequence[bytes] = (),
) -> Json:
    """The enrollment statement of a public key, to be signed by that key.

    Raises:
        InputError: a field that `parse_enrollment` would refuse.
    """
    predicate: Json = {
        "algorithm": keys.ED25519,
        "public_key": public_spki.hex(),
        "purpose": purpose,
        "custody": custody,
        "enrolled_on": format_time(enrolled_on),
    }
    if account:
        predicate["account"] = account
    if models:
        predicate["models"] = [{"digest": {"sha256": one.hex()}} for one in models]
    subject = subject_of("key", bytes.fromhex(keys.key_id_of(public_spki)))
    made = statement([subject], ENROLLMENT_TYPE, predicate)
    parse_enrollment(made)
    return made


def parse_enrollment(value: Json) -> Enrollment:
    """Check the shape of an enrollment statement.

    Raises:
        InputError: names the field that is wrong.
    """
    fields = open_predicate(value, ENROLLMENT_TYPE)
    fields.choice("algorithm", (keys.ED25519,))
    spki = fields.hexadecimal("public_key", _SPKI_BYTES)
    keys.raw_public(spki)
    purpose = fields.choice("purpose", PURPOSES)
    found = Enrollment(
        key_id=keys.key_id_of(spki),
        public_spki=spki,
        purpose=purpose,
        custody=fields.choice("custody", CUSTODIES),
        account=fields.hexadecimal("account").hex() if fields.has("account") else "",
        models=_models(fields, purpose),
        enrolled_on=fields.time("enrolled_on"),
    )
    fields.close()
    if [one.hex() for one in subject_digests(value)] != [found.key_id]:
        raise InputError("is not the SHA-256 of public_key", "subject/0/digest")
    return found


def open_enrollment(envelope: Envelope) -> Enrollment:
    """The enrollment of an envelope that the enrolled key itself signed.

    Raises:
        InputError: not an enrollment.
        SignatureError: that key did not sign it.
    """
    found = parse_enrollment(read_statement(envelope.payload))
    verify(envelope, found.public_spki)
    return found


def countersign(envelope: Envelope, signer: keys.Signer) -> Envelope:
    """The same envelope with one more signature: the account takes the key in."""
    message = pae(PAYLOAD_TYPE, envelope.payload)
    added = Signature(signer.key_id, signer.sign(message))
    return Envelope(PAYLOAD_TYPE, envelope.payload, (*envelope.signatures, added))


def check_taken_in(envelope: Envelope, by_spki: bytes) -> Enrollment:
    """The enrollment, when that account (or platform) key took it in.

    Raises:
        InputError: not an enrollment.
        SignatureError: either signature is missing or wrong, or the enrollment
            names another account.
    """
    found = open_enrollment(envelope)
    verify(envelope, by_spki)
    if found.account and found.account != keys.key_id_of(by_spki):
        raise SignatureError("the enrollment names another account key")
    return found


def build_revocation(key_id: str, *, effective_on: datetime, reason: str) -> Json:
    """The revocation statement of a key, to be signed by its account's key.

    Raises:
        InputError: a field that `parse_revocation` would refuse.
    """
    made = statement(
        [subject_of("key", bytes.fromhex(key_id))],
        REVOCATION_TYPE,
        {"effective_on": format_time(effective_on), "reason": reason},
    )
    parse_revocation(made)
    return made


def parse_revocation(value: Json) -> Revocation:
    """Check the shape of a revocation statement.

    Raises:
        InputError: names the field that is wrong.
    """
    fields = open_predicate(value, REVOCATION_TYPE)
    subjects = subject_digests(value)
    if len(subjects) != 1:
        raise InputError("names several keys, expected one", "subject")
    found = Revocation(
        key_id=subjects[0].hex(),
        effective_on=fields.time("effective_on"),
        reason=fields.choice("reason", REASONS),
    )
    fields.close()
    return found


def _models(fields: Fields, purpose: str) -> tuple[bytes, ...]:
    """Model digests: for a runtime key at least one, for others none."""
    found = []
    for one in fields.objects("models", limit=MAX_MODELS):
        found.append(one.sha256("digest"))
        one.close()
    if purpose == "runtime" and not found:
        raise InputError(
            "is missing; a runtime key names its models", fields.at("models")
        )
    if purpose != "runtime" and found:
        raise InputError("is for runtime keys only", fields.at("models"))
    return tuple(found)
