"""Opening an account: a party, a holder and a key that the log knows."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Holder, Party, SigningKey, User
from accounts.platform import (
    platform_holder,
    platform_party,
    platform_signer,
    verdict_signer,
)
from accounts.register import open_account
from colophon import enrollment
from colophon.statement import Envelope
from log.models import Entry
from tests.cast import party_of

pytestmark = pytest.mark.django_db


def test_an_account_has_party_holder_and_kept_key(ada: User) -> None:
    party = party_of(ada)
    key = party.keys.get()
    assert (party.name, party.kind) == ("Ada", "person")
    assert party.holder.name == "Ada"
    assert (key.purpose, key.custody) == ("account", "server")


def test_the_enrollment_is_public_and_taken_in_by_the_platform(ada: User) -> None:
    key = party_of(ada).keys.get()
    assert key.enrollment is not None
    envelope = Envelope.from_json(key.enrollment.envelope)
    found = enrollment.check_taken_in(envelope, platform_signer().public_spki)
    assert (found.key_id, found.custody) == (key.key_id, "server")
    assert key.enrollment.kind == "enrollment"
    assert key.enrollment.salt is None


def test_an_organization_is_a_second_party_of_the_same_user(ada: User) -> None:
    company = open_account(ada, name="Tern", kind=Party.Kind.ORGANIZATION)
    assert set(Party.objects.of(ada)) == {party_of(ada), company}
    assert company.holder.code != party_of(ada).holder.code


def test_a_failed_opening_leaves_nothing(db: None, monkeypatch: Any) -> None:
    platform_party()
    entries = Entry.objects.count()
    user = User.objects.create_user("ada@colophon.test")

    def fail(_: Party) -> None:
        raise OSError("no randomness")

    monkeypatch.setattr("accounts.register.signer_for", fail)
    with pytest.raises(OSError, match="no randomness"):
        open_account(user)
    assert not user.memberships.exists()
    assert not Holder.objects.filter(party__is_platform=False).exists()
    assert Entry.objects.count() == entries


def test_the_platform_is_made_once_with_two_enrolled_keys() -> None:
    first = platform_party()
    assert platform_party() == first
    assert platform_holder().party == first
    assert set(first.keys.values_list("purpose", "key_id")) == {
        ("account", platform_signer().key_id),
        ("verdict", verdict_signer().key_id),
    }
    assert platform_signer().key_id != verdict_signer().key_id


def test_platform_keys_have_no_private_half_in_the_database() -> None:
    platform_party()
    assert not SigningKey.objects.filter(sealed_private__isnull=False).exists()


def test_signing_in_without_a_party_opens_one(client: Any) -> None:
    user = User.objects.create_superuser("root@colophon.test", "pw")
    client.force_login(user)
    client.force_login(user)
    assert Party.objects.of(user).count() == 1
