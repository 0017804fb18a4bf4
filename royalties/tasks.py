"""Job handlers: load by id, read the chain outside a transaction, call one verb."""

from __future__ import annotations

import logging

from django.db import transaction
from django.utils import timezone

from chain import read
from chain.halt import halt
from chain.models import Event, Intent
from marketplace.models import Refund
from outbox.claims import Claim, Retry
from royalties import build, due, give_back, mature, paid, push, record, verify
from royalties.models import Leaf, Settlement

log = logging.getLogger(__name__)


def record_usage(claim: Claim) -> None:
    """Handle `usage.record`."""
    record.record_batch(batch_pk=claim.payload["batch"], claim=claim)


def build_settlement(claim: Claim) -> None:
    """Handle `settle.build`: nothing more is settled once the ledger does not hold.

    Settling that stands still is an error in the log, as it is on `/ops/`.
    """
    if broken := verify.first_broken(quick=True):
        with transaction.atomic():
            claim.hold()
            halt(f"the ledger does not hold: {broken}")
        return
    indexes = read.account_indexes(due.spenders())
    build.build_settlement(epoch=read.epoch(), indexes=indexes, claim=claim)
    if late := due.overdue(timezone.now()):
        log.error("settlement.overdue", extra={"why": late})


def settlement_committed(claim: Claim) -> None:
    """Handle `settlement.committed`: the commit's intent ended, well or not."""
    settlement = Settlement.objects.get(pk=claim.payload["settlement"])
    if claim.payload.get("failed"):
        mature.mark_failed(
            settlement_pk=settlement.pk,
            intent_pk=claim.payload["intent"],
            claim=claim,
        )
        return
    _follow(settlement.epoch, claim)


def follow_settlement(claim: Claim) -> None:
    """Handle `settlement.follow`: a commit or a veto became final, or went."""
    event = Event.objects.get(pk=claim.payload["event"])
    _follow(int(event.args["epoch"]), claim)


def _follow(epoch: int, claim: Claim) -> None:
    mature.follow_epoch(epoch=epoch, window=read.challenge_window(), claim=claim)


def mature_settlements(claim: Claim) -> None:
    """Handle `settle.mature`."""
    if not Settlement.objects.filter(state=Settlement.State.COMMITTED).exists():
        return
    if final := read.final_block():
        mature.mature_due(final=final, claim=claim)


def push_payouts(claim: Claim) -> None:
    """Handle `payouts.push`."""
    settlement = Settlement.objects.get(pk=claim.payload["settlement"])
    positions = list(
        settlement.leaves.filter(tree=Leaf.Tree.EARNINGS).values_list(
            "position", flat=True
        )
    )
    push.push_payouts(
        settlement=settlement,
        claimed=read.claimed(positions),
        threshold_units=claim.payload.get("threshold_units"),
        holder_pk=claim.payload.get("holder"),
        claim=claim,
    )


def send_refund(claim: Claim) -> None:
    """Handle `refund.send`: the delay of a refund is over."""
    row = Refund.objects.get(pk=claim.payload["refund"])
    if row.state != Refund.State.REQUESTED:
        return  # paid, whoever sent it
    state = read.account_of(row.account)
    if state is None or state.frozen_at is None:
        raise Retry("a refund is on the chain, and not final", give_back.WAIT_SECONDS)
    active, pending = read.roots()
    matures_at, now = read.matures_at(), read.chain_time()
    is_ripe = matures_at is not None and now >= matures_at
    give_back.send_refund(
        refund=row,
        index=state.index,
        root=pending if is_ripe else active,
        now=now,
        claim=claim,
    )


def refund_sent(claim: Claim) -> None:
    """Handle `refund.sent`: one that failed is sent again with a newer proof."""
    if claim.payload.get("failed"):
        give_back.send_again(refund_pk=claim.payload["refund"], claim=claim)


def refund_done(claim: Claim) -> None:
    """Handle `refund.done`: prices that no settlement took went back, too."""
    row = Refund.objects.get(pk=claim.payload["refund"])
    give_back.end_unpaid(refund=row, claim=claim)


def apply_payment(claim: Claim) -> None:
    """Handle `payouts.paid`."""
    event = Event.objects.get(pk=claim.payload["event"])
    paid.apply_payment(event=event, claim=claim)


def reverse_payment(claim: Claim) -> None:
    """Handle `payouts.reversed`: a `Paid` log left the chain."""
    event = Event.objects.get(pk=claim.payload["event"])
    paid.reverse(event=event, claim=claim)


def payouts_sent(claim: Claim) -> None:
    """Handle `payouts.sent`: free the payouts of a pay that moved nothing for them."""
    intent = claim.payload["intent"]
    if claim.payload.get("failed"):
        paid.release(intent_pk=intent, claim=claim)
    elif places := paid.silent(intent):
        paid.cover(intent_pk=intent, claimed=read.claimed(places), claim=claim)


def intent_reorged(claim: Claim) -> None:
    """Handle `intent.reorged`: an intent that was done left the chain."""
    intent = Intent.objects.get(pk=claim.payload["intent"])
    if intent.kind == "pay":
        paid.reverse_sent(intent_pk=intent.pk, claim=claim)
    elif intent.kind == "commit":
        _follow(int(intent.args["epoch"]), claim)
