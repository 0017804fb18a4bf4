"""What was paid is covered by a leaf, and the rows say what the chain says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import Exists, F, OuterRef, QuerySet, Sum
from django.db.models.functions import Coalesce

from accounts.models import Holder
from chain import read
from chain.models import Event, Network
from colophon.units import format_units
from marketplace.models import License
from royalties.models import Increment, Leaf, Payout, Settlement
from royalties.verify.finding import Finding


def covered() -> Iterator[Finding]:
    """Every payout points to a leaf, and nobody got more than their newest one (I3)."""
    leaf = Leaf.objects.filter(
        tree=Leaf.Tree.EARNINGS,
        settlement=OuterRef("settlement"),
        holder=OuterRef("holder"),
    )
    for row in Payout.objects.exclude(Exists(leaf)).select_related("settlement"):
        yield Finding(row.code, f"has no leaf in settlement {row.settlement.epoch}")
    paid = (
        Payout.objects.filter(state=Payout.State.PAID)
        .values("holder")
        .annotate(total=Sum("units"))
    )
    top = _newest_leaves()
    for one in paid.order_by("holder"):
        if one["total"] > top.get(one["holder"], 0):
            words = (
                f"got {format_units(one['total'])} of "
                f"{format_units(top.get(one['holder'], 0))} earned"
            )
            yield Finding(_holder(one["holder"]), words)


def logged() -> Iterator[Finding]:
    """Every paid row has its log on the chain, and every log its row (I10)."""
    told: dict[tuple[int, str], int] = defaultdict(int)
    for row in Payout.objects.filter(state=Payout.State.PAID).select_related("holder"):
        place = -1 if row.holder.position is None else row.holder.position
        told[place, row.tx_hash] += row.units
    seen: dict[tuple[int, str], int] = defaultdict(int)
    logs = Event.objects.filter(
        contract="ColophonLedger",
        name="Paid",
        final_at__isnull=False,
        removed_at__isnull=True,
    )
    for log in logs:
        seen[int(log.args["index"]), log.tx_hash] += int(log.args["amount"])
    for key in sorted(told.keys() | seen.keys()):
        if told.get(key, 0) == seen.get(key, 0):
            continue
        place, tx = key
        words = (
            f"the rows say {format_units(told.get(key, 0))}, the chain's logs "
            f"{format_units(seen.get(key, 0))}"
        )
        yield Finding(f"place {place}, {tx or 'no transaction'}", words)


def funds() -> Iterator[Finding]:
    """No account's licenses cost more than its deposits less its refunds (I2, I3).

    An open license may still take its price, unless that was canceled, and its whole
    deposit; one whose deposit went back or left the chain costs what settlements took
    from it.
    """
    held: dict[str, int] = defaultdict(int)
    for log in _ledger_logs("Deposited"):
        held[str(log.args["account"]).lower()] += int(log.args["amount"])
    gone_at: dict[str, datetime] = {}
    for log in _ledger_logs("Refunded").order_by("block_number"):
        account = str(log.args["account"]).lower()
        held[account] -= int(log.args["amount"])
        gone_at[account] = log.mined_at
    cost: dict[str, int] = defaultdict(int)
    rows: QuerySet[Any] = License.objects.annotate(
        fees=Coalesce(Sum("increments__fee_units"), 0),
        charged=Coalesce(Sum("increments__usage_units"), 0),
    )
    for row in rows:
        account = row.account.lower()
        is_back = (
            account in gone_at and row.frozen_at and (row.frozen_at <= gone_at[account])
        )
        is_gone = is_back or row.revoked_reason == License.Revoked.DEPOSIT_GONE
        most = row.fee_units + row.deposit_units
        cost[account] += row.fees + row.charged if is_gone else most
    for account, units in sorted(cost.items()):
        if units > held.get(account, 0):
            words = (
                f"has licenses for {format_units(units)} and holds deposits of "
                f"{format_units(held.get(account, 0))}"
            )
            yield Finding(account, words)


def refunds() -> Iterator[Finding]:
    """What settlements took from an account is still there after its refunds (I2)."""
    refunded = _ledger_logs("Refunded").values("args__account")
    held: dict[str, int] = defaultdict(int)
    for log in _ledger_logs("Deposited", "Refunded").filter(args__account__in=refunded):
        sign = 1 if log.name == "Deposited" else -1
        held[str(log.args["account"])] += sign * int(log.args["amount"])
    rows = Increment.objects.filter(license__account__in=sorted(held)).values(
        "license__account"
    )
    for row in rows.annotate(total=Sum(F("fee_units") + F("usage_units"))).order_by(
        "license__account"
    ):
        account = row["license__account"]
        if row["total"] > held[account]:
            words = (
                f"was charged {format_units(row['total'])} and holds "
                f"{format_units(held[account])}: other deposits pay for it"
            )
            yield Finding(account, words)


def _ledger_logs(*names: str) -> QuerySet[Event]:
    """The ledger's logs of some names that the chain still has."""
    return Event.objects.filter(
        contract="ColophonLedger", name__in=names, removed_at__isnull=True
    )


def on_chain() -> Iterator[Finding]:
    """The contract paid nobody more than a leaf says, and owns what it owes (I4)."""
    if not Network.objects.exists():
        return
    rows = Holder.objects.filter(position__isnull=False)
    places = {row.position: row.pk for row in rows if row.position is not None}
    top = _newest_leaves()
    for place, units in read.claimed(sorted(places)).items():
        if units > top.get(places[place], 0):
            words = (
                f"the contract paid {format_units(units)} of "
                f"{format_units(top.get(places[place], 0))} earned"
            )
            yield Finding(_holder(places[place]), words)
    sums = read.totals()
    free = sums["deposited"] - sums["refunded"]
    if not sums["paid"] <= sums["earned_pending"] <= free:
        words = (
            f"paid {format_units(sums['paid'])}, earned "
            f"{format_units(sums['earned_pending'])}, funds {format_units(free)}"
        )
        yield Finding("the contract", words)
    owned = read.balance_of(read.address_of("ColophonLedger"))
    if owned < free - sums["paid"]:
        words = (
            f"owns {format_units(owned)} and owes {format_units(free - sums['paid'])}"
        )
        yield Finding("the contract", words)


def _newest_leaves() -> dict[int | None, int]:
    """The newest total of each holder, by holder row, that the chain may pay."""
    rows = Leaf.objects.filter(
        tree=Leaf.Tree.EARNINGS,
        settlement__state__in=(Settlement.State.COMMITTED, Settlement.State.MATURED),
    )
    pairs = rows.order_by("settlement__epoch").values_list("holder", "cumulative_units")
    return dict(pairs)


def _holder(pk: int) -> str:
    return Holder.objects.get(pk=pk).code
