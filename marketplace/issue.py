"""A final deposit becomes a license: terms, price and shares frozen and logged."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from accounts.platform import platform_signer
from colophon import records, statement
from colophon.ids import new_id
from log.append import append
from marketplace.models import License, Order
from marketplace.terms import valid_from
from outbox.claims import Claim
from outbox.enqueue import enqueue


def issue_license(*, order_pk: int, claim: Claim | None = None) -> License:
    """Issue the license of a paid order, exactly once.

    Writes: License, Order.state, Entry, Job. Lock: the Order row.
    """
    with transaction.atomic(durable=True):
        if claim:
            claim.hold()
        order = Order.objects.select_for_update().get(pk=order_pk)
        existing = License.objects.filter(order=order).first()
        if existing:
            return existing
        now = timezone.now()
        code = new_id("lic")
        envelope = statement.sign(
            records.license_issued(
                license_id=code,
                asset=order.offer.listing.asset.code,
                file=bytes(order.offer.listing.asset.seal.file_digest),
                agreement=bytes(order.agreement.digest),
                terms=order.terms,
                amount_units=order.amount_units,
                buyer=order.buyer.code,
                issued_at=now,
            ),
            platform_signer(),
        )
        row = License.objects.create(
            code=code,
            order=order,
            asset=order.offer.listing.asset,
            buyer=order.buyer,
            agreement=order.agreement,
            account=order.account,
            terms=order.terms,
            shares=shares_of(order),
            price_units=order.offer.price_units,
            deposit_units=order.offer.deposit_units,
            rate_units=order.offer.rate_units,
            rate_per=order.offer.rate_per,
            meter=order.offer.meter,
            entry=append("license", envelope.to_json()),
            issued_at=now,
            valid_from=valid_from(order.terms, now),
            valid_until=now + timedelta(days=order.offer.term_days),
        )
        order.state = Order.State.PAID
        order.save(update_fields=["state"])
        enqueue("license.deliver", key=f"deliver:{code}", payload={"license": row.pk})
    return row


def shares_of(order: Order) -> list[dict[str, str | int]]:
    """The frozen parts of the agreement, in their canonical order."""
    return [
        {
            "holder": part.holder.code,
            "name": part.holder.name,
            "role": part.role,
            "source": part.source.code if part.source else "",
            "ppm": part.ppm,
        }
        for part in order.agreement.parts.select_related("holder", "source")
    ]


def fail_order(*, order_pk: int, reason: str, claim: Claim | None = None) -> None:
    """The deposit did not take effect: nothing was charged and the page says why.

    Writes: Order. Lock: its row.
    """
    with transaction.atomic(durable=True):
        if claim:
            claim.hold()
        order = Order.objects.select_for_update().get(pk=order_pk)
        if order.state == Order.State.PAYING:
            order.state = Order.State.FAILED
            order.failed_reason = reason
            order.save(update_fields=["state", "failed_reason"])
