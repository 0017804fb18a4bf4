"""Close an epoch: what each license added, split once, and the two trees over it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Max, Sum

from accounts.models import Holder
from accounts.platform import platform_signer
from chain.intend import intend
from chain.models import Network
from chain.read import account_indexes
from colophon import records, statement
from colophon.units import split_ppm
from log.append import append
from log.models import Checkpoint
from marketplace.models import License
from outbox.claims import Claim
from provenance.models import Dispute
from royalties.models import Accrual, Increment, Leaf, Settlement, Tally, UsageBatch
from royalties.trees import tree_of

NOBODY = "0x" + "00" * 20
OPEN_STATES = (Settlement.State.BUILT, Settlement.State.COMMITTED)


@dataclass(frozen=True)
class Due:
    """What one license has earned since it was last closed, in units."""

    license: License
    fee_units: int
    usage_units: int
    quantity: int


def build_settlement(*, epoch: int, claim: Claim | None = None) -> Settlement | None:
    """Close everything that the newest checkpoint covers into one settlement.

    Args:
        epoch: the contract's next epoch, read by the caller before.

    Returns:
        The settlement with its commit intent, or None when nothing is due (no fee,
        no use, no lost root, no new wallet), an earlier settlement is still open, or
        settling is halted.

    Writes: Settlement, Increment, Accrual, Leaf, Tally, Holder.position, Entry,
    Intent. Lock: the Network row.
    """
    with transaction.atomic(durable=True):
        if claim:
            claim.hold()
        network = Network.objects.select_for_update().get()
        if network.halted_reason or not _may_build(epoch):
            return None
        checkpoint = Checkpoint.objects.order_by("-size").first()
        dues = list(_dues(checkpoint)) if checkpoint else []
        if checkpoint is None or not (dues or _lost_the_last() or _wallets_came()):
            return None
        settlement = Settlement.objects.create(
            epoch=epoch,
            log_size=checkpoint.size,
            log_root=bytes(checkpoint.root),
            earnings_root=b"",
            spend_root=b"",
            earned_units=0,
            count=len(dues),
        )
        for due in dues:
            _close(settlement, due)
        _seal_trees(settlement)
        _commit(settlement)
    return settlement


def _may_build(epoch: int) -> bool:
    """No settlement is open and none was built for this epoch."""
    return not (
        Settlement.objects.filter(state__in=OPEN_STATES).exists()
        or Settlement.objects.filter(epoch=epoch).exists()
    )


def _lost_the_last() -> bool:
    """The newest settlement never took effect: its totals must be committed anew."""
    newest = Settlement.objects.order_by("-epoch").first()
    return newest is not None and newest.state == Settlement.State.VETOED


def _wallets_came() -> bool:
    """Somebody linked a wallet after the newest leaves named nobody to pay."""
    newest = Settlement.objects.order_by("-epoch").first()
    if newest is None:
        return False
    unpaid = newest.leaves.filter(
        tree=Leaf.Tree.EARNINGS, account=NOBODY, cumulative_units__gt=0
    )
    return unpaid.exclude(holder__payout_address="").exists()


def _dues(checkpoint: Checkpoint) -> Iterable[Due]:
    """License fees and uses whose log entries the checkpoint covers.

    A work in dispute is held out: what it earns waits for the decision (DESIGN §9).
    """
    covered = License.objects.filter(entry__index__lt=checkpoint.size).exclude(
        asset__disputes__state=Dispute.State.OPEN
    )
    fees = {
        row.pk: row
        for row in covered.filter(increments__isnull=True, price_units__gt=0)
    }
    newest = (
        UsageBatch.objects.filter(entry__index__lt=checkpoint.size)
        .values("license")
        .annotate(units=Max("usage_units_after"), quantity=Max("quantity_after"))
    )
    used = {row["license"]: row for row in newest}
    tallies = {
        tally.license_id: tally
        for tally in Tally.objects.filter(license__in=used).select_for_update()
    }
    moved = {
        pk for pk, tally in tallies.items() if used[pk]["units"] > tally.closed_units
    }
    rows = covered.filter(pk__in=fees.keys() | moved).order_by("pk")
    for row in rows:
        tally = tallies.get(row.pk)
        usage = used[row.pk]["units"] - tally.closed_units if tally else 0
        fee = row.price_units if row.pk in fees else 0
        if fee + usage > 0:
            quantity = used[row.pk]["quantity"] - _closed(row) if tally else 0
            yield Due(row, fee, usage, quantity)


def _closed(license_row: License) -> int:
    """The quantity that earlier settlements closed."""
    total = license_row.increments.aggregate(total=Sum("quantity"))["total"]
    return int(total or 0)


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


def _seal_trees(settlement: Settlement) -> None:
    """Build both trees, keep their leaves and set the roots and the total."""
    earned = _earnings_leaves(settlement)
    spent = _spend_leaves(settlement)
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


def _spend_leaves(settlement: Settlement) -> list[Leaf]:
    """What each deposit account has spent, at the index the contract gave it."""
    rows = (
        Increment.objects.values("license__account")
        .annotate(fees=Sum("fee_units"), uses=Sum("usage_units"))
        .order_by("license__account")
    )
    indexes = account_indexes([row["license__account"] for row in rows])
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
        key=f"commit:{settlement.epoch}",
        then=("settlement.committed", {"settlement": settlement.pk}),
    )
    settlement.save()
