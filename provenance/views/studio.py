"""The studio: one's works and how far each has come, and what waits for one's yes."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import F, Max, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts.acting import acting_party
from accounts.cursor import row_after
from accounts.models import Party
from provenance.agree import accept_agreement
from provenance.models import Agreement, AgreementPart, Asset
from provenance.shown.badge import shown
from provenance.shown.disputes import open_for_owner
from provenance.shown.pictures import picture_of
from provenance.shown.stages import pill_of

PAGE = 24


@login_required
@require_safe
def studio(request: HttpRequest) -> HttpResponse:
    """The acting party's works, newest first, and agreements that it has to answer."""
    party = acting_party(request)
    rows = (
        Asset.objects.filter(party=party)
        .select_related("seal__entry", "findings")
        .prefetch_related("renditions", "verdicts")
    )
    after = row_after(request.GET.get("after", ""))
    if after is not None:
        rows = rows.filter(pk__lt=after)
    found = list(rows.order_by("-pk")[: PAGE + 1])
    here = reverse("provenance:studio")
    context = {
        "party": party,
        "works": [_work(asset) for asset in found[:PAGE]],
        "waiting": _waiting(party),
        "disputes": open_for_owner(Asset.objects.filter(party=party)),
        "next_url": f"{here}?after={found[PAGE - 1].pk}" if len(found) > PAGE else "",
        "first_url": here if after else "",
    }
    return render(request, "provenance/studio.html", context)


def _work(asset: Asset) -> dict[str, Any]:
    newest = list(asset.verdicts.all())[:1]
    word, state = pill_of(asset)
    return {
        "asset": asset,
        "url": reverse("marketplace:work", args=[asset.code]),
        "picture": picture_of(asset, "thumbnail"),
        "verdict": shown(newest[0]) if newest else None,
        "word": word,
        "state": state,
    }


def _waiting(party: Party) -> list[dict[str, Any]]:
    """Newest agreements that name the party's holder and lack its yes."""
    rows = unanswered(party).select_related("asset", "asset__party")
    mine = AgreementPart.objects.filter(
        agreement__in=rows, holder=party.holder
    ).values_list("agreement", "ppm")
    parts: dict[int, int] = {}
    for pk, ppm in mine:
        parts[pk] = parts.get(pk, 0) + ppm
    return [{"agreement": row, "ppm": parts[row.pk]} for row in rows]


def unanswered(party: Party) -> QuerySet[Agreement]:
    """The newest agreement of each work that waits for this party."""
    return (
        Agreement.objects.annotate(newest=Max("asset__agreements__version"))
        .filter(version=F("newest"), parts__holder__party=party)
        .exclude(acceptances__holder__party=party)
        .distinct()
        .order_by("-pk")
    )


@login_required
@require_POST
def accept(request: HttpRequest, code: str) -> HttpResponse:
    """Say yes to the part that an agreement gives the acting party."""
    party = acting_party(request)
    rows = Agreement.objects.filter(parts__holder__party=party).distinct()
    agreement = get_object_or_404(rows, code=code)
    accept_agreement(agreement=agreement, party=party)
    messages.success(request, f"You accepted your part of {agreement.asset.title}.")
    return redirect("provenance:studio")
