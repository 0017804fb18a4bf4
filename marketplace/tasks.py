"""Job handlers: load by id, call one verb."""

from __future__ import annotations

from contextlib import suppress

from chain.models import Intent
from marketplace import deliver, issue, order, refresh, testpay
from marketplace.errors import NotForSaleError, OrderError
from marketplace.models import License, Order
from outbox.claims import Claim
from provenance.models import Asset


def order_paid(claim: Claim) -> None:
    """Handle `order.paid`: the deposit is final, or will never be."""
    if claim.payload.get("failed"):
        intent = Intent.objects.get(pk=claim.payload["intent"])
        reason = intent.error or "The payment did not go through; nothing was charged."
        issue.fail_order(order_pk=claim.payload["order"], reason=reason, claim=claim)
        return
    issue.issue_license(order_pk=claim.payload["order"], claim=claim)


def order_funded(claim: Claim) -> None:
    """order.funded: the demo's test money is there, so the test wallet signs."""
    row = Order.objects.select_related("buyer").get(pk=claim.payload["order"])
    if claim.payload.get("failed") or row.state != Order.State.OPEN:
        return
    signature = testpay.sign(row.buyer, order.typed_data(row))
    with suppress(OrderError, NotForSaleError):  # too late: nothing is charged
        order.authorize(order=row, signature=signature)


def deliver_license(claim: Claim) -> None:
    """Handle `license.deliver`."""
    row = License.objects.get(pk=claim.payload["license"])
    deliver.make_delivery(license_row=row, claim=claim)


def refresh_listing(claim: Claim) -> None:
    """Handle `listing.refresh`."""
    asset = Asset.objects.get(pk=claim.payload["asset"])
    refresh.refresh_listing(asset=asset, claim=claim)


def expire_orders(claim: Claim) -> None:  # noqa: ARG001 - the handler's shape
    """Handle `orders.expire`."""
    order.expire_orders()
