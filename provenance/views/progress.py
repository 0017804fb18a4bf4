"""How far a work has come, as a list of stages that the page asks for anew."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from provenance.models import Asset
from provenance.shown.stages import progress_of

REFRESH = "HX-Refresh"


@login_required
@require_safe
def progress(request: HttpRequest, code: str) -> HttpResponse:
    """The stages of one of one's works; reloads the page when its forms change.

    `?seen=` is the stage that the page was drawn for.
    """
    asset = get_object_or_404(Asset.objects.editable_by(request.user), code=code)
    answer = render(
        request, "provenance/progress.html", {"asset": asset, **progress_of(asset)}
    )
    if request.GET.get("seen", asset.stage) != asset.stage:
        answer[REFRESH] = "true"
    return answer
