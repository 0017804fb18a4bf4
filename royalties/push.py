"""Send what matured to the holders' wallets: aligned batches, one `pay` each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from django.conf import settings
from django.db import transaction

from accounts.models import Holder
from chain.intend import intend
from chain.models import Intent
from chain.read import NOBODY
from colophon.earnings import EarningsTree
from outbox.claims import Claim
from royalties.models import Leaf, Payout, Settlement
from royalties.trees import tree_of

BATCH_HEIGHT = 6
BATCH = 1 << BATCH_HEIGHT
AGAIN = (Payout.State.BLOCKED, Payout.State.REVERSED)


def push_payouts(
    *,
    settlement: Settlement,
    claimed: Mapping[int, int],
    threshold_units: int | None = None,
    holder_pk: int | None = None,
    claim: Claim | None = None,
) -> list[Payout]:
    """Ask the chain to pay every aligned batch in which somebody is owed enough.

    Args:
        settlement: matured; its trees are the ones the contract accepts.
        claimed: units the contract has paid so far, by earnings position.
        threshold_units: owed at least this much, or wait; None is the setting.
        holder_pk: pay only the batch of this holder, who asked; None is everybody.

    Returns:
        the payouts sent; none of a settlement that was vetoed meanwhile.

    Writes: Payout, Intent, once per (settlement, holder); a payout that did not go
    through is sent again when somebody in its batch asks. Lock: the Settlement row.
    """
    least = (
        settings.PAYOUT_THRESHOLD_UNITS if threshold_units is None else threshold_units
    )
    leaves = list(
        settlement.leaves.filter(tree=Leaf.Tree.EARNINGS)
        .select_related("holder")
        .order_by("position")
    )
    made: list[Payout] = []
    with transaction.atomic(durable=True):
        if claim:
            claim.hold()
        found = Settlement.objects.select_for_update().get(pk=settlement.pk)
        if found.state != Settlement.State.MATURED:
            return []
        rows = {row.holder_id: row for row in settlement.payouts.all()}
        done = {pk for pk, row in rows.items() if row.state not in AGAIN}
        tree = tree_of(leaves)
        for first, group in _batches(leaves).items():
            due = [leaf for leaf in group if leaf.holder_id not in done]
            asked = [leaf for leaf in due if _is_asked(leaf, holder_pk)]
            if not any(_owed(leaf, claimed) >= max(least, 1) for leaf in asked):
                continue
            intent = _intend(settlement, tree, first)
            for leaf in due:
                if units := _owed(leaf, claimed):
                    row = rows.get(leaf.holder_id or 0) or Payout(holder=leaf.holder)
                    made.append(_send(row, leaf, units, intent))
    return made


def _is_asked(leaf: Leaf, holder_pk: int | None) -> bool:
    """Whether to send for this holder's sake: never to a wallet that was changed.

    Somebody else of the batch may still make the contract pay it.
    """
    wanted = holder_pk in (None, leaf.holder_id)
    return wanted and leaf.holder is not None and _is_current(leaf, leaf.holder)


def _is_current(leaf: Leaf, holder: Holder) -> bool:
    return leaf.account == holder.payout_address


def _owed(leaf: Leaf, claimed: Mapping[int, int]) -> int:
    """Units that a `pay` would move now; nothing goes to a holder without a wallet."""
    if leaf.account == NOBODY:
        return 0
    return max(leaf.cumulative_units - claimed.get(leaf.position, 0), 0)


def _batches(leaves: list[Leaf]) -> dict[int, list[Leaf]]:
    """Leaves by the first position of their aligned batch."""
    groups: dict[int, list[Leaf]] = defaultdict(list)
    for leaf in leaves:
        groups[leaf.position // BATCH * BATCH].append(leaf)
    return groups


def _intend(settlement: Settlement, tree: EarningsTree, first: int) -> Intent:
    """The intent to pay a batch; one that failed has used up its number."""
    height = min(BATCH_HEIGHT, tree.height)
    words = tree.subtree_words(first, height)
    proof = [*tree.subtree_proof(first, height), bytes(settlement.spend_root)]
    key = f"pay:{settlement.epoch}:{first}:"
    number = Intent.objects.filter(key__startswith=key).count()
    return intend(
        "pay",
        {
            "firstIndex": first,
            "words": [str(one) for one in words],
            "proof": ["0x" + node.hex() for node in proof],
        },
        key=f"{key}{number}",
        then=("payouts.sent", {"settlement": settlement.pk, "first": first}),
    )


def _send(row: Payout, leaf: Leaf, units: int, intent: Intent) -> Payout:
    """The payout of one leaf, on its way by an intent."""
    row.settlement = leaf.settlement
    row.account = leaf.account
    row.cumulative_units = leaf.cumulative_units
    row.units = units
    row.intent = intent
    row.state = Payout.State.SENDING
    row.save()
    return row
