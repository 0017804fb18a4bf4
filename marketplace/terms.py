"""License terms: the three uses, their plain words, and one digest over all of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from colophon.digest import canonical, sha256
from colophon.fields import Fields, format_time, parse_time
from colophon.units import DECIMALS, parse_units
from marketplace.errors import OfferError
from marketplace.models import Offer
from provenance.license_terms import DIGEST, STANDARD

MAX_OFFERS = 6
MAX_TERM_DAYS = 36_500
# A billion dollars: far above any price, far below what a column or the ledger holds.
MAX_UNITS = 10**15


@dataclass(frozen=True)
class OfferPlan:
    """One offer as asked for; amounts in settlement-token units.

    `covers_from` lets a license cover uses before it is issued, at this offer's
    price: what a publisher needs who used a work first and clears it afterwards.
    """

    use: str
    price_units: int
    deposit_units: int
    rate_units: int
    rate_per: int
    term_days: int
    covers_from: datetime | None = None


def parse_offers(values: list[Any]) -> list[OfferPlan]:
    """The offers of a publish request.

    Raises:
        OfferError: names the offer and the field.
    """
    if not 1 <= len(values) <= MAX_OFFERS:
        raise OfferError(
            f"has {len(values)} offers, expected 1 to {MAX_OFFERS}", "offers"
        )
    plans = [_parse(Fields(one, f"offers/{at}")) for at, one in enumerate(values)]
    uses = [plan.use for plan in plans]
    if len(set(uses)) != len(uses):
        raise OfferError("names a use twice", "offers")
    return plans


def _parse(offer: Fields) -> OfferPlan:
    use = offer.choice("use", tuple(Offer.Use.values))
    plan = OfferPlan(
        use=use,
        price_units=_amount(offer, "price"),
        deposit_units=_amount(offer, "deposit"),
        rate_units=_amount(offer, "rate"),
        rate_per=offer.integer("rate_per", 1, 1_000_000)
        if offer.has("rate_per")
        else 1000,
        term_days=(
            offer.integer("term_days", 1, MAX_TERM_DAYS)
            if offer.has("term_days")
            else 365
        ),
        covers_from=_past(offer, "covers_from"),
    )
    offer.close()
    _check_sum(plan, offer)
    metered = use == Offer.Use.PAY_PER_USE
    if metered and (plan.rate_units == 0 or plan.deposit_units == 0):
        raise OfferError(
            "needs a rate and a deposit that uses are drawn from", offer.at("rate")
        )
    if not metered and (plan.rate_units or plan.deposit_units):
        raise OfferError("has a rate but is not pay-per-use", offer.at("rate"))
    if not metered and plan.price_units == 0:
        raise OfferError("must be more than 0", offer.at("price"))
    return plan


def _amount(offer: Fields, key: str) -> int:
    """Units of an optional decimal text; absent is 0."""
    if not offer.has(key):
        return 0
    units = parse_units(offer.raw(key), field=offer.at(key))
    if units > MAX_UNITS:
        raise OfferError(f"is more than {_limit()}", offer.at(key))
    return units


def _check_sum(plan: OfferPlan, offer: Fields) -> None:
    """The buyer pays price and deposit in one payment."""
    if plan.price_units + plan.deposit_units > MAX_UNITS:
        raise OfferError(
            f"and the price are together more than {_limit()}", offer.at("deposit")
        )


def _limit() -> str:
    return f"{MAX_UNITS // 10**DECIMALS:,}"


def _past(offer: Fields, key: str) -> datetime | None:
    """An optional time that is not to come."""
    if not offer.has(key):
        return None
    moment = offer.time(key)
    if moment > timezone.now():
        raise OfferError(
            "is in the future; a license begins when it is issued, or before",
            offer.at(key),
        )
    return moment


def terms_of(plan: OfferPlan, *, asset: str, fee_ppm: int) -> dict[str, Any]:
    """The machine-readable terms that are frozen into each license."""
    standard = STANDARD["uses"][plan.use]
    terms = {
        "asset": asset,
        "use": plan.use,
        "name": standard["name"],
        "summary": standard["summary"],
        "rights": standard["rights"],
        "standard": {"id": STANDARD["id"], "sha256": DIGEST.hex()},
        "price_units": plan.price_units,
        "deposit_units": plan.deposit_units,
        "rate_units": plan.rate_units,
        "rate_per": plan.rate_per,
        "meter": "display",
        "term_days": plan.term_days,
        "territory": STANDARD["territory"],
        "fee_ppm": fee_ppm,
        "refund": STANDARD["refund"],
    }
    if plan.covers_from is not None:
        terms["covers_from"] = format_time(plan.covers_from)
    return terms


def valid_from(terms: dict[str, Any], issued_at: datetime) -> datetime:
    """From when on a license with these terms covers uses."""
    if "covers_from" not in terms:
        return issued_at
    return min(parse_time(terms["covers_from"], "covers_from"), issued_at)


def digest_of(terms: dict[str, Any]) -> bytes:
    """SHA-256 of the canonical terms."""
    return sha256(canonical(terms))
