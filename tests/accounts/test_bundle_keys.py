"""What accounts writes is what an outside verifier accepts: enrollments chain up."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.utils import timezone

from accounts import keys
from accounts.models import SigningKey, User
from accounts.platform import platform_signer, verdict_signer
from colophon.evidence import Record
from colophon.keyring import Keyring
from colophon.keys import Ed25519Key
from colophon.statement import Envelope
from colophon.trust import Trust, TrustedKey
from log.models import Entry
from tests.accounts.test_keys import enrollment_of
from tests.cast import party_of

pytestmark = pytest.mark.django_db


def keyring(as_of: datetime | None = None) -> Keyring:
    """The verifier's view of every public entry, trusting the platform key alone."""
    platform = TrustedKey.of(platform_signer().public_spki)
    trust = Trust("colophon.example/log", (), (platform,), ())
    records = [
        Record(row.kind, Envelope.from_json(row.envelope))
        for row in Entry.objects.order_by("pk")
    ]
    order = {id(record): index for index, record in enumerate(records)}
    return Keyring(
        records, trust, lambda record: order[id(record)], as_of or timezone.now()
    )


def enrolled(user: User) -> SigningKey:
    envelope = enrollment_of(Ed25519Key.generate(), user)
    return keys.enroll(party_of(user), envelope)


def test_a_client_key_leads_to_its_account_and_the_platform(ada: User) -> None:
    row = enrolled(ada)
    found = keyring().get(row.key_id)
    assert found is not None
    assert found.account == keys.account_key(party_of(ada)).key_id
    assert found.enrollment.custody == "client"


def test_the_platforms_own_keys_are_known(ada: User) -> None:
    ring = keyring()
    for signer in (platform_signer(), verdict_signer()):
        found = ring.get(signer.key_id)
        assert found is not None
        assert found.account == platform_signer().key_id


def test_a_revocation_counts_from_its_moment(ada: User) -> None:
    row, before = enrolled(ada), timezone.now()
    keys.revoke(row, effective_at=timezone.now(), reason="compromised")
    assert not keyring().revoked_by(row.key_id, before)
    assert keyring().revoked_by(row.key_id, timezone.now())


def test_a_key_is_revocable_after_its_account_key_was_replaced(ada: User) -> None:
    row, party = enrolled(ada), party_of(ada)
    old = keys.account_key(party)
    keys.revoke(old, effective_at=timezone.now(), reason="compromised")
    keys.signer_for(party)
    keys.revoke(row, effective_at=timezone.now(), reason="superseded")
    ring = keyring()
    assert ring.revoked_by(old.key_id, timezone.now())
    assert ring.revoked_by(row.key_id, timezone.now())
