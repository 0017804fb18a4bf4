"""What a holder earned, added up from rows: by work, by role, by month. Read only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Exists, F, Max, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import TruncMonth
from django.utils import timezone

from accounts.models import Holder
from chain.models import Network
from outbox.models import Tick
from royalties.models import (
    Accrual,
    Increment,
    Leaf,
    Settlement,
    Tally,
    UsageBatch,
    UsageEvent,
)

MONTHS = 12
PARTS = (
    ("creator", "Creator", "human"),
    ("model", "Model", "ai"),
    ("dataset", "Training data", "seal"),
    ("other", "Other", "unknown"),
)
WORDS = {
    "creator": "Creator",
    "model": "Model",
    "dataset": "Training data",
    "media": "Input picture",
    "platform": "Fee",
    "source": "Source",
}


@dataclass(frozen=True)
class Work:
    """What one work earned for the holder in one role."""

    code: str
    title: str
    role: str
    uses: int
    units: int


@dataclass(frozen=True)
class Part:
    """What the holder earned in one role."""

    key: str
    role: str
    uses: int
    units: int


def lines_of(holder: Holder) -> QuerySet[Any]:
    """The holder's lines; `kind` is the kind of the source that a line is for.

    A license keeps the agreement it was sold with, and an accrual the place of its
    part in that agreement.
    """
    parts = "increment__license__agreement__parts"
    return Accrual.objects.filter(
        holder=holder, **{f"{parts}__position": F("position")}
    ).annotate(kind=F(f"{parts}__source__kind"))


def word_of(role: str, kind: str | None) -> str:
    """The role of a line in plain words."""
    return WORDS.get(kind or role, WORDS["source"])


def key_of(role: str, kind: str | None) -> str:
    """Which of PARTS a line belongs to."""
    found = kind or role
    return found if found in {key for key, _, _ in PARTS} else "other"


def by_work(holder: Holder, limit: int) -> list[Work]:
    """The works that earned most, one row for each role in them."""
    asset = "increment__license__asset"
    rows = (
        lines_of(holder)
        .values("role", "kind", code=F(f"{asset}__code"), title=F(f"{asset}__title"))
        .annotate(total=Sum("units"), uses=Sum("increment__quantity"))
        .order_by("-total", "code")[:limit]
    )
    return [
        Work(
            code=row["code"],
            title=row["title"],
            role=word_of(row["role"], row["kind"]),
            uses=row["uses"],
            units=row["total"],
        )
        for row in rows
    ]


def by_role(holder: Holder) -> list[Part]:
    """What each role earned, the most first."""
    rows = (
        lines_of(holder)
        .values("role", "kind")
        .annotate(total=Sum("units"), uses=Sum("increment__quantity"))
        .order_by("-total", "role")
    )
    return [
        Part(
            key=row["kind"] or row["role"],
            role=word_of(row["role"], row["kind"]),
            uses=row["uses"],
            units=row["total"],
        )
        for row in rows
    ]


def increments_of(holder: Holder) -> QuerySet[Increment]:
    """The increments that give the holder a part, each once."""
    lines = Accrual.objects.filter(increment=OuterRef("pk"), holder=holder)
    return Increment.objects.filter(Exists(lines))


def settlements_of(holder: Holder) -> QuerySet[Settlement]:
    """Settlements with a line for the holder, the newest first.

    `mine` is what the holder got in it, `uses` how many uses that rests on.
    """
    units = (
        Accrual.objects.filter(increment__settlement=OuterRef("pk"), holder=holder)
        .order_by()
        .values("increment__settlement")
        .annotate(total=Sum("units"))
        .values("total")
    )
    uses = (
        increments_of(holder)
        .filter(settlement=OuterRef("pk"))
        .order_by()
        .values("settlement")
        .annotate(total=Sum("quantity"))
        .values("total")
    )
    return (
        Settlement.objects.annotate(mine=Subquery(units), uses=Subquery(uses))
        .filter(mine__isnull=False)
        .select_related("intent")
        .order_by("-epoch")
    )


def counts_of(holder: Holder) -> dict[str, int]:
    """How many works earn for the holder, and how many uses were settled."""
    mine = increments_of(holder)
    uses = mine.aggregate(total=Sum("quantity"))["total"]
    works = mine.values("license__asset").distinct().count()
    return {"works": works, "uses": int(uses or 0)}


# --------------------------------------------------------------------------- months


def by_month(holder: Holder, *, now: datetime | None = None) -> list[dict[str, Any]]:
    """Twelve months, the newest last, with units for each of PARTS.

    A license fee belongs to the month of the sale; uses belong to the months in which
    they happened, by their quantities. A line is spread over its months without
    losing a unit.
    """
    now = now or timezone.now()
    months = _months(now)
    table = {month: dict.fromkeys((key for key, _, _ in PARTS), 0) for month in months}
    lines = list(
        lines_of(holder)
        .values(
            "role",
            "kind",
            "units",
            "increment",
            license=F("increment__license"),
            fee=F("increment__fee_units"),
            usage=F("increment__usage_units"),
            issued_at=F("increment__license__issued_at"),
        )
        .order_by("increment__settlement__epoch", "pk")
    )
    used = _used_in({line["license"] for line in lines})
    for line in lines:
        weights: dict[str, int] = defaultdict(int)
        weights[f"{line['issued_at']:%Y-%m}"] += line["fee"]
        uses = used.get(line["increment"], {})
        total = sum(uses.values())
        for month, quantity in uses.items():
            weights[month] += line["usage"] * quantity // total if total else 0
        for month, units in spread(line["units"], weights).items():
            if month in table:
                table[month][key_of(line["role"], line["kind"])] += units
    return [
        {"month": month, "label": _label(month), "values": list(table[month].values())}
        for month in months
    ]


def spread(units: int, weights: Mapping[str, int]) -> dict[str, int]:
    """Divide units by weights without losing one; the rest goes to the largest."""
    total = sum(weights.values())
    if total == 0:
        return {min(weights): units} if weights else {}
    parts = {key: units * weight // total for key, weight in weights.items()}
    largest = max(sorted(weights), key=lambda key: weights[key])
    parts[largest] += units - sum(parts.values())
    return parts


def _used_in(licenses: set[int]) -> dict[int, dict[str, int]]:
    """Counted quantity by month for each increment of some licenses.

    An increment closes the batches up to its running quantity.
    """
    closed = Increment.objects.filter(license__in=licenses)
    ends: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for row in closed.order_by("settlement__epoch").values("pk", "license", "quantity"):
        before = ends[row["license"]][-1][0] if ends[row["license"]] else 0
        ends[row["license"]].append((before + row["quantity"], row["pk"]))
    batches = dict(
        UsageBatch.objects.filter(
            license__in=licenses, recorded_at__isnull=False
        ).values_list("pk", "quantity_after")
    )
    found: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    rows = (
        UsageEvent.objects.filter(license__in=licenses, state=UsageEvent.State.COUNTED)
        .annotate(month=TruncMonth("occurred_at"))
        .values("license", "batch", "month")
        .annotate(quantity=Sum("quantity"))
    )
    for used in rows:
        increment = _closing(ends[used["license"]], batches.get(used["batch"]))
        if increment is not None:
            found[increment][f"{used['month']:%Y-%m}"] += used["quantity"]
    return found


def _closing(ends: Sequence[tuple[int, int]], after: int | None) -> int | None:
    """The increment that closed a batch; None while none has."""
    if after is None:
        return None
    return next((pk for end, pk in ends if end >= after), None)


def _months(now: datetime) -> list[str]:
    year, month = now.year, now.month
    found = []
    for _ in range(MONTHS):
        found.append(f"{year:04}-{month:02}")
        year, month = (year - 1, 12) if month == 1 else (year, month - 1)
    return found[::-1]


def _label(month: str) -> str:
    return f"{datetime.fromisoformat(f'{month}-01'):%b}"


# ----------------------------------------------------------------------- what is next


def next_settlement_at() -> datetime | None:
    """When the timetable closes the next epoch; None before its first run."""
    tick = Tick.objects.filter(kind="settle.build").first()
    if tick is None:
        return None
    return tick.fired_at + timedelta(seconds=settings.SETTLE_SECONDS)


def release_at(holder: Holder) -> datetime | None:
    """When what is committed but not yet matured can be paid; None: not known yet."""
    rows = Settlement.objects.filter(
        state=Settlement.State.COMMITTED,
        leaves__holder=holder,
        leaves__tree=Leaf.Tree.EARNINGS,
    )
    latest: datetime | None = rows.aggregate(at=Max("matures_at"))["at"]
    return latest


def unsettled_uses(holder: Holder) -> int:
    """Counted uses of works that pay the holder and that no settlement closed yet."""
    licenses = Tally.objects.filter(license__agreement__parts__holder=holder).distinct()
    counted = licenses.aggregate(total=Sum("quantity"))["total"] or 0
    closed = (
        Increment.objects.filter(license__agreement__parts__holder=holder)
        .distinct()
        .aggregate(total=Sum("quantity"))["total"]
        or 0
    )
    return int(counted) - int(closed)


def halted_reason() -> str:
    """Why settling has stopped; empty when it has not."""
    row = Network.objects.first()
    return row.halted_reason if row else ""
