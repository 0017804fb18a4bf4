"""Job handlers: load by id, read the chain outside a transaction, call one verb."""

from __future__ import annotations

from django.db import transaction

from chain import read
from chain.halt import halt
from chain.models import Event, Intent
from outbox.claims import Claim
from royalties import build, mature, paid, push, record, verify
from royalties.models import Leaf, Settlement


def record_usage(claim: Claim) -> None:
    """Handle `usage.record`."""
    record.record_batch(batch_pk=claim.payload["batch"], claim=claim)


def build_settlement(claim: Claim) -> None:
    """Handle `settle.build`: nothing more is settled once the ledger does not hold."""
    if broken := verify.first_broken(quick=True):
        with transaction.atomic():
            claim.hold()
            halt(f"the ledger does not hold: {broken}")
        return
    build.build_settlement(epoch=read.epoch(), claim=claim)


def settlement_committed(claim: Claim) -> None:
    """Handle `settlement.committed`: the commit is final, or failed for good."""
    settlement = Settlement.objects.get(pk=claim.payload["settlement"])
    if claim.payload.get("failed"):
        mature.mark_vetoed(epoch=settlement.epoch, claim=claim)
        return
    intent = Intent.objects.get(pk=claim.payload["intent"])
    assert intent.block_number is not None
    mature.mark_committed(
        settlement_pk=settlement.pk,
        block_at=read.block_time(intent.block_number),
        claim=claim,
    )


def settlement_vetoed(claim: Claim) -> None:
    """Handle `settlement.vetoed`."""
    event = Event.objects.get(pk=claim.payload["event"])
    mature.mark_vetoed(epoch=int(event.args["epoch"]), claim=claim)


def mature_settlements(claim: Claim) -> None:
    """Handle `settle.mature`."""
    if Settlement.objects.filter(state=Settlement.State.COMMITTED).exists():
        mature.mature_due(chain_time=read.chain_time(), claim=claim)


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


def apply_payment(claim: Claim) -> None:
    """Handle `payouts.paid`."""
    event = Event.objects.get(pk=claim.payload["event"])
    paid.apply_payment(event=event, claim=claim)


def payouts_sent(claim: Claim) -> None:
    """Handle `payouts.sent`: a failed pay frees its payouts for the next one."""
    if claim.payload.get("failed"):
        paid.release(intent_pk=claim.payload["intent"], claim=claim)
