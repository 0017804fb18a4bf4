"""Publishing: sealed, agreed and not suspended; past orders keep their offers."""

from __future__ import annotations

import pytest

from accounts.models import User
from marketplace.errors import NotForSaleError
from marketplace.models import Listing, Offer
from marketplace.publish import publish_listing
from marketplace.terms import digest_of
from outbox.models import Job
from provenance.models import Asset
from tests import factories
from tests.cast import party_of

pytestmark = pytest.mark.django_db
PLANS = list(factories.OFFERS)


def agreed(user: User, **fields: object) -> Asset:
    asset = factories.sealed_asset(party_of(user), **fields)
    factories.agreed(asset)
    return asset


def test_a_work_goes_on_sale_with_its_offers(ada: User) -> None:
    asset = agreed(ada, description="Long soft lines")
    listing = publish_listing(asset=asset, plans=PLANS)
    asset.refresh_from_db()
    assert asset.stage == "published"
    assert (listing.state, listing.party) == ("live", party_of(ada))
    assert listing.search_text == "night current long soft lines ada lindqvist ada"
    assert listing.from_units == 2_000_000
    offers = list(listing.offers.all())
    assert [one.use for one in offers] == ["editorial", "commercial", "pay-per-use"]
    for one in offers:
        assert bytes(one.terms_digest) == digest_of(one.terms)
        assert one.terms["asset"] == asset.code
        assert one.terms["fee_ppm"] == 50_000
    kinds = set(Job.objects.values_list("kind", flat=True))
    assert {"asset.judge", "asset.mint", "listing.refresh"} <= kinds


def test_training_is_allowed_only_where_the_work_says_so(
    ada: User,
) -> None:
    no = publish_listing(asset=agreed(ada), plans=PLANS)
    allowed = {"ai_generative_training": "allowed"}
    yes = publish_listing(
        asset=agreed(ada, title="Other", training=allowed), plans=PLANS
    )
    assert (no.training_allowed, yes.training_allowed) == (False, True)


def test_new_offers_withdraw_the_old_and_orders_keep_theirs(
    ada: User, ben: User
) -> None:
    asset = factories.published_asset(party_of(ada))
    old = factories.offer_of(asset)
    order = factories.open_order(asset, party_of(ben))
    first = asset.published_at
    listing = publish_listing(asset=asset, plans=[factories.EDITORIAL])
    assert Listing.objects.get() == listing
    old.refresh_from_db()
    assert old.withdrawn_at is not None
    assert Offer.objects.get(withdrawn_at=None).use == "editorial"
    order.refresh_from_db()
    assert (order.offer, order.terms) == (old, old.terms)
    asset.refresh_from_db()
    assert asset.published_at == first


@pytest.mark.parametrize("stage", ["draft", "examined"])
def test_an_unsealed_work_is_not_for_sale(ada: User, stage: str) -> None:
    make = getattr(factories, f"{stage}_asset")
    with pytest.raises(NotForSaleError, match="once it is sealed"):
        publish_listing(asset=make(party_of(ada)), plans=PLANS)
    assert not Listing.objects.exists()


def test_without_an_agreement_nothing_is_sold(ada: User) -> None:
    asset = factories.sealed_asset(party_of(ada))
    with pytest.raises(NotForSaleError, match="who is paid"):
        publish_listing(asset=asset, plans=PLANS)
    asset.refresh_from_db()
    assert (asset.published_at, Listing.objects.count()) == (None, 0)


def test_a_suspended_work_is_not_for_sale(ada: User) -> None:
    asset = agreed(ada)
    factories.judged(asset, standing="suspended")
    with pytest.raises(NotForSaleError, match="suspended"):
        publish_listing(asset=asset, plans=PLANS)


def test_a_withdrawn_work_is_back_on_sale_when_published_again(ada: User) -> None:
    asset = factories.published_asset(party_of(ada))
    Listing.objects.update(state=Listing.State.WITHDRAWN)
    assert publish_listing(asset=asset, plans=PLANS).state == "live"
