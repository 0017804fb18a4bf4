"""The admin shows people and keys; it neither leaks secrets nor edits records."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import include, path, reverse

from accounts import api_keys, keys
from accounts.models import ApiKey, Holder, Party, SigningKey, User, Wallet
from tests.cast import open_user, party_of

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.accounts.test_admin")]

urlpatterns = [
    path("admin/", admin.site.urls),
    path("accounts/", include("allauth.urls")),
    path("", include("accounts.urls")),
]
MODELS = [User, Party, Holder, Wallet, SigningKey, ApiKey]


@pytest.fixture
def root(client: Client) -> Client:
    """A browser of a superuser."""
    user = open_user("Root", is_staff=True)
    User.objects.filter(pk=user.pk).update(is_superuser=True)
    client.force_login(user)
    return client


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_rows_are_listed_and_never_added_or_deleted(
    root: Client, ada: User, model: type
) -> None:
    name = f"admin:accounts_{model.__name__.lower()}"
    assert root.get(reverse(f"{name}_changelist")).status_code == 200
    assert root.get(reverse(f"{name}_add")).status_code == 403
    row = model.objects.first()  # type: ignore[attr-defined]
    if row is not None:
        delete = reverse(f"{name}_delete", args=[row.pk])
        assert root.post(delete, {"post": "yes"}).status_code == 403


def test_private_halves_and_digests_are_never_shown(root: Client, ada: User) -> None:
    key = keys.account_key(party_of(ada))
    row, secret = api_keys.issue(party_of(ada), ada, "farm", ["read"])
    for one, hidden in ((key, "sealed"), (row, row.digest)):
        name = f"admin:accounts_{type(one).__name__.lower()}_change"
        page = root.get(reverse(name, args=[one.pk])).content.decode()
        assert hidden not in page
        assert secret not in page


def test_keys_are_not_edited(root: Client, ada: User) -> None:
    key = keys.account_key(party_of(ada))
    url = reverse("admin:accounts_signingkey_change", args=[key.pk])
    assert root.post(url, {"custody": "client"}).status_code == 403
    key.refresh_from_db()
    assert key.custody == "server"


def test_a_user_can_be_closed(root: Client, ada: User) -> None:
    url = reverse("admin:accounts_user_change", args=[ada.pk])
    assert root.post(url, {}).status_code == 302
    ada.refresh_from_db()
    assert (ada.is_active, ada.email) == (False, "ada@colophon.test")
