"""What waits to be settled, and what is held because somebody disputes the work.

Read only, except that `dues` locks the tallies it is about to close.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import (
    Case,
    F,
    Max,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.models import Holder
from chain.read import NOBODY
from colophon.units import split_ppm
from log.models import Checkpoint
from marketplace.models import License, Refund
from provenance.models import Dispute
from royalties.models import Leaf, Payout, Settlement, Tally, UsageBatch

# An upheld dispute says that the shares are wrong, and nobody has said yet what is
# right: what the work earns is held as a whole until that changes (docs/ledger.md).
HELD = tuple(one for one in Dispute.State if one != Dispute.State.REJECTED)
LATE_TURNS = 3
MOST_SOLD = 1_000  # of one holder, within 14 days, looked at for one page
OPEN_STATES = (Settlement.State.BUILT, Settlement.State.COMMITTED)


@dataclass(frozen=True)
class Due:
    """What one license has earned since it was last closed, in units."""

    license: License
    fee_units: int
    usage_units: int
    quantity: int
    events: int


@dataclass(frozen=True)
class Held:
    """A holder's part, in units, of what a disputed work earned."""

    code: str
    title: str
    is_upheld: bool
    units: int


@dataclass(frozen=True)
class Sold:
    """Licenses whose price is paid and not earned yet, and a holder's part of it.

    Attributes:
        until: when the last of them is earned at the latest.
    """

    count: int
    units: int
    until: datetime | None


def newest_settlement() -> Settlement | None:
    """The settlement built last, in whatever state it is."""
    return Settlement.objects.order_by("-epoch").first()


def dues(checkpoint: Checkpoint) -> Iterable[Due]:
    """License fees and uses whose log entries the checkpoint covers.

    A work in dispute is held out: what it earns waits for the decision, and where
    that went against the work, for an end of it (DESIGN §9). So is a license whose
    deposit is not final, or goes back to its buyer.

    Lock: the Tally rows.
    """
    covered = _payable().filter(entry__index__lt=checkpoint.size)
    fees = {row.pk: row for row in unclosed_fees(covered)}
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
    for row in covered.filter(pk__in=fees.keys() | moved).order_by("pk"):
        tally = tallies.get(row.pk)
        usage = used[row.pk]["units"] - tally.closed_units if tally else 0
        fee = row.price_units if row.pk in fees else 0
        if fee + usage > 0:
            before = _closed(row)
            after = used[row.pk]["quantity"] if tally else before
            yield Due(row, fee, usage, after - before, events_of(row, before, after))


def _payable() -> QuerySet[License]:
    """Licenses whose deposits are there, of works that nobody disputes."""
    return License.objects.backed().exclude(asset__disputes__state__in=HELD)


def unclosed_fees(rows: QuerySet[License]) -> QuerySet[License]:
    """Those whose price is earned, and in no settlement yet."""
    earned = rows.filter(price_units__gt=0, fee_due_at__lte=timezone.now())
    return earned.exclude(increments__fee_units__gt=0)


def _closed(license_row: License) -> int:
    """The quantity that earlier settlements closed."""
    total = license_row.increments.aggregate(total=Sum("quantity"))["total"]
    return int(total or 0)


def events_of(license_row: License, before: int, after: int) -> int:
    """Counted events of a license between two of its running quantities."""
    rows = license_row.batches.filter(
        quantity_after__gt=before, quantity_after__lte=after
    )
    return int(rows.aggregate(total=Sum("counted"))["total"] or 0)


def spenders() -> list[str]:
    """Every account that has a license: those that a spend tree may have a leaf for."""
    return list(
        License.objects.order_by("account").values_list("account", flat=True).distinct()
    )


def lost_the_last() -> bool:
    """The newest settlement never took effect: its totals must be committed anew."""
    newest = newest_settlement()
    lost = (Settlement.State.VETOED, Settlement.State.FAILED)
    return newest is not None and newest.state in lost


def refunds_wait() -> bool:
    """An account was frozen after the newest commit: the contract wants a newer one."""
    stands = (Settlement.State.COMMITTED, Settlement.State.MATURED)
    newest = Settlement.objects.filter(state__in=stands).order_by("-epoch").first()
    waiting = Refund.objects.waiting()
    if newest is not None:
        waiting = waiting.filter(requested_at__gte=newest.committed_at)
    return waiting.exists()


