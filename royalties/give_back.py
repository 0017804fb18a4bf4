"""Send a refund: the proof of what an account spent, by the newest matured root.

The contract pays by the root that is newest when the call runs, so the proof is made
when the delay is over, and made anew when another root matured in between.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from chain.intend import intend
from chain.models import Intent
from colophon.earnings import combined_root
from marketplace.models import License, Refund
from outbox.claims import Claim, Retry
from outbox.enqueue import enqueue
from royalties.models import Leaf, Settlement
from royalties.trees import tree_of

WAIT_SECONDS = 5.0
LONGEST_WAIT_SECONDS = 3600.0


def send_refund(
    *,
    refund: Refund,
    index: int,
    root: bytes,
    now: datetime,
    claim: Claim | None = None,
) -> Intent | None:
    """Have the contract give an account its unspent money back.

    Args:
        index: the account's, as the contract gave it.
        root: the newest matured one, keccak256(earnings ‖ spend).
        now: the chain's time.

    Writes: Intent. Lock: the Refund row.

    Raises:
        Retry: the delay is not over, or no root younger than the request matured.
    """
    settlement = _settlement(root)
    _wait_for(refund, settlement, now)
    assert settlement is not None
    with transaction.atomic(durable=True):
        if claim:
            claim.hold()
        row = Refund.objects.select_for_update().get(pk=refund.pk)
        if row.state != Refund.State.REQUESTED:
            return None
        sent = Intent.objects.filter(key__startswith=_key(row))
        if under_way := sent.exclude(state__in=Intent.DONE).first():
            return under_way
        return intend(
            "refund",
            {"account": row.account, **spend_proof(settlement, index)},
            key=f"{_key(row)}{sent.count()}",
            then=("refund.sent", {"refund": row.pk}),
        )


def send_again(*, refund_pk: int, claim: Claim | None = None) -> None:
    """A `refund` that took no effect: try once more with what is newest then.

    Writes: Job. Lock: none, unique key.
    """
    with transaction.atomic(durable=True):
        if claim:
            claim.hold()
        row = Refund.objects.get(pk=refund_pk)
        number = Intent.objects.filter(key__startswith=_key(row)).count()
        wait = min(WAIT_SECONDS * 2.0 ** min(number, 16), LONGEST_WAIT_SECONDS)
        enqueue(
            "refund.send",
            key=f"refund:{row.code}:{number}",
            payload={"refund": row.pk},
            due_at=timezone.now() + timedelta(seconds=wait),
        )


def end_unpaid(*, refund: Refund, claim: Claim | None = None) -> int:
    """End the licenses whose price went back with a paid refund: nobody earned it.

    A dispute may hold a price until it is too late to settle it, or settling may have
    been halted.

    Returns:
        how many ended.

    Writes: License.
    """
    with transaction.atomic(durable=True):
        if claim:
            claim.hold()
        frozen = License.objects.filter(
            account=refund.account, frozen_at__lte=refund.paid_at
        )
        unpaid = frozen.filter(price_units__gt=0, fee_due_at__isnull=False)
        return unpaid.exclude(increments__fee_units__gt=0).update(
            state=License.State.REVOKED,
            revoked_reason=License.Revoked.REFUNDED,
            fee_due_at=None,
        )


def spend_proof(settlement: Settlement, index: int) -> dict[str, Any]:
    """What the leaf at an index says was spent, as the contract wants it proved.

    An index beyond the tree is cut to the tree's depth: the leaf there names nobody
    or somebody else, which means nothing spent.
    """
    spend = tree_of(settlement.leaves.filter(tree=Leaf.Tree.SPEND))
    place = index & ((1 << spend.height) - 1)
    proof = [*spend.subtree_proof(place), bytes(settlement.earnings_root)]
    return {
        "spendWord": str(spend.subtree_words(place, 0)[0]),
        "proof": ["0x" + one.hex() for one in proof],
    }


def _settlement(root: bytes) -> Settlement | None:
    """The settlement whose root this is; None for zeros."""
    for row in Settlement.objects.order_by("-epoch"):
        if combined_root(bytes(row.earnings_root), bytes(row.spend_root)) == root:
            return row
    return None


def _wait_for(refund: Refund, settlement: Settlement | None, now: datetime) -> None:
    asked, ready = refund.requested_at, refund.ready_at
    assert asked is not None
    assert ready is not None
    if now < ready:
        raise Retry("the refund's delay is not over", WAIT_SECONDS)
    committed = settlement.committed_at if settlement else None
    if committed is None or committed <= asked:
        raise Retry("no settlement after the request has matured yet", WAIT_SECONDS)


def _key(refund: Refund) -> str:
    return f"refund:{refund.code}:"
