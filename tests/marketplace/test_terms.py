"""Terms: every offer has a price that means something, and one digest over it all."""

from __future__ import annotations

from typing import Any

import pytest

from colophon.digest import canonical, sha256
from colophon.errors import InputError
from marketplace.errors import OfferError
from marketplace.terms import OfferPlan, digest_of, parse_offers, terms_of
from provenance.license_terms import DIGEST, STANDARD

EDITORIAL = {"use": "editorial", "price": "12.00"}
METERED = {"use": "pay-per-use", "deposit": "10.00", "rate": "0.60"}


def test_offers_are_read_in_units() -> None:
    fixed, metered = parse_offers([EDITORIAL, METERED | {"rate_per": 500}])
    assert fixed == OfferPlan("editorial", 12_000_000, 0, 0, 1000, 365)
    assert metered == OfferPlan("pay-per-use", 0, 10_000_000, 600_000, 500, 365)


@pytest.mark.parametrize(
    ("offers", "field"),
    [
        ([], "offers"),
        ([EDITORIAL] * 2, "offers"),
        ([{"use": f"u{n}"} for n in range(7)], "offers"),
        ([{"use": "resale", "price": "1.00"}], "offers/0/use"),
        ([{"use": "editorial"}], "offers/0/price"),
        ([{"use": "editorial", "price": "0"}], "offers/0/price"),
        ([{"use": "editorial", "price": "-1"}], "offers/0/price"),
        ([{"use": "editorial", "price": "0.0000001"}], "offers/0/price"),
        ([{"use": "editorial", "price": 12}], "offers/0/price"),
        ([{"use": "editorial", "price": 12.5}], "offers/0/price"),
        ([EDITORIAL | {"rate": "1.00"}], "offers/0/rate"),
        ([EDITORIAL | {"deposit": "1.00"}], "offers/0/rate"),
        ([EDITORIAL | {"term_days": 0}], "offers/0/term_days"),
        ([EDITORIAL | {"term_days": 36_501}], "offers/0/term_days"),
        ([EDITORIAL | {"rate_per": 0}], "offers/0/rate_per"),
        ([EDITORIAL | {"color": "red"}], "offers/0/color"),
        ([EDITORIAL, {"use": "pay-per-use", "rate": "1.00"}], "offers/1/rate"),
        ([{"use": "pay-per-use", "deposit": "1.00"}], "offers/0/rate"),
        (["editorial"], "offers/0"),
        ([{"use": "editorial", "price": "1000000000.01"}], "offers/0/price"),
        ([{"use": "editorial", "price": "9" * 29}], "offers/0/price"),
        ([METERED | {"rate": "9223372036855"}], "offers/0/rate"),
        ([METERED | {"deposit": "9223372036855"}], "offers/0/deposit"),
        ([METERED | {"price": "0.01", "deposit": "1000000000"}], "offers/0/deposit"),
        ([{"use": "editorial\0", "price": "12.00"}], "offers/0/use"),
        ([{"use": "editorial", "price": "12\0"}], "offers/0/price"),
    ],
)
def test_a_wrong_offer_names_its_field(offers: list[Any], field: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_offers(offers)
    assert caught.value.field == field


def test_the_limit_is_told_and_can_be_reached() -> None:
    with pytest.raises(OfferError, match="more than 1,000,000,000"):
        parse_offers([{"use": "editorial", "price": "1000000001"}])
    (plan,) = parse_offers([METERED | {"price": "1", "deposit": "999999999"}])
    assert plan.price_units + plan.deposit_units == 10**15


def test_a_count_error_is_an_offer_error() -> None:
    with pytest.raises(OfferError, match="expected 1 to 6"):
        parse_offers([])


@pytest.mark.parametrize("use", list(STANDARD["uses"]))
def test_terms_carry_the_standard_and_the_price(use: str) -> None:
    plan = OfferPlan(use, 1, 2, 3, 4, 5)
    terms = terms_of(plan, asset="ast_x", fee_ppm=50_000)
    assert terms["standard"] == {"id": STANDARD["id"], "sha256": DIGEST.hex()}
    assert terms["rights"] == STANDARD["uses"][use]["rights"]
    amounts = ("price_units", "deposit_units", "rate_units", "rate_per", "term_days")
    assert [terms[one] for one in amounts] == [1, 2, 3, 4, 5]
    assert (terms["asset"], terms["fee_ppm"]) == ("ast_x", 50_000)


def test_the_digest_covers_every_term() -> None:
    terms = terms_of(OfferPlan("editorial", 1, 0, 0, 1, 1), asset="a", fee_ppm=5)
    assert digest_of(terms) == sha256(canonical(terms))
    for name in terms:
        assert digest_of({**terms, name: "changed"}) != digest_of(terms)
    assert digest_of(dict(reversed(terms.items()))) == digest_of(terms)
