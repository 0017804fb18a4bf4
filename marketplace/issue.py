"""A deposit on the chain becomes a license: terms, price and shares frozen and logged.

The chain alone decides. Whoever sent the transaction, and whatever our own sending
came to, a deposit with an order's reference, account and amount issues its license.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from accounts.platform import platform_signer
from chain.kinds import LEDGER
from chain.models import Event
from colophon import records, statement
from colophon.ids import new_id
from log.append import append
from marketplace.models import License, Order
from marketplace.terms import valid_from
from outbox.claims import Claim
from outbox.enqueue import enqueue
from provenance.license_terms import REFUND_DAYS

ASKED_BACK = (
    "The wallet's deposit account was asked back before this license was issued. The "
    "payment returns with that refund."
)


def issue_license(*, order_pk: int, claim: Claim | None = None) -> License | None:
    """Issue the license of an order whose deposit is final, exactly once.

    Returns:
        None when the deposit was asked back before there was a license.

    Writes: License, Order.state, Entry, Job. Lock: the Order row, then the License row.
    """
    with transaction.atomic(durable=True):
        if claim:
            claim.hold()
        order = Order.objects.select_for_update().get(pk=order_pk)
        return _issued(order, final_at=timezone.now())


def take_deposit(*, event: Event, claim: Claim | None = None) -> License | None:
    """Take over one safe or final `Deposited` log of the ledger.

    Returns:
        the license that it pays for; None when it pays for no order of ours. Money
        that came under an order's reference without paying for it is kept in mind
        there, and its page says what to do.

    Writes: License, Order, Entry, Job. Lock: the Order row, then the License row.
    """
    with transaction.atomic(durable=True):
        if claim:
            claim.hold()
        order = _order_of(event)
        if order is None:
            return None
        event.refresh_from_db()
        if event.removed_at:
            return None
        row = _issued(order, final_at=event.final_at) if _pays(event, order) else None
        order.received_units = _received(order, paid=row is not None)
        order.save(update_fields=["received_units"])
    return row


def take_back_deposit(*, event: Event, claim: Claim | None = None) -> License | None:
    """The block of an announced `Deposited` log left the chain.

    The license is revoked until the deposit is there again; then the same license
    counts again.

    Writes: License, Order. Lock: the Order row, then the License row.
    """
    with transaction.atomic(durable=True):
        if claim:
            claim.hold()
        order = _order_of(event)
        if order is None:
            return None
        row = _license_of(order)
        order.received_units = _received(order, paid=False)
        order.save(update_fields=["received_units"])
        if row is None or _is_paid(order):
            return row
        if row.revoked_reason == License.Revoked.CANCELED:
            return row
        row.state, row.revoked_reason = (
            License.State.REVOKED,
            License.Revoked.DEPOSIT_GONE,
        )
        row.final_at = None
        row.save(update_fields=["state", "revoked_reason", "final_at"])
        order.state = Order.State.PAYING if order.intent_id else Order.State.OPEN
        order.save(update_fields=["state"])
    return row


def _order_of(event: Event) -> Order | None:
    """The order whose reference a deposit carries, locked."""
    ref = bytes.fromhex(str(event.args["ref"]).removeprefix("0x"))
    return Order.objects.select_for_update().filter(ref=ref).first()


def _license_of(order: Order) -> License | None:
    """The order's license, locked: its buyer may be canceling it."""
    return License.objects.select_for_update().filter(order=order).first()


def _deposits(order: Order) -> list[Event]:
    """The announced deposits under an order's reference that the chain still has."""
    rows = Event.objects.filter(
        contract=LEDGER,
        name="Deposited",
        args__ref="0x" + bytes(order.ref).hex(),
        safe_at__isnull=False,
        removed_at__isnull=True,
    )
    return list(rows)


def _pays(event: Event, order: Order) -> bool:
    """A reference alone is no payment: a permit does not sign it."""
    return (
        str(event.args["account"]).lower() == order.account.lower()
        and int(event.args["amount"]) == order.amount_units
    )


def _is_paid(order: Order) -> bool:
    return any(_pays(one, order) for one in _deposits(order))


def _received(order: Order, *, paid: bool) -> int:
    """Units of the deposits into the buyer's own account that pay for nothing."""
    total = sum(
        int(one.args["amount"])
        for one in _deposits(order)
        if str(one.args["account"]).lower() == order.account.lower()
    )
    is_paid = paid or License.objects.filter(order=order).exists()
    return max(total - order.amount_units, 0) if is_paid else total


def _asked_back(order: Order) -> bool:
    """Whether the account was frozen after it paid for the order.

    The follower reads in order, so a request is known after the deposit before it.
    """
    requests = Event.objects.filter(
        contract=LEDGER,
        name="RefundRequested",
        args__account=order.account,
        final_at__isnull=False,
        removed_at__isnull=True,
    )
    if not requests.exists():
        return False
    blocks = [one.block_number for one in _deposits(order) if _pays(one, order)]
    return bool(blocks) and requests.filter(block_number__gte=min(blocks)).exists()


def _issued(order: Order, *, final_at: datetime | None) -> License | None:
    """The license of a paid, locked order: the one that is there, or a new one."""
    row = _license_of(order)
    if row is None and _asked_back(order):
        order.state, order.failed_reason = Order.State.FAILED, ASKED_BACK
        order.save(update_fields=["state", "failed_reason"])
        return None
    row = row or _issue(order)
    if final_at and row.final_at is None:
        row.final_at = final_at
    if row.revoked_reason == License.Revoked.DEPOSIT_GONE:
        row.state, row.revoked_reason = License.State.ACTIVE, ""
    row.save(update_fields=["final_at", "state", "revoked_reason"])
    if order.state != Order.State.PAID:
        order.state, order.failed_reason = Order.State.PAID, ""
        order.save(update_fields=["state", "failed_reason"])
    return row


def _issue(order: Order) -> License:
    """A new license with everything of the order frozen in it, and its log entry."""
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
        fee_due_at=now + timedelta(days=REFUND_DAYS),
        valid_from=valid_from(order.terms, now),
        valid_until=now + timedelta(days=order.offer.term_days),
    )
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


def fail_order(
    *, order_pk: int, reason: str, uncharged: bool = False, claim: Claim | None = None
) -> None:
    """What we sent did not take effect: the page says why.

    The license is still issued should the deposit turn up on the chain.

    Args:
        reason: plain words for the buyer.
        uncharged: the chain said that the signature had moved no money.

    Writes: Order. Lock: its row.
    """
    with transaction.atomic(durable=True):
        if claim:
            claim.hold()
        order = Order.objects.select_for_update().get(pk=order_pk)
        if order.state == Order.State.PAYING:
            order.state = Order.State.FAILED
            order.failed_reason, order.uncharged = reason, uncharged
            order.save(update_fields=["state", "failed_reason", "uncharged"])
