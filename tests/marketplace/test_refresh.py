"""Listings follow the newest verdict, and the counts follow the listings."""

from __future__ import annotations

import pytest

from accounts.models import User
from marketplace import refresh
from marketplace.browse import counts
from marketplace.models import Facet, Listing
from marketplace.refresh import refresh_listing
from marketplace.withdraw import withdraw_listing
from provenance.models import Verdict
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


def test_a_suspended_work_is_off_sale_until_a_verdict_restores_it(ada: User) -> None:
    asset = factories.published_asset(party_of(ada))
    factories.judged(asset, standing="suspended")
    refresh_listing(asset=asset)
    row = Listing.objects.get()
    assert (row.state, row.is_on_sale) == ("live", False)
    assert not Listing.objects.on_sale().exists()
    assert counts()["use", "editorial"] == 0
    since = row.suspended_at
    refresh_listing(asset=asset)
    assert Listing.objects.get().suspended_at == since
    factories.judged(asset)
    refresh_listing(asset=asset)
    assert Listing.objects.get().is_on_sale
    assert counts()["use", "editorial"] == 1


def test_a_restored_work_that_its_seller_withdrew_stays_off_sale(ada: User) -> None:
    asset = factories.published_asset(party_of(ada))
    factories.judged(asset, standing="suspended")
    refresh_listing(asset=asset)
    withdraw_listing(listing=Listing.objects.get())
    factories.judged(asset)
    refresh_listing(asset=asset)
    row = Listing.objects.get()
    assert (row.state, row.suspended_at) == ("withdrawn", None)
    assert not row.is_on_sale


def test_a_seller_who_withdraws_meanwhile_is_not_overruled(
    ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The seller's click lands between the look at the row and the write."""
    asset = factories.published_asset(party_of(ada))
    factories.judged(asset, evidence=3)
    copy = refresh._copy

    def withdrawn_first(listing: Listing, verdict: Verdict) -> None:
        Listing.objects.update(state="withdrawn", title="Another title")
        copy(listing, verdict)

    monkeypatch.setattr(refresh, "_copy", withdrawn_first)
    refresh_listing(asset=asset)
    row = Listing.objects.get()
    assert (row.state, row.title) == ("withdrawn", "Another title")
    assert row.evidence_level == 3


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
