"""A holder's statement: every line leads to its events, price, agreement and proof.

Read only. The JSON form is complete: `colophon statement check` recomputes every
figure in it from nothing else (docs/statement-format.md).
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import Q, Sum

from accounts.models import Holder
from chain.models import Network
from provenance.envelopes import envelope_of
from royalties.due import Held, held_of
from royalties.models import Accrual, Leaf, Payout, Settlement
from royalties.trees import proof_of

FORMAT = "https://colophon.example/statement/v1"


def figures(holder: Holder) -> dict[str, int]:
    """Lifetime, paid, available and pending units of a holder.

    Available is committed and out of its window; pending is everything else that
    was earned and not paid.
    """
    lifetime = _total(holder.accruals.aggregate(total=Sum("units")))
    paid = _total(
        holder.payouts.filter(state=Payout.State.PAID).aggregate(total=Sum("units"))
    )
    leaf = newest_leaf(holder)
    available = max((leaf.cumulative_units if leaf else 0) - paid, 0)
    return {
        "lifetime": lifetime,
        "paid": paid,
        "available": available,
        "pending": lifetime - paid - available,
    }


def _total(row: dict[str, Any]) -> int:
    return int(row["total"] or 0)


def statement_of(holder: Holder, *, through: int | None = None) -> dict[str, Any]:
    """Every settlement that has a line for the holder, oldest first.

    The newest matured one is there too: what is available follows from its leaf.

    Args:
        through: end with this epoch; None is everything, with the figures of today.
    """
    wanted = Q(increments__accruals__holder=holder)
    leaf = newest_leaf(holder)
    if through is None and leaf is not None:
        wanted |= Q(pk=leaf.settlement_id)
    rows = Settlement.objects.filter(wanted)
    payouts = holder.payouts.select_related("settlement").order_by("pk")
    if through is not None:
        rows = rows.filter(epoch__lte=through)
        payouts = payouts.filter(settlement__epoch__lte=through)
    rows = rows.select_related("intent", "entry").distinct().order_by("epoch")
    today = {key: str(value) for key, value in figures(holder).items()}
    return {
        "format": FORMAT,
        "holder": {
            "id": holder.code,
            "name": holder.name,
            "position": holder.position,
            "payout_address": holder.payout_address,
        },
        "token": {"decimals": 6, "chain": f"eip155:{_chain_id()}"},
        "figures": today if through is None else None,
        "settlements": [_part(row, holder) for row in rows],
        "payouts": [payout_json(row) for row in payouts],
        "held": [held_json(one) for one in held_of(holder)] if through is None else [],
    }


def newest_leaf(holder: Holder) -> Leaf | None:
    """The leaf of the newest matured settlement: what the holder can be paid in all."""
    leaves = Leaf.objects.filter(
        holder=holder,
        tree=Leaf.Tree.EARNINGS,
        settlement__state=Settlement.State.MATURED,
    ).order_by("-settlement__epoch")
    return leaves.select_related("settlement").first()


def _part(settlement: Settlement, holder: Holder) -> dict[str, Any]:
    """One settlement as this holder needs it: lines, leaf and proof."""
    accruals = (
        Accrual.objects.filter(increment__settlement=settlement, holder=holder)
        .select_related("increment__license__agreement", "increment__license__asset")
        .order_by("increment__license__code", "position")
    )
    return {
        **settlement_json(settlement),
        "lines": [line_json(row) for row in accruals],
        "leaf": leaf_json(settlement, holder),
    }


def line_json(row: Accrual) -> dict[str, Any]:
    """Why did I earn this: use, price, agreement and the split of the increment."""
    increment, license_row = row.increment, row.increment.license
    return {
        "license": license_row.code,
        "asset": license_row.asset.code,
        "title": license_row.asset.title,
        "role": row.role,
        "position": row.position,
        "units": str(row.units),
        "increment": {
            "fee_units": str(increment.fee_units),
            "usage_units": str(increment.usage_units),
            "quantity": increment.quantity,
            "rate_units": str(license_row.rate_units),
            "rate_per": license_row.rate_per,
            "deposit_units": str(license_row.deposit_units),
        },
        "shares": [
            {key: share[key] for key in ("holder", "role", "source", "ppm")}
            for share in license_row.shares
        ],
        "agreement": bytes(license_row.agreement.digest).hex(),
    }


def leaf_json(settlement: Settlement, holder: Holder) -> dict[str, Any] | None:
    """The holder's leaf in the earnings tree, with its proof."""
    mine = settlement.leaves.filter(tree=Leaf.Tree.EARNINGS, holder=holder).first()
    if mine is None:
        return None
    return {
        "position": mine.position,
        "account": mine.account,
        "cumulative_units": str(mine.cumulative_units),
        "proof": [node.hex() for node in proof_of(settlement, mine.position)],
    }


def settlement_json(settlement: Settlement) -> dict[str, Any]:
    """A settlement as everyone sees it."""
    intent = settlement.intent
    return {
        "id": settlement.code,
        "epoch": settlement.epoch,
        "state": settlement.state,
        "log_size": settlement.log_size,
        "earnings_root": bytes(settlement.earnings_root).hex(),
        "spend_root": bytes(settlement.spend_root).hex(),
        "earned_units": str(settlement.earned_units),
        "count": settlement.count,
        "tx_hash": intent.tx_hash if intent else None,
        "block_number": intent.block_number if intent else None,
        "committed_at": settlement.committed_at,
        "matures_at": settlement.matures_at,
        "record": envelope_of(settlement.entry).to_json() if settlement.entry else None,
        "url": f"{settings.SITE_URL}/api/v1/settlements/{settlement.epoch}",
    }


def payout_json(row: Payout) -> dict[str, Any]:
    """A payout as its holder sees it."""
    return {
        "id": row.code,
        "epoch": row.settlement.epoch,
        "units": str(row.units),
        "account": row.account,
        "state": row.state,
        "tx_hash": row.tx_hash or None,
        "paid_at": row.paid_at,
    }


def held_json(one: Held) -> dict[str, str]:
    """What a disputed work earned for the holder, outside of every settlement."""
    return {
        "asset": one.code,
        "title": one.title,
        "units": str(one.units),
        "dispute": "upheld" if one.is_upheld else "open",
    }


def _chain_id() -> int:
    network = Network.objects.first()
    return network.chain_id if network else 0
