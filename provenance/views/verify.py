"""Verify: where does a file come from? By its digest first, then by itself."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.errors import TooManyTriesError
from colophon.digest import from_hex
from colophon.errors import ColophonError, InputError
from colophon.ids import is_id
from provenance.models import Asset
from provenance.shown.badge import shown
from provenance.shown.pictures import picture_of
from provenance.views.answer import answer_of
from provenance.views.checking import VerifyThrottle, check_digest, check_file

REFUSED = 422


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    """The page; POST checks a file, `?sha256=` a digest, `?id=` opens a record."""
    if request.method == "POST":
        return _file(request)
    context: dict[str, Any] = {}
    if code := request.GET.get("id", ""):
        context = _record(request, code)
    elif "sha256" in request.GET:
        context = _digest(request)
    return render(request, "provenance/verify.html", context)


@never_cache
@require_safe
def lookup(request: HttpRequest) -> HttpResponse:
    """The answer for a digest alone, as a part of the page (static/js/verify.js)."""
    return render(request, "provenance/answer.html", _digest(request))


def _digest(request: HttpRequest) -> dict[str, Any]:
    _count(request)
    text = request.GET.get("sha256", "").strip().lower()
    try:
        digest = from_hex(text.removeprefix("sha256:"), 32, "sha256")
    except InputError:
        return {"problem": "That is no SHA-256: it has 64 digits, 0 to 9 and a to f."}
    checked = check_digest(digest, Asset.objects.visible_to(request.user))
    if checked is None:
        return {"answer": _no_record(digest)}
    return {"answer": answer_of(checked)}


def _no_record(digest: bytes) -> dict[str, Any]:
    """No file with these bytes; a stripped or resized copy can still be found."""
    return {
        "outcome": "none",
        "title": "No record of exactly this file.",
        "words": (
            "That says nothing about the file. A copy that was saved again or resized "
            "has other bytes: send the file to look inside it and for look-alikes."
        ),
        "sha256": digest,
        "read": False,
    }


def _record(request: HttpRequest, code: str) -> dict[str, Any]:
    """The record that a link names, to compare a file with."""
    rows = Asset.objects.visible_to(request.user).filter(seal__isnull=False)
    found = rows.prefetch_related("renditions")
    asset = found.filter(code=code).first() if is_id(code) else None
    if asset is None:
        return {"problem": "There is no record with this id that you may see."}
    verdict = shown(asset.verdicts.first())
    return {
        "record": asset,
        "record_picture": picture_of(asset, "thumbnail"),
        "record_verdict": verdict,
    }


def _file(request: HttpRequest) -> HttpResponse:
    _count(request)
    file = request.FILES.get("file")
    if file is None:
        asked = {"problem": "Choose a file first."}
        return render(request, "provenance/verify.html", asked, status=REFUSED)
    try:
        checked = check_file(file, Asset.objects.visible_to(request.user))
    except ColophonError as error:
        problem: dict[str, Any] = {"problem": f"The {error}."}
        return render(request, "provenance/verify.html", problem, status=REFUSED)
    context: dict[str, Any] = {"answer": {**answer_of(checked), "name": file.name}}
    return render(request, "provenance/verify.html", context)


def _count(request: HttpRequest) -> None:
    """Refuse an address that asks too often."""
    if not VerifyThrottle().allow_request(request, None):  # type: ignore[arg-type]
        raise TooManyTriesError
