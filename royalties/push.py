"""Send what matured to the holders' wallets: aligned batches, one `pay` each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from django.conf import settings
from django.db import transaction

from chain.intend import intend
from colophon.earnings import EarningsTree
from outbox.claims import Claim
from royalties.models import Leaf, Payout, Settlement
from royalties.trees import tree_of

NOBODY = "0x" + "00" * 20
BATCH_HEIGHT = 6
BATCH = 1 << BATCH_HEIGHT


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

    Writes: Payout, Intent, once per (settlement, holder).
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
        done = set(settlement.payouts.values_list("holder", flat=True))
        tree = tree_of(leaves)
        for first, group in _batches(leaves).items():
            due = [leaf for leaf in group if leaf.holder_id not in done]
            asked = [leaf for leaf in due if holder_pk in (None, leaf.holder_id)]
            if not any(_owed(leaf, claimed) >= max(least, 1) for leaf in asked):
                continue
            made += _pay(settlement, tree, first, due, claimed)
    return made


def _owed(leaf: Leaf, claimed: Mapping[int, int]) -> int:
    """Units that a `pay` would move now; nothing goes to a holder without a wallet."""
    if leaf.account == NOBODY:
        return 0
    return leaf.cumulative_units - claimed.get(leaf.position, 0)


def _batches(leaves: list[Leaf]) -> dict[int, list[Leaf]]:
    """Leaves by the first position of their aligned batch."""
    groups: dict[int, list[Leaf]] = defaultdict(list)
    for leaf in leaves:
        groups[leaf.position // BATCH * BATCH].append(leaf)
    return groups


def _pay(
    settlement: Settlement,
    tree: EarningsTree,
    first: int,
    due: list[Leaf],
    claimed: Mapping[int, int],
) -> list[Payout]:
    """One intent for a batch and one payout row for each holder that it pays."""
    height = min(BATCH_HEIGHT, tree.height)
    words = tree.subtree_words(first, height)
    proof = [*tree.subtree_proof(first, height), bytes(settlement.spend_root)]
    intent = intend(
        "pay",
        {
            "firstIndex": first,
            "words": [str(one) for one in words],
            "proof": ["0x" + node.hex() for node in proof],
        },
        key=f"pay:{settlement.epoch}:{first}:{len(due)}",
        then=("payouts.sent", {"settlement": settlement.pk, "first": first}),
    )
    return Payout.objects.bulk_create(
        Payout(
            settlement=settlement,
            holder=leaf.holder,
            account=leaf.account,
            cumulative_units=leaf.cumulative_units,
            units=_owed(leaf, claimed),
            intent=intent,
        )
        for leaf in due
        if _owed(leaf, claimed) > 0
    )
