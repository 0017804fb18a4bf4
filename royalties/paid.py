"""What the chain says was paid becomes the payouts' state; nothing else does."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Sum

from accounts.models import Holder
from chain.models import Event
from outbox.claims import Claim
from royalties.models import Leaf, Payout, Settlement

NOBODY = "0x" + "00" * 20


def apply_payment(*, event: Event, claim: Claim | None = None) -> Payout | None:
    """Take over one final `Paid` or `Unpaid` log of the ledger, once.

    Anyone may call `pay`, so a payment that we did not send gets a row of its own.

    Writes: Payout. Lock: its row.
    """
    with transaction.atomic(durable=True):
        if claim:
            claim.hold()
        position = int(event.args["index"])
        holder = Holder.objects.filter(position=position).first()
        if holder is None:
            return None
        row = _row(holder, event)
        if row is None or row.state == Payout.State.PAID:
            return row
        row.tx_hash = event.tx_hash
        row.account = event.args["account"]
        if event.name == "Paid":
            row.units = int(event.args["amount"])
            row.state = Payout.State.PAID
            row.paid_at = event.final_at
        else:
            row.state = Payout.State.BLOCKED
        row.save()
    return row


def _row(holder: Holder, event: Event) -> Payout | None:
    """The payout that this log answers; made here when somebody else paid."""
    rows = Payout.objects.select_for_update().filter(holder=holder)
    mine = rows.filter(intent__tx_hash=event.tx_hash).first()
    if mine is not None:
        return mine
    if rows.filter(tx_hash=event.tx_hash).exists():
        return None
    if event.args["account"] == NOBODY:
        return None  # nobody to pay yet: the next settlement names a wallet
    leaf = _leaf(holder, event)
    if leaf is None:
        return None
    return rows.filter(settlement=leaf.settlement).first() or Payout(
        settlement=leaf.settlement,
        holder=holder,
        account=event.args["account"],
        cumulative_units=leaf.cumulative_units,
        units=0,
    )


def _leaf(holder: Holder, event: Event) -> Leaf | None:
    """The leaf that somebody else's payment is of.

    The contract pays the leaf less what it paid before, so the leaf is the one that
    both together make; else the newest that no payment is known of. Our rows may not
    know yet that a committed settlement has matured on the chain.
    """
    payable = (Settlement.State.MATURED, Settlement.State.COMMITTED)
    leaves = (
        Leaf.objects.filter(
            tree=Leaf.Tree.EARNINGS, holder=holder, settlement__state__in=payable
        )
        .exclude(settlement__payouts__in=holder.payouts.filter(state=Payout.State.PAID))
        .select_related("settlement")
        .order_by("-settlement__epoch")
    )
    before = holder.payouts.filter(state=Payout.State.PAID).aggregate(
        total=Sum("units")
    )
    total = int(before["total"] or 0) + int(event.args["amount"])
    return leaves.filter(cumulative_units=total).first() or leaves.first()


def release(*, intent_pk: int, claim: Claim | None = None) -> None:
    """A `pay` that took no effect: its payouts are blocked, nothing is lost.

    Entitlements are cumulative, so the next settlement's push pays them.

    Writes: Payout.
    """
    with transaction.atomic(durable=True):
        if claim:
            claim.hold()
        Payout.objects.filter(intent=intent_pk, state=Payout.State.SENDING).update(
            state=Payout.State.BLOCKED
        )
