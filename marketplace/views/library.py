"""The library: licenses, copies to download, and the public certificate of each."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.cursor import row_after
from accounts.models import User
from colophon.units import split_ppm
from marketplace.cancel import cancel_purchase, cancelable_until
from marketplace.deliver import grant_download
from marketplace.errors import CopyNotReadyError, NotCancelableError, RevokedError
from marketplace.models import License
from marketplace.views.checkout import RIGHTS
from provenance.models import Source
from provenance.shown.pictures import picture_of

PAGE = 24
CANCELED = "The purchase is canceled. Its price lies in your deposit account again."
ROLES = {"platform": "fee", "creator": "maker"}
SOURCE_ROLES: dict[str, str] = {
    "model": "model",
    "dataset": "training data",
    "media": "picture used",
}


@login_required
@never_cache
@require_safe
def library(request: HttpRequest) -> HttpResponse:
    """Licenses of every party that one belongs to, newest first."""
    rows = _licenses(request).prefetch_related("asset__renditions")
    after = row_after(request.GET.get("after", ""))
    if after is not None:
        rows = rows.filter(pk__lt=after)
    found = list(rows.order_by("-pk")[: PAGE + 1])
    here = reverse("marketplace:library")
    context = {
        "licenses": [_row(one) for one in found[:PAGE]],
        "next_url": f"{here}?after={found[PAGE - 1].pk}" if len(found) > PAGE else "",
        "first_url": here if after else "",
    }
    return render(request, "marketplace/library.html", context)


@login_required
@never_cache
@require_safe
def license_page(request: HttpRequest, code: str) -> HttpResponse:
    """One license with its terms, shares and credit line; 404 for everybody else."""
    row = get_object_or_404(
        _licenses(request).prefetch_related("asset__renditions"), code=code
    )
    context = {
        **_row(row),
        "rights": _rights(row),
        "cancelable_until": cancelable_until(row),
        "split": _split(row),
        "total_units": row.price_units or row.deposit_units,
        "certificate_url": settings.SITE_URL
        + reverse("marketplace:certificate", args=[row.code]),
    }
    return render(request, "marketplace/license.html", context)


@require_safe
def certificate(request: HttpRequest, code: str) -> HttpResponse:
    """What anybody may know of a license whose id they hold: work, terms, state.

    The id stands in the credential of the licensed copy. Buyer, price and wallet are
    not told.
    """
    row = get_object_or_404(
        License.objects.select_related("asset__party", "entry"), code=code
    )
    context = {"license": row, "rights": _rights(row), "status": _status(row)}
    return render(request, "marketplace/certificate.html", context)


@login_required
@require_POST
def download(request: HttpRequest, code: str) -> HttpResponse:
    """A link that works once, for one minute, and straight on to it."""
    row = get_object_or_404(_licenses(request), code=code)
    user = request.user if isinstance(request.user, User) else None
    try:
        token = grant_download(license_row=row, user=user)
    except CopyNotReadyError as error:
        messages.info(request, f"{error.detail.capitalize()}.")
        return redirect("marketplace:license", code=code)
    return redirect("marketplace:download", token=token)


@login_required
@require_POST
def cancel(request: HttpRequest, code: str) -> HttpResponse:
    """End a purchase of one's own that was never downloaded."""
    row = get_object_or_404(_licenses(request), code=code)
    try:
        cancel_purchase(license_row=row)
    except (NotCancelableError, RevokedError) as error:
        messages.error(request, f"{error.title}. {error.meaning}")
    else:
        messages.success(request, CANCELED)
    return redirect("marketplace:license", code=code)


def _licenses(request: HttpRequest) -> QuerySet[License]:
    return License.objects.visible_to(request.user).select_related(
        "asset__party", "buyer", "delivery", "entry", "order__intent"
    )


def _row(row: License) -> dict[str, Any]:
    asset = row.asset
    creator = asset.creator_name or asset.party.name
    return {
        "license": row,
        "asset": asset,
        "picture": picture_of(asset, "thumbnail"),
        "creator": creator,
        "delivery": getattr(row, "delivery", None),
        "status": _status(row),
        "metered": bool(row.rate_units),
        "credit": (
            f"“{asset.title}” by {creator}, licensed through Colophon ({row.code})"
        ),
    }


def _status(row: License) -> tuple[str, str]:
    """Word and kind of partials/status_pill.html."""
    if row.revoked_reason == License.Revoked.CANCELED:
        return "Canceled", "off"
    if row.revoked_reason == License.Revoked.REFUNDED:
        return "Ended", "off"
    if row.state == License.State.REVOKED:
        return "Revoked", "bad"
    if row.is_closed:
        return "Ended", "off"
    if row.valid_until <= timezone.now():
        return "Expired", "off"
    return "Valid", "ok"


def _rights(row: License) -> list[tuple[str, bool]]:
    return [(words, bool(row.terms["rights"].get(key))) for key, words in RIGHTS]


def _split(row: License) -> list[dict[str, Any]]:
    """The frozen parts over the price, as the license holds them."""
    shares = row.shares
    units = row.price_units or row.deposit_units
    amounts = split_ppm(units, [(one["holder"], one["ppm"]) for one in shares])
    kinds = dict(
        Source.objects.filter(
            code__in=[one["source"] for one in shares if one["source"]]
        ).values_list("code", "kind")
    )
    rows = [
        {
            "name": one["name"],
            "role": ROLES.get(one["role"])
            or SOURCE_ROLES.get(kinds.get(one["source"], ""), "source"),
            "units": paid,
            "ppm": one["ppm"],
            "url": reverse("provenance:source", args=[one["source"]])
            if one["source"]
            else "",
        }
        for one, paid in zip(shares, amounts, strict=True)
    ]
    return sorted(rows, key=lambda row: (row["role"] == "fee", -row["ppm"]))
