"""A license may cover uses before it is issued, when its offer says so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from colophon.fields import format_time
from marketplace.errors import OfferError
from marketplace.models import License
from marketplace.publish import publish_listing
from marketplace.terms import parse_offers, terms_of, valid_from
from royalties.models import UsageEvent
from tests import factories as works
from tests.cast import party_of
from tests.royalties import factories

PAST = datetime(2026, 3, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 1, tzinfo=UTC)
METERED = {"use": "pay-per-use", "deposit": "10.00", "rate": "0.60"}


def offer(**fields: Any) -> Any:
    [plan] = parse_offers([METERED | fields])
    return plan


def test_the_terms_name_the_day_that_an_offer_covers_from() -> None:
    plan = offer(covers_from="2026-03-01T00:00:00Z")
    terms = terms_of(plan, asset="ast_x", fee_ppm=0)
    assert terms["covers_from"] == "2026-03-01T00:00:00Z"
    assert valid_from(terms, NOW) == PAST


def test_an_offer_without_it_covers_from_the_day_of_issue() -> None:
    terms = terms_of(offer(), asset="ast_x", fee_ppm=0)
    assert "covers_from" not in terms
    assert valid_from(terms, NOW) == NOW


def test_an_offer_cannot_begin_after_it_is_published() -> None:
    later = format_time(timezone.now() + timedelta(hours=1))
    with pytest.raises(OfferError, match="in the future") as caught:
        offer(covers_from=later)
    assert caught.value.field.endswith("covers_from")


def test_an_earlier_use_counts_only_where_the_license_covers_it(
    ada: User, mia: User, ben: User
) -> None:
    asset = factories.model_asset(party_of(ada), party_of(mia))
    row = factories.license_of(asset, party_of(ben))
    early = timezone.now() - timedelta(days=90)

    factories.used(row, 10, at=early)
    License.objects.filter(pk=row.pk).update(valid_from=early)
    factories.used(row, 10, at=early)

    first, second = UsageEvent.objects.filter(license=row).order_by("pk")
    assert (first.state, first.reason) == ("quarantined", "before_the_license")
    assert (second.state, second.reason) == ("counted", "")


def test_a_license_keeps_the_day_that_its_order_was_signed_with(
    ada: User, ben: User
) -> None:
    asset = works.sealed_asset(party_of(ada))
    works.agreed(asset)
    publish_listing(asset=asset, plans=[offer(covers_from="2026-03-01T00:00:00Z")])
    row = works.licensed(asset, party_of(ben), "pay-per-use")
    assert row.valid_from == PAST < row.issued_at
    assert row.terms["covers_from"] == "2026-03-01T00:00:00Z"
