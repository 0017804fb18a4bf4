"""A settlement's state is what the chain's final events say of its epoch.

The intent only sends. Who sent a commit does not matter, nor does the order in which
jobs run: each of them looks at the events that count now, and at nothing else.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from django.db import transaction

from chain.halt import halt
from chain.intervene import drop_waiting
from chain.models import Event, Intent, Network
from chain.read import FinalBlock
from outbox.claims import Claim
from outbox.enqueue import enqueue
from royalties.models import Payout, Settlement

log = logging.getLogger(__name__)

LEDGER = "ColophonLedger"
State = Settlement.State
WHO = "settlement"


def follow_epoch(
    *, epoch: int, window: timedelta, claim: Claim | None = None
) -> Settlement | None:
    """Bring an epoch's settlement to where the chain's final events have it.

    A commit with our roots commits it, whoever sent it and even if our own commit had
    failed. A veto drops it, also when we called it matured; so does, for the time
    being, a commit that left the chain. Payments that are still on their way are free
    to be sent by a later settlement; what was paid stays paid. A commit of roots that
    are not ours halts settling: somebody else has the settler's key.

    Args:
        window: how long the contract lets a commit be vetoed.

    Returns:
        The settlement, or None when the epoch is none of ours.

    Writes: Settlement, Payout, Network, Intent. Lock: the Network row, then the
    Settlement row.
    """
    with transaction.atomic(durable=True):
        if claim:
            claim.hold()
        Network.objects.select_for_update().first()
        row = Settlement.objects.select_for_update().filter(epoch=epoch).first()
        commit = _final(epoch, "Committed")
        if commit and (row is None or not is_ours(commit, row)):
            halt(
                f"epoch {epoch} was committed with roots that are not ours, "
                f"in {commit.tx_hash}"
            )
            if row and row.intent:
                drop_waiting(row.intent.key, by=WHO)
            commit = None
        if row is None:
            return None
        if _final(epoch, "Vetoed"):
            _drop(row, State.VETOED)
        elif commit:
            _commit(row, commit, window)
        elif row.state in (State.COMMITTED, State.MATURED, State.VETOED):
            _drop(row, State.FAILED if _gave_up(row) else State.BUILT)
    return row


def is_ours(commit: Event, row: Settlement) -> bool:
    """Whether a `Committed` log carries the roots and the sum of a settlement."""
    said = tuple(commit.args[key] for key in ("earningsRoot", "spendRoot", "earned"))
    return said == (
        "0x" + bytes(row.earnings_root).hex(),
        "0x" + bytes(row.spend_root).hex(),
        str(row.earned_units),
    )


def _live(epoch: int, name: str) -> Event | None:
    """The log of an epoch that is on the chain now, final or not."""
    rows = Event.objects.filter(
        contract=LEDGER, name=name, removed_at__isnull=True, args__epoch=str(epoch)
    )
    return rows.order_by("-pk").first()


def _final(epoch: int, name: str) -> Event | None:
    found = _live(epoch, name)
    return found if found and found.final_at else None


def _commit(row: Settlement, commit: Event, window: timedelta) -> None:
    """The window runs from the commit's block, by the contract's own length."""
    if row.state == State.MATURED:
        return
    row.state = State.COMMITTED
    row.committed_at = commit.mined_at
    row.matures_at = commit.mined_at + window
    row.save(update_fields=["state", "committed_at", "matures_at"])
    if row.intent and row.intent.tx_hash != commit.tx_hash:
        drop_waiting(row.intent.key, by=WHO)


def _gave_up(row: Settlement) -> bool:
    """Our own commit ended without effect: another one has to be sent."""
    ended = (Intent.State.REVERTED, Intent.State.CANCELED)
    return row.intent is not None and row.intent.state in ended


def _drop(row: Settlement, state: str) -> None:
    """Its root is not on the chain: nothing can be paid from it."""
    log.warning("settlement.dropped", extra={"epoch": row.epoch, "state": state})
    row.state = state
    row.matures_at = None
    row.save(update_fields=["state", "matures_at"])
    row.payouts.filter(state=Payout.State.SENDING).update(state=Payout.State.BLOCKED)
    if row.intent and state == State.VETOED:
        drop_waiting(row.intent.key, by=WHO)


def mark_failed(
    *, settlement_pk: int, intent_pk: int, claim: Claim | None = None
) -> Settlement:
    """A commit took no effect and never will; the next build sends another.

    Nothing else of the settlement is touched: as long as its epoch is due, the same
    roots are committed by a new intent, and afterwards by a settlement with the same
    totals. An intent that was replaced by a newer one says nothing any more.

    Writes: Settlement. Lock: its row.
    """
    with transaction.atomic(durable=True):
        if claim:
            claim.hold()
        row = Settlement.objects.select_for_update().get(pk=settlement_pk)
        if row.state == State.BUILT and row.intent_id == intent_pk:
            log.error("settlement.failed", extra={"epoch": row.epoch})
            row.state = State.FAILED
            row.save(update_fields=["state"])
    return row


def mature_due(*, final: FinalBlock, claim: Claim | None = None) -> int:
    """Settlements whose window is over for good can be paid; returns how many.

    The clock is the newest final block, the only one that the contract and we agree
    on: a veto inside the window is in a final block by then, and one that the
    follower has read but nobody handled yet is waited for.

    Writes: Settlement, one `payouts.push` job each. Lock: the Settlement rows.
    """
    count = 0
    with transaction.atomic(durable=True):
        if claim:
            claim.hold()
        rows = Settlement.objects.select_for_update().filter(
            state=State.COMMITTED, matures_at__lte=final.mined_at
        )
        followed = Network.objects.values_list("followed_block", flat=True).first() or 0
        if followed < final.number:
            return 0
        for row in rows:
            if _final(row.epoch, "Committed") is None or _live(row.epoch, "Vetoed"):
                continue
            assert row.matures_at is not None
            row.state = State.MATURED
            row.save(update_fields=["state"])
            enqueue(
                "payouts.push",
                key=f"push:{row.epoch}:at:{row.matures_at.timestamp():.0f}",
                payload={"settlement": row.pk},
            )
            count += 1
    return count
