"""Close an epoch: what each license added, split once, and the two trees over it."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction
from django.db.models import Max, Sum

from accounts.models import Holder
from accounts.platform import platform_signer
from chain.intend import intend
from chain.models import Intent, Network
from chain.read import NOBODY
from colophon import records, statement
from colophon.units import split_ppm
from log.append import append
from log.models import Checkpoint
from outbox.claims import Claim
from outbox.errors import Retry
from royalties.due import (
    OPEN_STATES,
    Due,
    dues,
    lost_the_last,
    newest_settlement,
    refunds_wait,
    wallets_changed,
)
from royalties.models import Accrual, Increment, Leaf, Settlement, Tally
from royalties.trees import tree_of


def build_settlement(
    *, epoch: int, indexes: Mapping[str, int], claim: Claim | None = None
) -> Settlement | None:
    """Close everything that the newest checkpoint covers into one settlement.

    Args:
        epoch: the contract's next epoch, read by the caller before.
        indexes: spend-tree positions of accounts by lowercase address, read before,
            too: nothing asks a node inside the transaction.

    Returns:
        The settlement with its commit intent: a new one, or the newest one again when
        its commit failed and its epoch is still due. None when nothing is due (no fee,
        no use, no lost root, no other wallet, no refund that waits for a root), an
        earlier settlement is still open, or settling is halted.

    Raises:
        Retry: an account came in between; nothing was written.

    Writes: Settlement, Increment, Accrual, Leaf, Tally, Holder.position, Entry,
    Intent. Lock: the Network row.
    """
    with transaction.atomic(durable=True):
        if claim:
            claim.hold()
        network = Network.objects.select_for_update().get()
        newest = newest_settlement()
        if network.halted_reason or (newest and newest.state in OPEN_STATES):
            return None
        if newest and (newest.state, newest.epoch) == (Settlement.State.FAILED, epoch):
            return _commit_again(newest)
        checkpoint = Checkpoint.objects.order_by("-size").first()
        if checkpoint is None or Settlement.objects.filter(epoch=epoch).exists():
            return None
        closing = list(dues(checkpoint))
        wanted = lost_the_last() or wallets_changed() or refunds_wait()
        if not (closing or wanted):
            return None
        settlement = Settlement.objects.create(
            epoch=epoch,
            log_size=checkpoint.size,
            log_root=bytes(checkpoint.root),
            earnings_root=b"",
            spend_root=b"",
            earned_units=0,
            count=sum(due.events for due in closing),
        )
        for due in closing:
            _close(settlement, due)
        _seal_trees(settlement, indexes)
        _commit(settlement)
    return settlement


def _commit_again(failed: Settlement) -> Settlement:
    """The roots of a commit that failed are still right: another intent sends them."""
    failed.state = Settlement.State.BUILT
    _intend_commit(failed)
    return failed


def _close(settlement: Settlement, due: Due) -> None:
    """One increment, split once by largest remainder over the frozen shares."""
    increment = Increment.objects.create(
        settlement=settlement,
        license=due.license,
        fee_units=due.fee_units,
        usage_units=due.usage_units,
        quantity=due.quantity,
    )
    if due.usage_units:
        tally = Tally.objects.get(license=due.license)
        tally.closed_units += due.usage_units
        tally.save(update_fields=["closed_units"])
    shares = due.license.shares
    parts = split_ppm(increment.units, [(one["holder"], one["ppm"]) for one in shares])
    holders = Holder.objects.in_bulk(
        [one["holder"] for one in shares], field_name="code"
    )
    Accrual.objects.bulk_create(
        Accrual(
            increment=increment,
            holder=holders[one["holder"]],
            role=one["role"],
            ppm=one["ppm"],
            units=units,
            position=position,
        )
        for position, (one, units) in enumerate(zip(shares, parts, strict=True))
    )


def _seal_trees(settlement: Settlement, indexes: Mapping[str, int]) -> None:
    """Build both trees, keep their leaves and set the roots and the total."""
    earned = _earnings_leaves(settlement)
    spent = _spend_leaves(settlement, indexes)
    Leaf.objects.bulk_create(earned + spent)
    settlement.earnings_root = tree_of(earned).root
    settlement.spend_root = tree_of(spent).root
    settlement.earned_units = sum(leaf.cumulative_units for leaf in earned)
    settlement.save()


def _earnings_leaves(settlement: Settlement) -> list[Leaf]:
    """Every holder's cumulative entitlement; new holders get a position for ever."""
    totals = (
        Accrual.objects.values("holder").annotate(total=Sum("units")).order_by("holder")
    )
    holders = Holder.objects.in_bulk([row["holder"] for row in totals])
    top = Holder.objects.aggregate(top=Max("position"))["top"]
    free = 0 if top is None else top + 1
    leaves = []
    for row in totals:
        holder = holders[row["holder"]]
        if holder.position is None:
            holder.position, free = free, free + 1
            holder.save(update_fields=["position"])
        leaves.append(
            Leaf(
                settlement=settlement,
                tree=Leaf.Tree.EARNINGS,
                position=holder.position,
                holder=holder,
                account=holder.payout_address or NOBODY,
                cumulative_units=row["total"],
            )
        )
    return leaves


def _spend_leaves(settlement: Settlement, indexes: Mapping[str, int]) -> list[Leaf]:
    """What each deposit account has spent, at the index the contract gave it."""
    rows = (
        Increment.objects.values("license__account")
        .annotate(fees=Sum("fee_units"), uses=Sum("usage_units"))
        .order_by("license__account")
    )
    for row in rows:
        if row["license__account"].lower() not in indexes:
            raise Retry(f"the index of {row['license__account']} was not asked for yet")
    return [
        Leaf(
            settlement=settlement,
            tree=Leaf.Tree.SPEND,
            position=indexes[row["license__account"].lower()],
            account=row["license__account"],
            cumulative_units=row["fees"] + row["uses"],
        )
        for row in rows
    ]


def _commit(settlement: Settlement) -> None:
    """Log the roots (a public kind) and ask the chain to commit them."""
    envelope = statement.sign(
        records.settlement(
            epoch=settlement.epoch,
            log_size=settlement.log_size,
            earnings_root=bytes(settlement.earnings_root),
            spend_root=bytes(settlement.spend_root),
            earned_units=settlement.earned_units,
            count=settlement.count,
        ),
        platform_signer(),
    )
    settlement.entry = append("settlement", envelope.to_json(), public=True)
    _intend_commit(settlement)


def _intend_commit(settlement: Settlement) -> None:
    """The intent to commit; one that failed has used up its number."""
    key = f"commit:{settlement.epoch}:"
    number = Intent.objects.filter(key__startswith=key).count()
    settlement.intent = intend(
        "commit",
        {
            "epoch": settlement.epoch,
            "size": settlement.log_size,
            "logRoot": "0x" + bytes(settlement.log_root).hex(),
            "earningsRoot": "0x" + bytes(settlement.earnings_root).hex(),
            "spendRoot": "0x" + bytes(settlement.spend_root).hex(),
            "earned": settlement.earned_units,
            "count": settlement.count,
        },
        key=f"{key}{number}",
        then=("settlement.committed", {"settlement": settlement.pk}),
    )
    settlement.save()
