"""One of one's own works: how far it is, who is paid, and which licenses it has."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from colophon.errors import ColophonError, InputError
from marketplace.forms import OffersForm, initial_offers
from marketplace.models import Listing
from marketplace.publish import publish_listing
from marketplace.withdraw import withdraw_listing
from provenance.agree import propose_agreement
from provenance.errors import AgreementError
from provenance.forms import AgreementForm
from provenance.models import Agreement, Asset
from provenance.shown.badge import reasons, shown
from provenance.shown.cases import review_of
from provenance.shown.pictures import picture_of
from provenance.shown.stages import pill_of, progress_of

REFUSED = 422


@login_required
@never_cache
@require_safe
def page(request: HttpRequest, code: str) -> HttpResponse:
    """The work with its stages, agreement and offers; 404 for everybody else."""
    return _page(request, _mine(request, code))


@login_required
@require_POST
def agree(request: HttpRequest, code: str) -> HttpResponse:
    """Propose who is paid; the acting account signs it."""
    asset = _mine(request, code)
    form = AgreementForm(request.POST, asset=asset)
    if not form.is_valid():
        return _page(request, asset, agreement_form=form)
    try:
        parts = form.cleaned_data["parts"]
        propose_agreement(asset=asset, parts=parts, by=asset.party)
    except ColophonError as error:
        form.add_error(None, _words(error))
        return _page(request, asset, agreement_form=form)
    messages.success(request, "The agreement is signed and in the log.")
    return redirect("marketplace:work", code=asset.code)


@login_required
@require_POST
def publish(request: HttpRequest, code: str) -> HttpResponse:
    """Put the work on sale, or replace its offers."""
    asset = _mine(request, code)
    form = OffersForm(request.POST)
    if not form.is_valid():
        return _page(request, asset, offers_form=form)
    try:
        publish_listing(asset=asset, plans=form.plans)
    except ColophonError as error:
        form.add_error(None, _words(error))
        return _page(request, asset, offers_form=form)
    messages.success(request, "The work is on sale.")
    return redirect("marketplace:work", code=asset.code)


@login_required
@require_POST
def withdraw(request: HttpRequest, code: str) -> HttpResponse:
    """Take the work off sale."""
    asset = _mine(request, code)
    listing = get_object_or_404(Listing, asset=asset)
    withdraw_listing(listing=listing)
    messages.success(
        request, "The work is off sale; licenses issued before stay valid."
    )
    return redirect("marketplace:work", code=asset.code)


def _mine(request: HttpRequest, code: str) -> Asset:
    rows = (
        Asset.objects.editable_by(request.user)
        .select_related("party", "run", "seal__entry", "findings", "listing")
        .prefetch_related("renditions")
    )
    return get_object_or_404(rows, code=code)


def _words(error: ColophonError) -> str:
    """What went wrong, as one sentence."""
    detail = getattr(error, "detail", "") or str(error)
    return f"{detail[:1].upper()}{detail[1:].rstrip('.')}."


def _page(
    request: HttpRequest,
    asset: Asset,
    *,
    agreement_form: AgreementForm | None = None,
    offers_form: OffersForm | None = None,
) -> HttpResponse:
    refused = agreement_form is not None or offers_form is not None
    listing: Listing | None = getattr(asset, "listing", None)
    offers = list(listing.offers.filter(withdrawn_at__isnull=True)) if listing else []
    verdict = asset.verdicts.first()
    word, state = pill_of(asset)
    if listing is not None and listing.state == Listing.State.WITHDRAWN:
        word, state = "Off sale", "off"
    elif listing is not None and listing.suspended_at:
        word, state = "Suspended", "bad"
    context: dict[str, Any] = {
        "asset": asset,
        "picture": picture_of(asset),
        "word": word,
        "state": state,
        "verdict": shown(verdict) if verdict else None,
        "judged": verdict,
        "reasons": reasons(verdict),
        "listing": listing,
        "live": listing is not None and listing.state == Listing.State.LIVE,
        "offers": offers,
        **progress_of(asset),
        **_agreement(asset, agreement_form),
        "review": review_of(asset),
        "offers_form": offers_form or OffersForm(initial=initial_offers(offers)),
    }
    status = REFUSED if refused else 200
    return render(request, "marketplace/work.html", context, status=status)


def _agreement(asset: Asset, form: AgreementForm | None) -> dict[str, Any]:
    """The newest agreement with who accepted it, and the form for the next one."""
    if not hasattr(asset, "seal"):
        return {"agreement": None}
    newest = (
        Agreement.objects.filter(asset=asset)
        .prefetch_related("parts__holder", "parts__source", "acceptances")
        .order_by("-version")
        .first()
    )
    found: dict[str, Any] = {"agreement": newest, "parts": _parts(newest)}
    try:
        found["agreement_form"] = form or AgreementForm(asset=asset)
    except (AgreementError, InputError) as error:
        found["agreement_problem"] = _words(error)
    return found


def _parts(agreement: Agreement | None) -> list[dict[str, Any]]:
    if agreement is None:
        return []
    accepted = {row.holder_id: row.method for row in agreement.acceptances.all()}
    return [
        {
            "part": part,
            "method": accepted.get(part.holder_id, ""),
            "reserved": part.holder.party_id is None,
        }
        for part in agreement.parts.all()
    ]
