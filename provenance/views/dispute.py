"""Disputes for both sides: object to a work, follow it, answer, appeal."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from accounts.errors import TooManyTriesError
from accounts.models import Party, User
from colophon.errors import InputError
from provenance.dispute import (
    answer_dispute,
    appeal_dispute,
    is_complainant,
    open_dispute,
)
from provenance.dispute_forms import AnswerForm, AppealForm, DisputeForm
from provenance.errors import DisputeError
from provenance.models import Asset, Dispute
from provenance.shown.disputes import told

REFUSED = 422


class DisputeThrottle(SimpleRateThrottle):
    """Objections by network address: each one holds somebody's money."""

    scope = "dispute"

    def get_cache_key(self, request: Request | HttpRequest, view: object) -> str:  # noqa: ARG002
        return f"dispute-{self.get_ident(request)}"  # type: ignore[arg-type]


class Seen(NamedTuple):
    """A dispute as somebody may see it."""

    row: Dispute
    side: str
    secret: str

    @property
    def url(self) -> str:
        """Its page for this side."""
        page = reverse("provenance:dispute", args=[self.row.code])
        return f"{page}?key={self.secret}" if self.secret else page


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, code: str) -> HttpResponse:
    """Object to a published work; nobody needs an account for it."""
    asset = get_object_or_404(Asset, code=code, published_at__isnull=False)
    if request.method != "POST":
        return _new(request, asset, DisputeForm())
    form = DisputeForm(request.POST)
    if not form.is_valid():
        return _new(request, asset, form)
    if not DisputeThrottle().allow_request(request, None):  # type: ignore[arg-type]
        raise TooManyTriesError
    by = request.user if isinstance(request.user, User) else None
    try:
        row, secret = open_dispute(asset=asset, objection=form.objection, by=by)
    except DisputeError as error:
        form.add_error(None, f"This work {error.message}.")
        return _new(request, asset, form)
    messages.success(request, "Your objection is in the queue, and its owner is told.")
    return redirect(Seen(row, "complainant", "" if by else secret).url)


def _new(request: HttpRequest, asset: Asset, form: DisputeForm) -> HttpResponse:
    context = {"asset": asset, "form": form}
    status = REFUSED if form.is_bound else 200
    return render(request, "provenance/dispute_new.html", context, status=status)


@never_cache
@require_safe
def page(request: HttpRequest, code: str) -> HttpResponse:
    """One dispute, for its two sides and for certifiers; 404 for everybody else."""
    return _page(request, _seen(request, code))


@never_cache
@require_POST
def answer(request: HttpRequest, code: str) -> HttpResponse:
    """The owner answers."""
    seen = _seen(request, code)
    if seen.side != "owner":
        raise Http404
    form = AnswerForm(request.POST)
    if not form.is_valid():
        return _page(request, seen, answer_form=form)
    try:
        answer_dispute(dispute=seen.row, text=form.cleaned_data["text"])
    except DisputeError as error:
        return _page(request, seen, answer_form=_with(form, error))
    messages.success(request, "Your answer is with the certifiers.")
    return redirect(seen.url)


@never_cache
@require_POST
def appeal(request: HttpRequest, code: str) -> HttpResponse:
    """Whom the decision went against appeals, once."""
    seen = _seen(request, code)
    if seen.side not in {"owner", "complainant"}:
        raise Http404
    form = AppealForm(request.POST)
    if not form.is_valid():
        return _page(request, seen, appeal_form=form)
    try:
        appeal_dispute(
            dispute=seen.row,
            by_owner=seen.side == "owner",
            text=form.cleaned_data["text"],
        )
    except DisputeError as error:
        return _page(request, seen, appeal_form=_with(form, error))
    messages.success(request, "Your appeal is in the queue; others will decide it.")
    return redirect(seen.url)


def _with(form: Any, error: InputError) -> Any:
    form.add_error(None, f"This dispute {error.message}.")
    return form


def _seen(request: HttpRequest, code: str) -> Seen:
    """The dispute and the asker's side of it.

    Raises:
        Http404: no such dispute, or it is not theirs to see.
    """
    rows = Dispute.objects.select_related("asset__party", "asset__seal")
    row = get_object_or_404(rows, code=code)
    secret = (request.POST if request.method == "POST" else request.GET).get("key", "")
    if isinstance(request.user, User):
        mine = Party.objects.of(request.user)
        if mine.filter(pk=row.asset.party_id).exists():
            return Seen(row, "owner", "")
    if is_complainant(row, request.user, secret):
        by_secret = row.opened_by_id is None
        return Seen(row, "complainant", secret if by_secret else "")
    if isinstance(request.user, User) and request.user.is_staff:
        return Seen(row, "certifier", "")
    raise Http404


def _page(
    request: HttpRequest,
    seen: Seen,
    *,
    answer_form: AnswerForm | None = None,
    appeal_form: AppealForm | None = None,
) -> HttpResponse:
    seen.row.refresh_from_db()
    shown = told(seen.row, seen.side)
    context = {
        "dispute": seen.row,
        "asset": seen.row.asset,
        "secret": seen.secret,
        "told": shown,
        "answer_form": answer_form or (AnswerForm() if shown["may_answer"] else None),
        "appeal_form": appeal_form or (AppealForm() if shown["may_appeal"] else None),
    }
    refused = answer_form is not None or appeal_form is not None
    return render(
        request, "provenance/dispute.html", context, status=REFUSED if refused else 200
    )
