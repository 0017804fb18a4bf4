"""API keys: shown once, stored as a digest, refused once revoked."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import api_keys
from accounts.models import ApiKey, Party, User
from colophon.errors import InputError
from tests.cast import party_of

pytestmark = pytest.mark.django_db


def issue(user: User, *scopes: str) -> tuple[ApiKey, str]:
    return api_keys.issue(party_of(user), user, "studio", scopes or ("record",))


def test_a_secret_names_its_prefix_and_is_stored_nowhere(ada: User) -> None:
    row, secret = issue(ada, "read", "record", "read")
    assert secret.startswith(f"clp_{row.prefix}_")
    assert row.scopes == ["read", "record"]
    stored = str(ApiKey.objects.values().get())
    assert secret not in stored
    assert secret.rpartition("_")[2] not in stored


def test_a_live_secret_is_found_and_marked_used(ada: User) -> None:
    row, secret = issue(ada)
    found = api_keys.authenticate(secret)
    assert found == row
    row.refresh_from_db()
    assert row.last_used_at is not None


def test_last_use_is_written_once_a_minute(ada: User) -> None:
    row, secret = issue(ada)
    moment = timezone.now() - timedelta(seconds=30)
    ApiKey.objects.filter(pk=row.pk).update(last_used_at=moment)
    api_keys.authenticate(secret)
    row.refresh_from_db()
    assert row.last_used_at == moment


def test_a_revoked_key_is_refused_at_once(ada: User) -> None:
    row, secret = issue(ada)
    api_keys.revoke(row)
    revoked_at = row.revoked_at
    api_keys.revoke(row)
    assert row.revoked_at == revoked_at
    assert api_keys.authenticate(secret) is None


def test_an_expired_key_is_refused(ada: User) -> None:
    row, secret = issue(ada)
    ApiKey.objects.filter(pk=row.pk).update(expires_at=timezone.now())
    assert api_keys.authenticate(secret) is None


def test_the_key_of_a_closed_account_is_refused(ada: User) -> None:
    _, secret = issue(ada)
    User.objects.filter(pk=ada.pk).update(is_active=False)
    assert api_keys.authenticate(secret) is None


def test_the_key_of_a_former_member_is_refused(ada: User) -> None:
    _, secret = issue(ada)
    ada.memberships.all().delete()
    assert api_keys.authenticate(secret) is None


@pytest.mark.parametrize(
    "secret",
    ["", "clp_", "clp_0123456789ab_" + "0" * 64, "Bearer x", "clp_é_" + "0" * 64],
)
def test_what_is_no_key_is_refused(ada: User, secret: str) -> None:
    issue(ada)
    assert api_keys.authenticate(secret) is None


@pytest.mark.parametrize(
    ("label", "scopes", "field"),
    [
        ("", ["record"], "label"),
        ("x" * 81, ["record"], "label"),
        ("studio", [], "scopes"),
        ("studio", ["admin"], "scopes"),
    ],
)
def test_a_key_needs_a_label_and_known_scopes(
    ada: User, label: str, scopes: list[str], field: str
) -> None:
    with pytest.raises(InputError) as caught:
        api_keys.issue(party_of(ada), ada, label, scopes)
    assert caught.value.field == field
    assert not ApiKey.objects.exists()


def test_a_key_acts_for_one_party(ada: User) -> None:
    row, _ = issue(ada)
    assert row.party in Party.objects.of(ada)
