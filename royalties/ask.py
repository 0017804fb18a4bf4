"""Ask for payment now, below the threshold too: what the button and the API do."""

from __future__ import annotations

from enum import StrEnum

from django.db import transaction

from accounts.models import Holder
from outbox.enqueue import enqueue
from royalties.models import Leaf, Payout, Settlement


class Answer(StrEnum):
    """What became of the wish to be paid now."""

    ASKED = "asked"
    NO_WALLET = "no_wallet"
    NOTHING_YET = "nothing_yet"
    NEXT_SETTLEMENT = "next_settlement"


def ask_payout(holder: Holder) -> Answer:
    """Ask the chain to pay a holder what has matured, once for each settlement.

    A second press changes nothing: the job's key is the settlement and the holder. A
    payment that did not go through may be asked for once more.

    Returns:
        ASKED, or why there is nothing to send: no wallet is linked, nothing has
        matured, or the wallet was linked or changed after the newest settlement was
        closed, so that the next one pays.

    Writes: Job.
    """
    if not holder.payout_address:
        return Answer.NO_WALLET
    newest = (
        Settlement.objects.filter(state=Settlement.State.MATURED)
        .order_by("-epoch")
        .first()
    )
    leaf = (
        newest.leaves.filter(tree=Leaf.Tree.EARNINGS, holder=holder).first()
        if newest
        else None
    )
    if newest is None or leaf is None:
        return Answer.NOTHING_YET
    if leaf.account != holder.payout_address:
        return Answer.NEXT_SETTLEMENT
    stuck = holder.payouts.filter(
        settlement=newest, state__in=(Payout.State.BLOCKED, Payout.State.REVERSED)
    ).first()
    again = f":{stuck.intent_id}" if stuck else ""
    with transaction.atomic():
        enqueue(
            "payouts.push",
            key=f"push:{newest.epoch}:{holder.code}{again}",
            payload={
                "settlement": newest.pk,
                "threshold_units": 1,
                "holder": holder.pk,
            },
        )
    return Answer.ASKED
