"""The rows behind every figure, and why each of them was earned."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.db.models import Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.acting import acting_party
from accounts.cursor import row_after
from accounts.models import Holder
from colophon.ids import is_id
from provenance.models import Source
from royalties.models import Accrual, Payout, Settlement, UsageBatch
from royalties.overview import lines_of, word_of
from royalties.statement import figures, newest_leaf
from royalties.views.words import state_of

PAGE = 50
BATCHES = 20
TITLES = {
    "": ("Everything you earned", "Every line of every settlement, the newest first."),
    "available": (
        "Available",
        "Lines of settlements whose waiting time is over, less what was paid already.",
    ),
    "pending": (
        "Pending",
        "Lines of settlements in which a mistake can still be found and stopped.",
    ),
}


@login_required
@never_cache
@require_GET
def earned(request: HttpRequest) -> HttpResponse:
    """Lines by state or work, with their sum."""
    holder = acting_party(request).holder
    state = request.GET.get("state", "")
    state = state if state in TITLES else ""
    work = request.GET.get("work", "")
    rows = _of_work(_in_state(lines_of(holder), holder, state), work)
    total = int(rows.aggregate(total=Sum("units"))["total"] or 0)
    page, after = _page(rows, request.GET.get("after", ""))
    found = figures(holder)
    query = {key: value for key, value in (("state", state), ("work", work)) if value}
    title, lead = TITLES[state]
    context: dict[str, Any] = {
        "title": page[0].increment.license.asset.title if work and page else title,
        "lead": lead,
        "lines": [line_row(row) for row in page],
        "total": total,
        "paid": found["paid"] if state == "available" and not work else None,
        "left": found["available"],
        "next_url": _url(query | {"after": str(after)}) if after else "",
        "first_url": _url(query) if request.GET.get("after") else "",
    }
    return render(request, "royalties/earned.html", context)


@login_required
@never_cache
@require_GET
def why(request: HttpRequest, epoch: int, license: str, position: int) -> HttpResponse:  # noqa: A002 - the word
    """One line: use, price, split, settlement and payment."""
    holder = acting_party(request).holder
    row = get_object_or_404(
        related(lines_of(holder)),
        increment__settlement__epoch=epoch,
        increment__license__code=license,
        position=position,
    )
    increment = row.increment
    settlement, sold = increment.settlement, increment.license
    context: dict[str, Any] = {
        "line": line_row(row),
        "row": row,
        "increment": increment,
        "license": sold,
        "settlement": settlement,
        "batches": _batches(row),
        "shares": _shares(row, holder),
        "payout": _payout(settlement, holder),
        "state": state_of(settlement.state),
        "agreement": bytes(sold.agreement.digest).hex(),
    }
    return render(request, "royalties/why.html", context)


def related(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Lines with all that a row shows, in one query."""
    return rows.select_related(
        "increment__settlement__intent",
        "increment__license__asset",
        "increment__license__agreement",
    )


def _in_state(rows: QuerySet[Any], holder: Holder, state: str) -> QuerySet[Any]:
    """Lines that the newest matured leaf covers, or those after it."""
    if not state:
        return rows
    leaf = newest_leaf(holder)
    last = leaf.settlement.epoch if leaf else 0
    if state == "available":
        return rows.filter(increment__settlement__epoch__lte=last)
    return rows.filter(increment__settlement__epoch__gt=last)


def _of_work(rows: QuerySet[Any], code: str) -> QuerySet[Any]:
    """All lines without a work; none for what is no id."""
    if not code:
        return rows
    asked = rows.filter(increment__license__asset__code=code)
    return asked if is_id(code) else rows.none()


def _page(rows: QuerySet[Any], after: str) -> tuple[list[Accrual], int | None]:
    """One page, the newest first, and the key that the next page starts after."""
    if (last := row_after(after)) is not None:
        rows = rows.filter(pk__lt=last)
    found = list(related(rows).order_by("-pk")[: PAGE + 1])
    return found[:PAGE], found[PAGE - 1].pk if len(found) > PAGE else None


def line_row(row: Accrual) -> dict[str, Any]:
    """One row of the tables."""
    increment, sold = row.increment, row.increment.license
    return {
        "epoch": increment.settlement.epoch,
        "at": increment.settlement.built_at,
        "title": sold.asset.title,
        "code": sold.asset.code,
        "license": sold.code,
        "use": sold.terms.get("name", ""),
        "role": word_of(row.role, getattr(row, "kind", None)),
        "quantity": increment.quantity,
        "increment": increment.units,
        "ppm": row.ppm,
        "units": row.units,
        "why": reverse(
            "royalties:why",
            args=[increment.settlement.epoch, sold.code, row.position],
        ),
    }


def _batches(row: Accrual) -> list[UsageBatch]:
    """The newest batches that this increment closed, with their log entries."""
    sold = row.increment.license
    earlier = sold.increments.filter(
        settlement__epoch__lt=row.increment.settlement.epoch
    ).aggregate(total=Sum("quantity"))["total"]
    before = int(earlier or 0)
    return list(
        sold.batches.filter(
            Q(quantity_after__gt=before)
            & Q(quantity_after__lte=before + row.increment.quantity),
            recorded_at__isnull=False,
        )
        .select_related("entry")
        .order_by("-pk")[:BATCHES]
    )


def _shares(row: Accrual, holder: Holder) -> list[dict[str, Any]]:
    """Everybody's part of the increment; the reader's own is marked."""
    kinds = dict(
        Source.objects.filter(
            code__in=[one["source"] for one in row.increment.license.shares]
        ).values_list("code", "kind")
    )
    parts = row.increment.accruals.select_related("holder").order_by("position")
    shares = row.increment.license.shares
    return [
        {
            "name": "You" if part.holder_id == holder.pk else share["name"],
            "role": word_of(part.role, kinds.get(share["source"])).lower(),
            "units": part.units,
            "ppm": part.ppm,
        }
        for part, share in zip(parts, shares, strict=True)
    ]


def _payout(settlement: Settlement, holder: Holder) -> Payout | None:
    """The first payment that covers a settlement."""
    return (
        holder.payouts.filter(
            settlement__epoch__gte=settlement.epoch, state=Payout.State.PAID
        )
        .order_by("settlement__epoch")
        .first()
    )


def _url(query: dict[str, str]) -> str:
    words = urlencode(query)
    return reverse("royalties:earned") + (f"?{words}" if words else "")
