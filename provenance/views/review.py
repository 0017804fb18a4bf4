"""The certifiers' queue: what waits, one case with all it takes, and the word."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.cursor import row_after
from accounts.models import User
from colophon.errors import InputError
from provenance.case_forms import DecisionForm, ReviewForm
from provenance.conflicts import why_not
from provenance.decide import decide_case
from provenance.errors import CaseStateError, ConflictOfInterestError, DisputeError
from provenance.models import Asset, Case
from provenance.queue import holds, is_taken, leave_case, place_of, take_case
from provenance.review import ask_review
from provenance.shown.badge import reasons, shown
from provenance.shown.cases import line_of, what_of
from provenance.shown.disputes import told
from provenance.shown.pictures import picture_of
from provenance.shown.story import story_of
from provenance.shown.words import decided

PAGE = 30
REFUSED = 422
P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def certifiers_only(view: View[P]) -> View[P]:
    """Sign-in for strangers; whoever is no certifier has no such page."""

    @login_required
    @never_cache
    @wraps(view)
    def wrapped(
        request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponse:
        if not (isinstance(request.user, User) and request.user.is_staff):
            raise Http404
        return view(request, *args, **kwargs)

    return wrapped


def _me(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


@certifiers_only
@require_safe
def queue(request: HttpRequest) -> HttpResponse:
    """Everything that waits, oldest first, and what was decided last."""
    user, here = _me(request), reverse("provenance:review")
    rows = (
        Case.objects.waiting()
        .select_related("asset__party", "asset__run", "dispute", "appeal_of")
        .prefetch_related("asset__renditions", "decisions")
    )
    first = row_after(request.GET.get("after", "")) or 0
    found = list(rows[first : first + PAGE + 1])
    context = {
        "lines": [line_of(one, user) for one in found[:PAGE]],
        "first": first + 1,
        "waiting": Case.objects.filter(closed_at__isnull=True).count(),
        "closed": _closed(),
        "next_url": f"{here}?after={first + PAGE}" if len(found) > PAGE else "",
        "first_url": here if first else "",
    }
    return render(request, "provenance/review.html", context)


def _closed() -> list[dict[str, Any]]:
    rows = Case.objects.filter(closed_at__isnull=False).select_related(
        "asset", "dispute"
    )
    return [
        {"case": one, "what": what_of(one)} for one in rows.order_by("-closed_at")[:8]
    ]


@certifiers_only
@require_safe
def case(request: HttpRequest, code: str) -> HttpResponse:
    """One case: the work, its evidence, both sides, and the form when it is taken."""
    return _case(request, _row(code))


@certifiers_only
@require_POST
def take(request: HttpRequest, code: str) -> HttpResponse:
    """Take a case, so that nobody else works on it meanwhile."""
    row = _row(code)
    try:
        take_case(case=row, by=_me(request))
    except (CaseStateError, ConflictOfInterestError) as error:
        messages.error(request, error.detail)
        return redirect("provenance:review")
    return redirect("provenance:case", code=row.code)


@certifiers_only
@require_POST
def leave(request: HttpRequest, code: str) -> HttpResponse:
    """Give a case back to the queue."""
    leave_case(case=_row(code), by=_me(request))
    return redirect("provenance:review")


@certifiers_only
@require_POST
def decide(request: HttpRequest, code: str) -> HttpResponse:
    """Give one's word."""
    row = _row(code)
    form = DecisionForm(request.POST, case=row)
    if not form.is_valid():
        return _case(request, row, form)
    try:
        decide_case(case=row, by=_me(request), **form.decision)
    except (CaseStateError, ConflictOfInterestError) as error:
        messages.error(request, error.detail)
        return redirect("provenance:case", code=row.code)
    except InputError as error:
        form.add_error(None, str(error))
        return _case(request, row, form)
    row.refresh_from_db()
    after = "It is decided." if row.closed_at else "It waits for another certifier."
    messages.success(request, f"Your word is signed and in the log. {after}")
    return redirect("provenance:review")


def _row(code: str) -> Case:
    rows = Case.objects.select_related(
        "asset__party", "asset__run", "asset__seal", "dispute", "appeal_of"
    )
    return get_object_or_404(rows, code=code)


def _case(
    request: HttpRequest, row: Case, form: DecisionForm | None = None
) -> HttpResponse:
    user, asset = _me(request), row.asset
    mine = row.closed_at is None and holds(row, user)
    verdict = asset.verdicts.first()
    context = {
        "case": row,
        "asset": asset,
        "what": what_of(row),
        "place": place_of(row),
        "mine": mine,
        "taken": is_taken(row) and not mine,
        "why_not": why_not(row, user),
        "picture": picture_of(asset),
        "verdict": shown(verdict),
        "judged": verdict,
        "reasons": reasons(verdict),
        "story": story_of(asset),
        "decided": decided(row),
        "dispute": row.dispute,
        "told": told(row.dispute, "certifier") if row.dispute else None,
        "form": (form or DecisionForm(case=row)) if mine else None,
    }
    status = REFUSED if form is not None else 200
    return render(request, "provenance/case.html", context, status=status)


@login_required
@require_POST
def ask(request: HttpRequest, code: str) -> HttpResponse:
    """The owner asks for a review of a work, or appeals against its refusal."""
    asset = get_object_or_404(Asset.objects.editable_by(request.user), code=code)
    form = ReviewForm(request.POST)
    if not form.is_valid():
        messages.error(request, "That is too long; say it in 4,000 characters.")
        return redirect("marketplace:work", code=asset.code)
    try:
        made = ask_review(asset=asset, text=form.cleaned_data["text"].strip())
    except DisputeError as error:
        messages.error(request, error.message[:1].upper() + error.message[1:])
        return redirect("marketplace:work", code=asset.code)
    messages.success(request, f"It waits for certifiers: {place_of(made)}.")
    return redirect("marketplace:work", code=asset.code)
