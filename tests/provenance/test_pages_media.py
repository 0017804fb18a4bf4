"""Media: previews for those who may see the work, originals for nobody."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import User
from provenance.models import Rendition
from tests.cast import PASSWORD, party_of
from tests.factories import an_id, draft_asset, examined_asset, published_asset

pytestmark = pytest.mark.django_db


def test_a_stranger_gets_the_preview_of_a_published_work(
    client: Client, ada: User
) -> None:
    asset = published_asset(party_of(ada))
    answer = client.get(f"/media/preview/{asset.code}.jpg")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "image/jpeg"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer["Cross-Origin-Resource-Policy"] == "same-site"
    assert "immutable" in answer["Cache-Control"]
    data = b"".join(answer.streaming_content)
    stored = asset.renditions.get(kind=Rendition.Kind.PREVIEW)
    assert len(data) == stored.size_bytes


@pytest.mark.parametrize("kind", ["uploaded", "sealed", "delivery", "../sealed"])
def test_nobody_gets_an_original_even_the_maker(
    client: Client, ada: User, kind: str
) -> None:
    asset = published_asset(party_of(ada))
    assert client.get(f"/media/{kind}/{asset.code}.jpg").status_code == 404
    client.login(email=ada.email, password=PASSWORD)
    assert client.get(f"/media/{kind}/{asset.code}.jpg").status_code == 404


def test_a_draft_is_shown_to_its_maker_alone_and_kept_by_no_cache(
    client: Client, ada: User, eve: User
) -> None:
    asset = examined_asset(party_of(ada))
    path = f"/media/thumbnail/{asset.code}.jpg"
    assert client.get(path).status_code == 404
    client.login(email=eve.email, password=PASSWORD)
    assert client.get(path).status_code == 404
    client.login(email=ada.email, password=PASSWORD)
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "private, no-store"
    answer.close()


def test_a_work_without_a_preview_and_an_unknown_work_are_not_found(
    client: Client, ada: User
) -> None:
    asset = draft_asset(party_of(ada))
    client.login(email=ada.email, password=PASSWORD)
    assert client.get(f"/media/preview/{asset.code}.jpg").status_code == 404
    assert client.get(f"/media/preview/{an_id('ast')}.jpg").status_code == 404
    assert client.post(f"/media/preview/{asset.code}.jpg").status_code == 405
