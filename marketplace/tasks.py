"""Job handlers: load by id, call one verb."""

from __future__ import annotations

from contextlib import suppress

from chain import read
from chain.models import Event, Intent
from marketplace import deliver, issue, order, refresh, refund, testpay
from marketplace.errors import NotForSaleError, OrderError
from marketplace.models import License, Order
from marketplace.refusals import plain_reason
from outbox.claims import Claim
from provenance.models import Asset


def order_paid(claim: Claim) -> None:
    """Handle `order.paid`: our deposit is final, or will never be.

    Somebody else may have sent the same signature, so the chain is asked whether it
    was used before the buyer reads that nothing was charged.
    """
    if not claim.payload.get("failed"):
        issue.issue_license(order_pk=claim.payload["order"], claim=claim)
        return
    row = Order.objects.get(pk=claim.payload["order"])
    intent = Intent.objects.get(pk=claim.payload["intent"])
    used = read.authorization_used(row.account, bytes(row.ref))
    issue.fail_order(
        order_pk=row.pk,
        reason=plain_reason(intent.error, token=read.token_domain()["name"]),
        uncharged=not used,
        claim=claim,
    )


def deposit_seen(claim: Claim) -> None:
    """Handle `deposit.seen`: a deposit is safe, or final."""
    event = Event.objects.get(pk=claim.payload["event"])
    issue.take_deposit(event=event, claim=claim)


def deposit_gone(claim: Claim) -> None:
    """Handle `deposit.gone`: the block of a deposit left the chain."""
    event = Event.objects.get(pk=claim.payload["event"])
    issue.take_back_deposit(event=event, claim=claim)


def refund_asked(claim: Claim) -> None:
    """Handle `refund.asked`: our request is final, or will never be."""
    if claim.payload.get("failed"):
        intent = Intent.objects.get(pk=claim.payload["intent"])
        reason = plain_reason(intent.error, token=read.token_domain()["name"])
        refund.fail_request(
            refund_pk=claim.payload["refund"], reason=reason, claim=claim
        )


def refund_requested(claim: Claim) -> None:
    """Handle `refund.requested`: the contract froze an account."""
    event = Event.objects.get(pk=claim.payload["event"])
    refund.take_request(event=event, claim=claim)


def refund_paid(claim: Claim) -> None:
    """Handle `refund.paid`: the contract gave an account its unspent money back."""
    event = Event.objects.get(pk=claim.payload["event"])
    refund.take_refund(event=event, claim=claim)


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
