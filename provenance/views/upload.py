"""The upload page: a file, a few questions, and the work is on its way."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from accounts.acting import acting_party
from accounts.models import Party
from colophon.errors import InputError
from provenance.files import digest_of
from provenance.forms import UploadForm
from provenance.intake import Draft, take_in
from provenance.models import Asset

REFUSED = 422
BY_SCRIPT = "XMLHttpRequest"


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def upload(request: HttpRequest) -> HttpResponse:
    """Take in a picture; examination, signing and sealing follow by themselves."""
    party = acting_party(request)
    if request.method != "POST":
        return _page(request, UploadForm(party=party), party)
    form = UploadForm(request.POST, request.FILES, party=party)
    if form.is_valid():
        asset = _take(request, form, party)
        if asset is not None:
            return _done(request, asset)
    return _page(request, form, party)


def _take(request: HttpRequest, form: UploadForm, party: Party) -> Asset | None:
    """The draft asset; None when the file was refused, with the reason in the form."""
    data = form.cleaned_data
    file: UploadedFile[Any] = data["file"]
    digest, _ = digest_of(file.file)  # type: ignore[arg-type]
    if words := _taken_words(digest, party):
        form.add_error("file", words)
        return None
    known = Asset.objects.filter(party=party, uploaded_digest=digest).exists()
    draft = Draft(
        title=data["title"],
        description=data["description"],
        alt_text=data["alt_text"],
        creator_name=data["creator_name"],
        origin=data["origin"],
        training=form.permissions(),
    )
    try:
        asset = take_in(file.file, file.name or "work", party, draft, data.get("run"))  # type: ignore[arg-type]
    except InputError as error:
        known_field = error.field if error.field in form.fields else None
        form.add_error(known_field, f"{'It ' if known_field else ''}{error.message}.")
        return None
    if known:
        messages.info(request, "You uploaded this file before; here it is.")
    return asset


def _taken_words(digest: bytes, party: Party) -> str:
    """Why these bytes cannot be uploaded: they are somebody else's published work."""
    same = Q(uploaded_digest=digest) | Q(seal__file_digest=digest)
    rows = Asset.objects.filter(same, published_at__isnull=False).exclude(party=party)
    other = rows.select_related("party").first()
    if other is None:
        return ""
    return (
        f"This very file is on record as “{other.title}”, registered by "
        f"{other.party.name} (/a/{other.code}). If it is yours, tell whoever runs "
        "this site."
    )


def _done(request: HttpRequest, asset: Asset) -> HttpResponse:
    if request.headers.get("X-Requested-With") == BY_SCRIPT:
        url = reverse("marketplace:work", args=[asset.code])
        return JsonResponse({"location": url})
    return redirect("marketplace:work", code=asset.code)


def _page(request: HttpRequest, form: UploadForm, party: Party) -> HttpResponse:
    context = {"form": form, "party": party}
    status = REFUSED if form.is_bound else 200
    return render(request, "provenance/upload.html", context, status=status)
