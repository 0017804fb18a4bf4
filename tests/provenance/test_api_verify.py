"""Verify by API key: a key sees what its party sees, whoever made it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts import api_keys
from accounts.models import User
from provenance.models import Asset
from tests.cast import party_of
from tests.drawings import photograph
from tests.real_works import real_asset

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh_throttle() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def draft(ada: User) -> Asset:
    """Ada's sealed work, which she has not published."""
    made = real_asset(party_of(ada), photograph())
    Asset.objects.update(published_at=None)
    return Asset.objects.get(pk=made.pk)


def key_of(user: User) -> dict[str, str]:
    secret = api_keys.issue(party_of(user), user, "key", list(api_keys.SCOPES))[1]
    return {"Authorization": f"Bearer {secret}"}


def outcomes(client: Client, draft: Asset, headers: dict[str, str]) -> list[object]:
    """What the four ways of asking say about a draft."""
    digest = bytes(draft.seal.file_digest).hex()
    with default_storage.open(draft.renditions.get(kind="sealed").path) as stored:
        file = SimpleUploadedFile("file.jpg", stored.read())
    sent = client.post("/api/v1/verify", {"file": file}, headers=headers)
    found = client.get("/api/v1/lookup", {"sha256": digest}, headers=headers)
    bundle = client.get("/api/v1/evidence", {"sha256": digest}, headers=headers)
    row = client.get(f"/api/v1/assets/{draft.code}", headers=headers)
    said = sent.json()["recorded"]["outcome"]
    return [said, found.status_code, bundle.status_code, row.status_code]


HIDDEN = ["could_not_check", 404, 404, 404]  # its credential is ours, and no more


def test_a_key_of_a_staff_user_sees_no_more_than_its_party(
    client: Client, draft: Asset, ada: User, eve: User
) -> None:
    User.objects.filter(pk=eve.pk).update(is_staff=True)
    eve.refresh_from_db()
    assert outcomes(client, draft, key_of(ada)) == ["genuine", 200, 200, 200]
    assert outcomes(client, draft, key_of(eve)) == HIDDEN
    client.force_login(eve)  # in a browser staff may look at what it has to judge
    assert outcomes(client, draft, {}) == ["genuine", 200, 200, 200]


def test_a_stranger_and_a_strangers_key_see_no_draft(
    client: Client, draft: Asset, eve: User
) -> None:
    assert outcomes(client, draft, key_of(eve)) == HIDDEN
    assert outcomes(client, draft, {}) == HIDDEN
