"""What was paid is covered by a leaf, and the rows say what the chain says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from django.db.models import Exists, OuterRef, Sum

from accounts.models import Holder
from chain import read
from chain.models import Event, Network
from colophon.units import format_units
from marketplace.models import License
from royalties.models import Leaf, Payout, Settlement
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
    """No account's licenses cost more than the account deposited (I3)."""
    deposited: dict[str, int] = defaultdict(int)
    logs = Event.objects.filter(
        contract="ColophonLedger", name="Deposited", removed_at__isnull=True
    )
    for log in logs:
        deposited[str(log.args["account"]).lower()] += int(log.args["amount"])
    sold: dict[str, int] = defaultdict(int)
    rows = License.objects.values("account").annotate(
        prices=Sum("price_units"), deposits=Sum("deposit_units")
    )
    for row in rows:
        sold[row["account"].lower()] += row["prices"] + row["deposits"]
    for account, units in sorted(sold.items()):
        if units > deposited.get(account, 0):
            words = (
                f"has licenses for {format_units(units)} and deposited "
                f"{format_units(deposited.get(account, 0))}"
            )
            yield Finding(account, words)


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
