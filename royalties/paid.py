"""What the chain says was paid becomes the payouts' state; nothing else does."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet, Sum

from accounts.models import Holder
from chain.models import Event, Intent, Network
from chain.read import NOBODY
from outbox.claims import Claim
from outbox.errors import Retry
from royalties.models import Leaf, Payout, Settlement

LEDGER = "ColophonLedger"


def apply_payment(*, event: Event, claim: Claim | None = None) -> Payout | None:
    """Take over one final `Paid` or `Unpaid` log of the ledger, once.

    Anyone may call `pay`, so a payment that we did not send gets a row of its own.

    Writes: Payout. Lock: its row.
    """
    with transaction.atomic(durable=True):
        if claim:
            claim.hold()
        if Event.objects.filter(pk=event.pk, removed_at__isnull=False).exists():
            return None
        position = int(event.args["index"])
        holder = Holder.objects.filter(position=position).first()
        if holder is None:
            return None
        row = _row(holder, event)
        if row is None or row.state == Payout.State.PAID:
            return row
        row.tx_hash, row.position = event.tx_hash, event.position
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
    # a stranger's transaction may pay a holder twice, by two roots
    same = Q(position=event.position) | Q(position=None)
    known = rows.filter(same, tx_hash=event.tx_hash).first()
    if known is not None:
        # paid once more after a reorganization had taken it back
        return known if event.name == "Paid" else None
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


# ----------------------------------------------------------- paid by somebody before us


def silent(intent_pk: int) -> list[int]:
    """Positions of payouts that a final `pay` left no log of.

    The contract says nothing of a holder who is owed nothing any more.

    Raises:
        Retry: the follower has not read that block, or its logs are not final yet.
    """
    intent = Intent.objects.get(pk=intent_pk)
    followed = Network.objects.values_list("followed_block", flat=True).first() or 0
    logs = Event.objects.filter(tx_hash=intent.tx_hash, removed_at__isnull=True)
    waits = logs.filter(final_at__isnull=True).exists()
    if waits or followed < (intent.block_number or 0):
        raise Retry(f"the logs of {intent.key} are not read yet")
    told = {int(log.args["index"]) for log in logs if log.name in ("Paid", "Unpaid")}
    rows = _sending(intent_pk).filter(holder__position__isnull=False)
    places = rows.values_list("holder__position", flat=True)
    return sorted(place for place in places if place is not None and place not in told)


def cover(
    *, intent_pk: int, claimed: Mapping[int, int], claim: Claim | None = None
) -> None:
    """Ends the payouts of a `pay` that moved nothing for them.

    Args:
        claimed: units that the contract has paid by now, for the silent positions.

    Writes: Payout. Lock: the rows.
    """
    with transaction.atomic(durable=True):
        if claim:
            claim.hold()
        rows = _sending(intent_pk).filter(holder__position__in=claimed)
        for row in rows.select_for_update(of=("self",)).select_related("holder"):
            place = row.holder.position
            got = claimed[place] if place is not None else 0
            is_paid = got >= row.cumulative_units
            row.state = Payout.State.COVERED if is_paid else Payout.State.BLOCKED
            row.save(update_fields=["state"])


def _sending(intent_pk: int) -> QuerySet[Payout]:
    return Payout.objects.filter(intent=intent_pk, state=Payout.State.SENDING)


def unanswered(*, before: datetime) -> QuerySet[Payout]:
    """Payouts still sending although their transaction was over before a moment."""
    return Payout.objects.filter(
        state=Payout.State.SENDING,
        intent__state__in=Intent.DONE,
        intent__final_at__lt=before,
    )


# ------------------------------------------------------------- taken back by the chain


def reverse(*, event: Event, claim: Claim | None = None) -> int:
    """A `Paid` log left the chain: what it paid is owed again.

    Nothing happens where the same transaction is final in another block by now.

    Returns:
        how many payouts were reversed.

    Writes: Payout.
    """
    with transaction.atomic(durable=True):
        if claim:
            claim.hold()
        place = int(event.args["index"])
        rows = Payout.objects.filter(tx_hash=event.tx_hash, holder__position=place)
        return _reverse(rows)


def reverse_sent(*, intent_pk: int, claim: Claim | None = None) -> int:
    """A `pay` that was final left the chain: its payouts are owed again.

    Returns:
        how many payouts were reversed.

    Writes: Payout.
    """
    with transaction.atomic(durable=True):
        if claim:
            claim.hold()
        return _reverse(Payout.objects.filter(intent=intent_pk))


def _reverse(rows: QuerySet[Payout]) -> int:
    """Reverse those paid rows whose log is not on the chain."""
    gone = [
        row.pk
        for row in rows.filter(state=Payout.State.PAID)
        .select_for_update(of=("self",))
        .select_related("holder")
        if not Event.objects.filter(
            contract=LEDGER,
            name="Paid",
            tx_hash=row.tx_hash,
            args__index=str(row.holder.position),
            removed_at__isnull=True,
        ).exists()
    ]
    return Payout.objects.filter(pk__in=gone).update(
        state=Payout.State.REVERSED, paid_at=None
    )
