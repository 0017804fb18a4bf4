"""The trees of every settlement follow from the lines, and never fall."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from django.db.models import Sum

from accounts.platform import platform_signer
from colophon import records, statement
from colophon.errors import ColophonError
from colophon.statement import Envelope
from colophon.units import format_units
from royalties.models import Accrual, Increment, Leaf, Settlement
from royalties.trees import tree_of
from royalties.verify.finding import Finding


def leaves() -> Iterator[Finding]:
    """Each leaf is the sum of the lines up to its settlement, and none ever falls."""
    earned: dict[str, int] = defaultdict(int)
    spent: dict[str, int] = defaultdict(int)
    for settlement in Settlement.objects.order_by("epoch"):
        for row in (
            Accrual.objects.filter(increment__settlement=settlement)
            .values("holder__code")
            .annotate(total=Sum("units"))
        ):
            earned[row["holder__code"]] += row["total"]
        for gone in (
            Increment.objects.filter(settlement=settlement)
            .values("license__account")
            .annotate(fees=Sum("fee_units"), uses=Sum("usage_units"))
        ):
            spent[gone["license__account"].lower()] += gone["fees"] + gone["uses"]
        yield from _compare(settlement, Leaf.Tree.EARNINGS, earned)
        yield from _compare(settlement, Leaf.Tree.SPEND, spent)


def _compare(
    settlement: Settlement, tree: str, right: dict[str, int]
) -> Iterator[Finding]:
    """One tree's leaves against the running totals."""
    told: dict[str, int] = {}
    for leaf in settlement.leaves.filter(tree=tree).select_related("holder"):
        name = leaf.holder.code if leaf.holder else leaf.account.lower()
        told[name] = leaf.cumulative_units
    for key in sorted({key for key, units in right.items() if units} | set(told)):
        if told.get(key, 0) != right.get(key, 0):
            words = (
                f"the leaf of {key} says {format_units(told.get(key, 0))}, "
                f"its lines are {format_units(right.get(key, 0))}"
            )
            yield Finding(f"settlement {settlement.epoch}, {tree}", words)


def falls() -> Iterator[Finding]:
    """Nobody's total falls from one settlement to the next."""
    newest = list(Settlement.objects.order_by("-epoch")[:2])
    if len(newest) < 2:  # noqa: PLR2004 - a pair
        return
    after, before = newest
    for tree in Leaf.Tree.values:
        old = _by_place(before, tree)
        new = _by_place(after, tree)
        for place, units in old.items():
            if new.get(place, 0) < units:
                words = (
                    f"place {place} falls from {format_units(units)} to "
                    f"{format_units(new.get(place, 0))}"
                )
                yield Finding(f"settlement {after.epoch}, {tree}", words)


def _by_place(settlement: Settlement, tree: str) -> dict[int, int]:
    rows = settlement.leaves.filter(tree=tree)
    return dict(rows.values_list("position", "cumulative_units"))


def totals() -> Iterator[Finding]:
    """Both trees of a settlement sum to what it says was earned so far (I2)."""
    earned = 0
    rows = Settlement.objects.order_by("epoch")
    for settlement in rows:
        name = f"settlement {settlement.epoch}"
        added = settlement.increments.aggregate(
            fees=Sum("fee_units"), uses=Sum("usage_units")
        )
        earned += (added["fees"] or 0) + (added["uses"] or 0)
        sums = {
            tree: settlement.leaves.filter(tree=tree).aggregate(
                total=Sum("cumulative_units")
            )["total"]
            or 0
            for tree in Leaf.Tree.values
        }
        for tree, total in sums.items():
            if total != settlement.earned_units:
                words = (
                    f"its {tree} leaves sum to {format_units(total)}, it says "
                    f"{format_units(settlement.earned_units)}"
                )
                yield Finding(name, words)
        if earned != settlement.earned_units:
            words = (
                f"the increments so far are {format_units(earned)}, it says "
                f"{format_units(settlement.earned_units)}"
            )
            yield Finding(name, words)


def newest_total() -> Iterator[Finding]:
    """The newest settlement says what all increments together are (I2)."""
    newest = Settlement.objects.order_by("-epoch").first()
    if newest is None:
        return
    found = Increment.objects.aggregate(fees=Sum("fee_units"), uses=Sum("usage_units"))
    total = (found["fees"] or 0) + (found["uses"] or 0)
    if total != newest.earned_units:
        words = (
            f"all increments are {format_units(total)}, it says "
            f"{format_units(newest.earned_units)}"
        )
        yield Finding(f"settlement {newest.epoch}", words)


def roots() -> Iterator[Finding]:
    """The roots are those of the leaves, in the record, and asked of the chain (I6)."""
    for row in Settlement.objects.select_related("entry", "intent").order_by("epoch"):
        name = f"settlement {row.epoch}"
        earnings, spend = _root(row, Leaf.Tree.EARNINGS), _root(row, Leaf.Tree.SPEND)
        if earnings != bytes(row.earnings_root):
            yield Finding(name, "its earnings root is not the one of its leaves")
        if spend != bytes(row.spend_root):
            yield Finding(name, "its spend root is not the one of its leaves")
        if words := _record_problem(row):
            yield Finding(name, words)
        if words := _intent_problem(row):
            yield Finding(name, words)


def _root(settlement: Settlement, tree: str) -> bytes:
    return tree_of(settlement.leaves.filter(tree=tree)).root


def _record_problem(row: Settlement) -> str:
    if row.entry is None or row.entry.envelope is None:
        return "has no record in the log"
    try:
        envelope = Envelope.from_json(row.entry.envelope)
        said = records.parse_settlement(
            statement.verify(envelope, platform_signer().public_spki)
        )
    except ColophonError as error:
        return f"its record does not hold: {error}"
    told = (said.epoch, said.earnings_root, said.spend_root, said.earned_units)
    mine = (
        row.epoch,
        bytes(row.earnings_root),
        bytes(row.spend_root),
        row.earned_units,
    )
    return "" if told == mine else "its signed record says other roots or totals"


def _intent_problem(row: Settlement) -> str:
    if row.intent is None:
        return "was never sent to the chain"
    asked = row.intent.args
    mine = {
        "epoch": str(row.epoch),
        "earningsRoot": "0x" + bytes(row.earnings_root).hex(),
        "spendRoot": "0x" + bytes(row.spend_root).hex(),
        "earned": str(row.earned_units),
    }
    same = all(str(asked.get(key)) == value for key, value in mine.items())
    return "" if same else "the chain was asked to commit something else"