def wallets_changed() -> bool:
    """Somebody is owed money that the newest leaves do not send to their wallet.

    They linked one, or another one, or none any more. A leaf names its account for
    ever, so only a new commit moves what is owed.
    """
    newest = newest_settlement()
    if newest is None:
        return False
    paid = (
        Payout.objects.filter(holder=OuterRef("holder"), state=Payout.State.PAID)
        .order_by()
        .values("holder")
        .annotate(total=Sum("units"))
        .values("total")
    )
    wallet = Case(
        When(holder__payout_address="", then=Value(NOBODY)),
        default=F("holder__payout_address"),
    )
    owed = newest.leaves.filter(
        tree=Leaf.Tree.EARNINGS, cumulative_units__gt=Coalesce(Subquery(paid), 0)
    )
    return owed.exclude(account=wallet).exists()


# ------------------------------------------------------------------------------ held


def held_of(holder: Holder) -> list[Held]:
    """The holder's parts of what disputed works earned and no settlement closed."""
    rows = (
        License.objects.backed()
        .filter(agreement__parts__holder=holder, asset__disputes__state__in=HELD)
        .select_related("asset")
        .distinct()
        .order_by("asset__code", "pk")
    )
    tallies = {row.license_id: row for row in Tally.objects.filter(license__in=rows)}
    fees = set(unclosed_fees(rows).values_list("pk", flat=True))
    units: dict[int, int] = {}
    assets = {}
    for row in rows:
        tally = tallies.get(row.pk)
        waits = tally.usage_units - tally.closed_units if tally else 0
        waits += row.price_units if row.pk in fees else 0
        assets[row.asset_id] = row.asset
        mine = units.get(row.asset_id, 0)
        units[row.asset_id] = mine + _part(row, holder, waits)
    upheld = set(
        Dispute.objects.filter(
            asset__in=assets, state=Dispute.State.UPHELD
        ).values_list("asset", flat=True)
    )
    return [
        Held(asset.code, asset.title, pk in upheld, units[pk])
        for pk, asset in assets.items()
        if units[pk]
    ]


def sold_of(holder: Holder) -> Sold:
    """The holder's parts of prices that their buyers can still have back."""
    rows = License.objects.filter(
        agreement__parts__holder=holder,
        state=License.State.ACTIVE,
        price_units__gt=0,
        fee_due_at__gt=timezone.now(),
    ).distinct()
    found = list(rows.order_by("fee_due_at", "pk")[:MOST_SOLD])
    return Sold(
        count=len(found),
        units=sum(_part(row, holder, row.price_units) for row in found),
        until=found[-1].fee_due_at if found else None,
    )


def _part(sold: License, holder: Holder, units: int) -> int:
    """What the holder would get if these units were split now."""
    parts = split_ppm(units, [(one["holder"], one["ppm"]) for one in sold.shares])
    return sum(
        part
        for part, one in zip(parts, sold.shares, strict=True)
        if one["holder"] == holder.code
    )


# ------------------------------------------------------------------------------ late


def overdue(now: datetime) -> str:
    """Why settling seems to stand still, in words for the operator; empty if not.

    Something has waited for several turns and one challenge window, and in that time
    nothing was built; or what was built is still under way.
    """
    turns = timedelta(seconds=LATE_TURNS * settings.SETTLE_SECONDS)
    since = now - turns - timedelta(seconds=settings.CHALLENGE_WINDOW_SECONDS)
    newest = newest_settlement()
    if newest and newest.state == Settlement.State.FAILED:
        why = newest.intent.error if newest.intent else ""
        return f"the commit of settlement {newest.epoch} failed: {why}"
    if newest and newest.built_at > since:
        return ""
    if newest and newest.state in OPEN_STATES:
        return f"settlement {newest.epoch} is {newest.state} for too long"
    if lost_the_last():
        return "a settlement was dropped, and its totals were not committed anew"
    if _waits_since(since):
        return "fees or uses wait to be settled, and nothing was built"
    return ""


def _waits_since(moment: datetime) -> bool:
    """Whether a fee or a use that can be settled is older than a moment."""
    payable = _payable()
    fees = unclosed_fees(payable).filter(fee_due_at__lt=moment)
    uses = UsageBatch.objects.filter(
        Q(usage_units_after__gt=F("license__tally__closed_units")),
        recorded_at__lt=moment,
        license__in=payable,
    )
    return fees.exists() or uses.exists()
