"""The dashboard of a holder, and the button that asks to be paid now."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.acting import acting_party
from accounts.models import Holder
from royalties import overview
from royalties.ask import Answer, ask_payout
from royalties.due import held_of, sold_of
from royalties.statement import figures
from royalties.views.words import state_of

SHOWN = 8
SAID = {
    Answer.ASKED: (
        messages.SUCCESS,
        "Your payment is on its way. It shows here once the chain has it for good.",
    ),
    Answer.NO_WALLET: (
        messages.WARNING,
        "Link a wallet first. What you earned is kept for you.",
    ),
    Answer.NOTHING_YET: (
        messages.INFO,
        "Nothing is free to be paid yet: a settlement has a waiting time.",
    ),
    Answer.NEXT_SETTLEMENT: (
        messages.INFO,
        "Your wallet was linked after the last settlement. The next one pays to it.",
    ),
}


@login_required
@never_cache
@require_GET
def dashboard(request: HttpRequest) -> HttpResponse:
    """What the acting party earned, and why."""
    holder = acting_party(request).holder
    found = figures(holder)
    months = overview.by_month(holder)
    counts = overview.counts_of(holder)
    this_month = sum(months[-1]["values"])
    context: dict[str, Any] = {
        "holder": holder,
        "figures": found,
        "tiles": _tiles(holder, found),
        "facts": _facts(counts),
        "is_empty": not holder.accruals.exists(),
        "earned": this_month or found["lifetime"],
        "earned_when": f"in {timezone.now():%B}" if this_month else "so far",
        "series": [{"name": name, "kind": kind} for _, name, kind in overview.PARTS],
        "months": months,
        "works": overview.by_work(holder, SHOWN),
        "roles": overview.by_role(holder),
        "statements": [
            {"row": row, "state": state_of(row.state)}
            for row in overview.settlements_of(holder)[:SHOWN]
        ],
        "unsettled": overview.unsettled_uses(holder),
        "threshold": settings.PAYOUT_THRESHOLD_UNITS,
        "halted": overview.halted_reason(),
        "held": held_of(holder),
        "sold": sold_of(holder),
    }
    return render(request, "royalties/dashboard.html", context)


@login_required
@require_POST
def settle(request: HttpRequest) -> HttpResponse:
    """Ask for payment of what is available, below the threshold too."""
    level, words = SAID[ask_payout(acting_party(request).holder)]
    messages.add_message(request, level, words)
    return redirect("royalties:dashboard")


def _tiles(holder: Holder, found: dict[str, int]) -> list[dict[str, Any]]:
    rows = reverse("royalties:earned")
    return [
        {
            "label": "Available",
            "units": found["available"],
            "url": f"{rows}?state=available",
            "note": "free to be paid",
        },
        {
            "label": "Pending",
            "units": found["pending"],
            "url": f"{rows}?state=pending",
            "note": _release(holder, found["pending"]),
        },
        {"label": "Paid", "units": found["paid"], "url": reverse("royalties:payouts")},
        {"label": "Lifetime", "units": found["lifetime"], "url": rows},
    ]


def _release(holder: Holder, pending: int) -> str:
    """When what is pending becomes available."""
    if not pending:
        return "nothing waits"
    moment = overview.release_at(holder)
    if moment is None:
        return "free some time after the settlement under way"
    return f"free from {_short(moment)}"


def _facts(counts: dict[str, int]) -> list[dict[str, Any]]:
    upcoming = overview.next_settlement_at()
    return [
        {"label": "Uses settled", "text": f"{counts['uses']:,}"},
        {"label": "Works that earn for you", "text": f"{counts['works']:,}"},
        {
            "label": "Next settlement",
            "text": _short(upcoming) if upcoming else "not planned yet",
        },
    ]


def _short(moment: datetime) -> str:
    """`12 Nov, 09:14 UTC`."""
    return f"{moment.day} {moment:%b, %H:%M} UTC"
