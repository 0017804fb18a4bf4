"""Reported uses: kept as they came, counted once, priced anew, never overcharged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from django.db.models import F, Max, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from colophon import merkle, records
from colophon.digest import canonical, sha256
from colophon.errors import ColophonError
from colophon.statement import Envelope, read_statement
from colophon.units import amount_for, format_units
from marketplace.models import License
from royalties.due import events_of
from royalties.models import Increment, Settlement, Tally, UsageBatch, UsageEvent
from royalties.verify.finding import Finding

CHUNK = 200


def events() -> Iterator[Finding]:
    """Every event is as it came, and its batch is in the log under their root (I7)."""
    rows = UsageBatch.objects.select_related("license", "entry").prefetch_related(
        "events"
    )
    for batch in rows.order_by("pk").iterator(chunk_size=CHUNK):
        found = sorted(batch.events.all(), key=lambda one: one.position)
        for event in found:
            if words := _event_problem(event, batch):
                yield Finding(f"{batch.code}, event {event.event_id}", words)
        if len(found) != batch.count:
            yield Finding(batch.code, f"has {len(found)} events, not {batch.count}")
        leaves = [merkle.leaf_hash(canonical(event.body)) for event in found]
        if merkle.root(leaves) != bytes(batch.root):
            yield Finding(batch.code, "its root is not the one of its events")
        if batch.recorded_at and (words := _entry_problem(batch)):
            yield Finding(batch.code, words)


def _event_problem(event: UsageEvent, batch: UsageBatch) -> str:
    body = event.body
    if sha256(canonical(body)) != bytes(event.digest):
        return "its body is not the one that was reported"
    said = body.get("data", {}).get("quantity")
    if said != event.quantity or body.get("id") != event.event_id:
        return "its row differs from its body"
    if event.license_id != batch.license_id:
        return "is of another license than its batch"
    if body.get("subject") != batch.license.code:
        return "names another license"
    if batch.recorded_at and event.state == UsageEvent.State.RECEIVED:
        return "was never counted though its batch was"
    return ""


def _entry_problem(batch: UsageBatch) -> str:
    if batch.entry is None:
        return "was counted but is not in the log"
    if batch.entry.envelope is None:
        return ""
    try:
        envelope = Envelope.from_json(batch.entry.envelope)
        said = records.parse_usage(read_statement(envelope.payload))
    except ColophonError as error:
        return f"its record cannot be read: {error}"
    told = (said.batch, said.license, said.root, said.count)
    mine = (batch.code, batch.license.code, bytes(batch.root), batch.count)
    return "" if told == mine else "its record is about something else"


def tallies() -> Iterator[Finding]:
    """Counting and pricing the raw events again gives the stored totals (I6, I8)."""
    counted = {
        row["batch"]: row["total"]
        for row in UsageEvent.objects.filter(state=UsageEvent.State.COUNTED)
        .values("batch")
        .annotate(total=Sum("quantity"))
    }
    running: dict[int, int] = defaultdict(int)
    worth: dict[int, int] = {}
    rows = UsageBatch.objects.filter(recorded_at__isnull=False).select_related(
        "license"
    )
    # workers may count batches in another order than they came: the log has theirs
    for batch in rows.order_by("entry_id").iterator(chunk_size=CHUNK):
        sold = batch.license
        running[sold.pk] += counted.get(batch.pk, 0)
        worth[sold.pk] = amount_for(running[sold.pk], sold.rate_units, sold.rate_per)
        right = (running[sold.pk], min(worth[sold.pk], sold.deposit_units))
        if (batch.quantity_after, batch.usage_units_after) != right:
            words = (
                f"says {batch.quantity_after:,} uses and "
                f"{format_units(batch.usage_units_after)} so far, its events give "
                f"{right[0]:,} and {format_units(right[1])}"
            )
            yield Finding(batch.code, words)
    for tally in Tally.objects.select_related("license").order_by("pk"):
        yield from _tally(tally, running[tally.license_id], worth)


def _tally(tally: Tally, quantity: int, worth: dict[int, int]) -> Iterator[Finding]:
    sold = tally.license
    value = worth.get(sold.pk, 0)
    charged = min(value, sold.deposit_units)
    right = (quantity, charged, min(value - charged, Tally.MOST_UNITS))
    if (tally.quantity, tally.usage_units, tally.unfunded_units) != right:
        words = (
            f"its tally says {tally.quantity:,} uses and "
            f"{format_units(tally.usage_units)}, its events give {quantity:,} and "
            f"{format_units(charged)}"
        )
        yield Finding(sold.code, words)


def deposits() -> Iterator[Finding]:
    """No license is charged beyond its deposit and its price (DESIGN §6)."""
    rows: QuerySet[Any] = (
        License.objects.annotate(
            fees=Coalesce(Sum("increments__fee_units"), 0),
            charged=Coalesce(Sum("increments__usage_units"), 0),
        )
        .filter(Q(fees__gt=F("price_units")) | Q(charged__gt=F("deposit_units")))
        .order_by("pk")
    )
    for row in rows:
        words = (
            f"charged {format_units(row.fees)} and {format_units(row.charged)} of "
            f"{format_units(row.price_units)} and {format_units(row.deposit_units)}"
        )
        yield Finding(row.code, words)


def closed() -> Iterator[Finding]:
    """What a license's settlements closed is what its tally says, and no more."""
    rows = (
        Tally.objects.annotate(
            total=Coalesce(Sum("license__increments__usage_units"), 0)
        )
        .filter(
            ~Q(total=F("closed_units"))
            | Q(closed_units__gt=F("usage_units"))
            | Q(usage_units__gt=F("license__deposit_units"))
        )
        .select_related("license")
    )
    for row in rows.order_by("pk"):
        words = (
            f"settlements closed {format_units(row.total)}, its tally says "
            f"{format_units(row.closed_units)} of {format_units(row.usage_units)}"
        )
        yield Finding(row.license.code, words)


def increments() -> Iterator[Finding]:
    """Each settlement closed exactly what its checkpoint covers (I6)."""
    before: dict[int, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for settlement in Settlement.objects.order_by("epoch"):
        rows = Increment.objects.filter(settlement=settlement).select_related(
            "license__entry"
        )
        covered = {
            row["license"]: (row["quantity"], row["units"])
            for row in UsageBatch.objects.filter(
                entry__index__lt=settlement.log_size,
                license__increments__settlement=settlement,
            )
            .values("license")
            .annotate(quantity=Max("quantity_after"), units=Max("usage_units_after"))
        }
        closed = 0
        for row in rows.order_by("pk"):
            old = before[row.license_id]
            new = (old[0] + row.quantity, old[1] + row.usage_units)
            before[row.license_id] = new
            closed += events_of(row.license, old[0], new[0])
            name = f"settlement {settlement.epoch}, {row.license.code}"
            if new != covered.get(row.license_id, (0, 0)):
                yield Finding(name, "is not what its checkpoint covers")
            index = row.license.entry.index
            if index is None or index >= settlement.log_size:
                yield Finding(name, "its license came into the log later")
        if closed != settlement.count:
            words = f"closed {closed} events, it says {settlement.count}"
            yield Finding(f"settlement {settlement.epoch}", words)
