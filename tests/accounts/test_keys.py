"""Signing keys: possession is proven, custody is sealed, revocation is public."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts import custody, keys
from accounts.errors import KeyConflictError, KeyStateError
from accounts.models import SigningKey, User
from accounts.platform import platform_party, platform_signer
from colophon import enrollment, statement
from colophon.errors import InputError, SignatureError
from colophon.keys import Ed25519Key, verify
from colophon.statement import Envelope
from log.models import Entry
from tests.cast import party_of

pytestmark = pytest.mark.django_db


def enrollment_of(
    key: Ed25519Key, user: User, *, signer: Ed25519Key | None = None, **changes: Any
) -> Envelope:
    """The envelope that a recorder of this user would send."""
    fields = {
        "purpose": "actor",
        "custody": "client",
        "enrolled_on": timezone.now(),
        "account": keys.account_key(party_of(user)).key_id,
    }
    made = enrollment.build_enrollment(key.public_spki, **{**fields, **changes})
    return statement.sign(made, signer or key)


def test_a_client_key_is_enrolled_and_countersigned(ada: User) -> None:
    key, party = Ed25519Key.generate(), party_of(ada)
    row = keys.enroll(party, enrollment_of(key, ada), label="studio")
    assert (row.key_id, row.custody, row.label) == (key.key_id, "client", "studio")
    assert row.sealed_private is None
    assert row.enrollment is not None
    logged = Envelope.from_json(row.enrollment.envelope)
    account = keys.signer_for(party)
    assert enrollment.check_taken_in(logged, account.public_spki).purpose == "actor"


def test_an_enrollment_signed_by_another_key_is_refused(ada: User) -> None:
    key, other = Ed25519Key.generate(), Ed25519Key.generate()
    envelope = enrollment_of(key, ada, signer=other)
    with pytest.raises(SignatureError):
        keys.enroll(party_of(ada), envelope)
    assert not SigningKey.objects.filter(key_id=key.key_id).exists()


def test_a_changed_signature_is_refused(ada: User) -> None:
    key = Ed25519Key.generate()
    good = enrollment_of(key, ada)
    bad = statement.Signature(key.key_id, bytes(64))
    with pytest.raises(SignatureError):
        keys.enroll(party_of(ada), Envelope(good.payload_type, good.payload, (bad,)))


def test_eve_cannot_present_an_enrollment_meant_for_ada(ada: User, eve: User) -> None:
    envelope = enrollment_of(Ed25519Key.generate(), ada)
    with pytest.raises(InputError, match="predicate/account"):
        keys.enroll(party_of(eve), envelope)


def test_a_key_is_enrolled_once(ada: User, eve: User) -> None:
    key = Ed25519Key.generate()
    keys.enroll(party_of(ada), enrollment_of(key, ada))
    entries = Entry.objects.count()
    for user in (ada, eve):
        with pytest.raises(KeyConflictError):
            keys.enroll(party_of(user), enrollment_of(key, user))
    assert Entry.objects.count() == entries


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"custody": "server"}, "predicate/custody"),
        ({"purpose": "verdict"}, "predicate/purpose"),
        ({"account": ""}, "predicate/account"),
    ],
)
def test_what_a_client_may_not_enroll(
    ada: User, changes: dict[str, str], field: str
) -> None:
    envelope = enrollment_of(Ed25519Key.generate(), ada, **changes)
    with pytest.raises(InputError, match=field):
        keys.enroll(party_of(ada), envelope)


def test_a_runtime_key_names_its_models(mia: User) -> None:
    key, model = Ed25519Key.generate(), b"\x07" * 32
    envelope = enrollment_of(key, mia, purpose="runtime", models=[model])
    row = keys.enroll(party_of(mia), envelope)
    assert row.enrollment is not None
    logged = Envelope.from_json(row.enrollment.envelope)
    assert enrollment.open_enrollment(logged).models == (model,)


def test_signer_for_signs_with_the_enrolled_kept_key(ada: User) -> None:
    signer = keys.signer_for(party_of(ada))
    row = keys.account_key(party_of(ada))
    verify(bytes(row.spki), b"words", signer.sign(b"words"))
    assert keys.signer_for(party_of(ada)).key_id == signer.key_id


def test_the_platform_party_signs_with_the_platform_key() -> None:
    assert keys.signer_for(platform_party()).key_id == platform_signer().key_id


def test_a_kept_key_is_not_readable_in_the_database(ada: User) -> None:
    signer = keys.signer_for(party_of(ada))
    assert isinstance(signer, Ed25519Key)
    sealed = bytes(keys.account_key(party_of(ada)).sealed_private or b"")
    assert b"PRIVATE" not in sealed
    assert signer.to_pem() not in sealed


def test_another_custody_secret_does_not_open_a_kept_key(
    ada: User, settings: Any
) -> None:
    settings.CUSTODY_KEY = "another secret of more than 32 characters"
    with pytest.raises(custody.CustodyError, match="COLOPHON_CUSTODY_KEY"):
        keys.signer_for(party_of(ada))


def test_a_sealed_key_opens_for_its_own_id_only() -> None:
    key, other = Ed25519Key.generate(), Ed25519Key.generate()
    sealed = custody.seal(key)
    assert custody.unseal(sealed, key.key_id).to_pem() == key.to_pem()
    with pytest.raises(custody.CustodyError):
        custody.unseal(sealed, other.key_id)


@pytest.mark.parametrize("position", [0, 5, 40])
def test_a_changed_byte_of_a_sealed_key_is_noticed(position: int) -> None:
    key = Ed25519Key.generate()
    sealed = bytearray(custody.seal(key))
    sealed[position] ^= 1
    with pytest.raises(custody.CustodyError):
        custody.unseal(bytes(sealed), key.key_id)


def test_revoking_is_public_and_signed_by_account_and_platform(ada: User) -> None:
    party = party_of(ada)
    row = keys.enroll(party, enrollment_of(Ed25519Key.generate(), ada))
    done = keys.revoke(row, effective_at=timezone.now(), reason="compromised")
    assert done.revocation is not None
    logged = Envelope.from_json(done.revocation.envelope)
    said = statement.verify(logged, keys.signer_for(party).public_spki)
    assert statement.verify(logged, platform_signer().public_spki) == said
    found = enrollment.parse_revocation(said)
    assert (found.key_id, found.reason) == (row.key_id, "compromised")
    assert done.revocation.kind == "revocation"


def test_a_revoked_account_key_is_replaced(ada: User) -> None:
    party = party_of(ada)
    old = keys.account_key(party)
    done = keys.revoke(old, effective_at=timezone.now(), reason="compromised")
    assert done.revocation is not None
    logged = Envelope.from_json(done.revocation.envelope)
    statement.verify(logged, platform_signer().public_spki)
    assert keys.signer_for(party).key_id != old.key_id


def test_a_key_is_revoked_once(ada: User) -> None:
    row = keys.enroll(party_of(ada), enrollment_of(Ed25519Key.generate(), ada))
    stale = SigningKey.objects.get(pk=row.pk)
    keys.revoke(row, effective_at=timezone.now(), reason="retired")
    entries = Entry.objects.count()
    with pytest.raises(KeyStateError, match="already"):
        keys.revoke(stale, effective_at=timezone.now(), reason="retired")
    assert Entry.objects.count() == entries


@pytest.mark.parametrize("hours", [-1, 1])
def test_revocation_stays_within_the_life_of_the_key(ada: User, hours: int) -> None:
    row = keys.enroll(party_of(ada), enrollment_of(Ed25519Key.generate(), ada))
    moment = timezone.now() + timedelta(hours=hours)
    with pytest.raises(KeyStateError):
        keys.revoke(row, effective_at=moment, reason="retired")
    row.refresh_from_db()
    assert row.revoked_at is None


def test_an_unknown_reason_is_refused_before_anything_is_written(ada: User) -> None:
    row = keys.enroll(party_of(ada), enrollment_of(Ed25519Key.generate(), ada))
    with pytest.raises(InputError, match="reason"):
        keys.revoke(row, effective_at=timezone.now(), reason="bored")
    row.refresh_from_db()
    assert row.revoked_at is None


def test_key_at_knows_when_a_key_counted(ada: User) -> None:
    row = keys.enroll(party_of(ada), enrollment_of(Ed25519Key.generate(), ada))
    before, during = row.enrolled_at - timedelta(seconds=1), timezone.now()
    keys.revoke(row, effective_at=timezone.now(), reason="retired")
    assert keys.key_at(row.key_id, before) is None
    assert keys.key_at(row.key_id, during) == row
    assert keys.key_at(row.key_id, timezone.now()) is None
    assert keys.key_at("0" * 64, during) is None
