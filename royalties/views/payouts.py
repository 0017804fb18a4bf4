"""What was paid, and the file that leads from a payout to the first step."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.acting import acting_party
from royalties.models import Payout
from royalties.trace import trace_payout
from royalties.views.words import payout_state

LISTED = 400


@login_required
@never_cache
@require_GET
def payouts(request: HttpRequest) -> HttpResponse:
    """Every payout of the acting party, the newest first."""
    mine = acting_party(request).holder.payouts
    rows = mine.select_related("settlement").order_by("-pk")[:LISTED]
    total = mine.filter(state=Payout.State.PAID).aggregate(total=Sum("units"))["total"]
    listed = [{"row": row, "state": payout_state(row.state)} for row in rows]
    context = {"payouts": listed, "total": int(total or 0)}
    return render(request, "royalties/payouts.html", context)


@login_required
@never_cache
@require_GET
def trace(request: HttpRequest, code: str) -> HttpResponse:
    """Everything that `colophon trace` recomputes, as a file."""
    rows = Payout.objects.filter(holder=acting_party(request).holder)
    found = trace_payout(get_object_or_404(rows, code=code))
    answer = JsonResponse(
        found, encoder=DjangoJSONEncoder, json_dumps_params={"indent": 1}
    )
    answer["Content-Disposition"] = f'attachment; filename="{code}.trace.json"'
    return answer
