"""What a wallet shows of a certificate is public, and never the original."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import User
from tests import factories
from tests.cast import party_of

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_published_work_has_metadata_with_a_preview(
    client: Client, ada: User
) -> None:
    asset = factories.published_asset(party_of(ada))

    body = client.get(f"/certificates/{asset.code}").json()

    assert body["name"] == asset.title
    assert body["image"].endswith(f"/media/preview/{asset.code}.jpg")
    assert {"trait_type": "Badge", "value": asset.verdicts.get().word} in (
        body["attributes"]
    )


def test_a_draft_has_no_metadata(client: Client, ada: User) -> None:
    asset = factories.sealed_asset(party_of(ada))

    answer = client.get(f"/certificates/{asset.code}")

    assert answer.status_code == 404
    assert answer.json()["code"] == "not-found"


def test_the_collection_says_that_royalties_are_a_signal(client: Client) -> None:
    assert "signal" in client.get("/certificates/contract").json()["description"]
