"""What the chain says was paid becomes the payouts' state; nothing else does."""

from __future__ import annotations

from django.db import transaction

from accounts.models import Holder
from chain.models import Event
from outbox.claims import Claim
from royalties.models import Payout, Settlement


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
    mine = (
        Payout.objects.select_for_update()
        .filter(holder=holder, intent__tx_hash=event.tx_hash)
        .first()
    )
    if mine is not None:
        return mine
    if Payout.objects.filter(holder=holder, tx_hash=event.tx_hash).exists():
        return None
    newest = (
        Settlement.objects.filter(state=Settlement.State.MATURED)
        .order_by("-epoch")
        .first()
    )
    if newest is None:
        return None
    waiting = Payout.objects.select_for_update().filter(
        holder=holder, settlement=newest
    )
    return waiting.first() or Payout(
        settlement=newest,
        holder=holder,
        account=event.args["account"],
        cumulative_units=0,
        units=0,
    )


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
