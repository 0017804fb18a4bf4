"""Demo buyers license works: one signature each, relayed to the chain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from django.db import transaction

from chain.intend import intend
from chain.models import Intent
from config.seed.people import Person
from config.seed.works import BY_KEY, Work
from marketplace.deliver import grant_download, redeem
from marketplace.models import Delivery, License, Listing, Order
from marketplace.order import authorize, make_order, typed_data

SEED = 20261123
BUYERS = ("ben", "kim", "leo")
FUNDS_UNITS = 5_000_000_000
NOT_SOLD = {"draft", "waiting", "refused", "last"}


@dataclass(frozen=True)
class Purchase:
    """One license of the demo."""

    buyer: str
    work: str
    use: str


def purchases(works: tuple[Work, ...] = tuple(BY_KEY.values())) -> Iterator[Purchase]:
    """Who buys what: most works for uses, some for print as well."""
    rng = np.random.default_rng(SEED)
    for at, work in enumerate(works):
        if work.fate in NOT_SOLD:
            continue
        yield Purchase(BUYERS[at % 3], work.key, "pay-per-use")
        if rng.random() < 0.35:  # noqa: PLR2004
            yield Purchase(BUYERS[(at + 1) % 3], work.key, "editorial")
        if rng.random() < 0.2:  # noqa: PLR2004
            yield Purchase(BUYERS[(at + 2) % 3], work.key, "commercial")


def fund(people: Mapping[str, Person]) -> None:
    """Test money from the test token's open faucet, for every buyer."""
    for name in BUYERS:
        with transaction.atomic():
            intend(
                "fund",
                {"to": people[name].wallet.address, "amount": FUNDS_UNITS},
                key=f"fund:demo:{name}",
            )


def funded() -> bool:
    """Whether every buyer has the money."""
    keys = [f"fund:demo:{name}" for name in BUYERS]
    return Intent.objects.filter(key__in=keys, state=Intent.State.FINAL).count() == len(
        keys
    )


def buy(purchase: Purchase, listing: Listing, people: Mapping[str, Person]) -> Order:
    """Order, and sign with the buyer's wallet; an order under way stays as it is."""
    buyer = people[purchase.buyer]
    offer = listing.offers.get(use=purchase.use, withdrawn_at=None)
    found = Order.objects.filter(offer=offer, buyer=buyer.party).exclude(
        state__in=[Order.State.FAILED, Order.State.EXPIRED]
    )
    order = found.first() or make_order(
        offer=offer, buyer=buyer.party, user=buyer.user, account=buyer.wallet.address
    )
    if order.state != Order.State.OPEN:
        return order
    signed = buyer.wallet.sign_typed_data(full_message=typed_data(order))
    return authorize(order=order, signature="0x" + bytes(signed.signature).hex())


def failed() -> str:
    """Why an order failed; empty while none has."""
    row = Order.objects.filter(state=Order.State.FAILED).first()
    return f"{row}: {row.failed_reason}" if row else ""


def copies_ready() -> bool:
    """Whether every license has its signed copy."""
    return not License.objects.filter(delivery=None).exists()


def download() -> None:
    """The buyers take their copies; one has not come to it, and can still cancel."""
    left = License.objects.filter(terms__use="editorial").order_by("pk").last()
    rows = Delivery.objects.filter(first_downloaded_at=None).select_related("license")
    for copy in rows.exclude(license=left):
        redeem(token=grant_download(license_row=copy.license, user=None))


def licenses() -> list[License]:
    """The licenses that count uses, oldest first."""
    rows = License.objects.filter(rate_units__gt=0).select_related("buyer", "asset")
    return list(rows.order_by("asset__title"))
