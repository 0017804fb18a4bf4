"""Listings follow the newest verdict, and the counts follow the listings."""

from __future__ import annotations

import pytest

from accounts.models import User
from marketplace.browse import counts
from marketplace.models import Facet, Listing
from marketplace.refresh import refresh_listing
from tests import factories
from tests.cast import party_of

pytestmark = pytest.mark.django_db


def test_a_listing_shows_the_newest_verdict(ada: User) -> None:
    asset = factories.published_asset(party_of(ada))
    factories.judged(asset, evidence=3, origin_class="HYBRID")
    refresh_listing(asset=asset)
    row = Listing.objects.get()
    assert (row.evidence_level, row.origin_class) == (3, "HYBRID")
    assert row.badge_word == "Certified provenance"


def test_a_suspended_work_is_withdrawn(ada: User) -> None:
    asset = factories.published_asset(party_of(ada))
    factories.judged(asset, standing="suspended")
    refresh_listing(asset=asset)
    assert Listing.objects.get().state == "withdrawn"
    assert counts()["use", "editorial"] == 0


def test_counts_are_of_live_listings(ada: User) -> None:
    first = factories.published_asset(party_of(ada), origin_class="AI")
    factories.published_asset(party_of(ada), title="B", offers=[factories.EDITORIAL])
    found = counts()
    assert found["use", "editorial"] == 2
    assert found["use", "commercial"] == 1
    assert found["origin_class", "AI"] == 1
    Listing.objects.filter(asset=first).update(state="withdrawn")
    refresh_listing(asset=first)
    found = counts()
    assert (found["use", "editorial"], found["origin_class", "AI"]) == (1, 0)


def test_refreshing_twice_writes_the_same(ada: User) -> None:
    asset = factories.published_asset(party_of(ada))
    before = list(Facet.objects.order_by("pk").values())
    refresh_listing(asset=asset)
    assert list(Facet.objects.order_by("pk").values()) == before


def test_a_work_without_a_listing_is_passed_over(ada: User) -> None:
    refresh_listing(asset=factories.sealed_asset(party_of(ada)))
    assert not Facet.objects.exists()
