"""The registry: models, data sets and pictures that works are made with."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import F, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from accounts.acting import acting_party
from accounts.cursor import row_after
from colophon.errors import InputError
from log.models import Checkpoint
from provenance.errors import SourceConflictError
from provenance.forms import SourceForm
from provenance.models import Asset, Source
from provenance.register import register_source
from provenance.shown.pictures import picture_of
from provenance.shown.story import leaf_url

PAGE = 30
WORKS_SHOWN = 12
REFUSED = 422
SIGNED = Q(party__isnull=False, party=F("registered_by"))
KIND_WORDS = {
    Source.Kind.MODEL: "Model",
    Source.Kind.DATASET: "Data set",
    Source.Kind.MEDIA: "Picture",
}


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Registered sources, newest first; signed by their owners or only claimed."""
    kind = request.GET.get("kind", "")
    claimed = request.GET.get("by") == "others"
    rows = Source.objects.select_related("holder", "party", "registered_by", "entry")
    rows = rows.exclude(SIGNED) if claimed else rows.filter(SIGNED)
    if kind in Source.Kind.values:
        rows = rows.filter(kind=kind)
    after = row_after(request.GET.get("after", ""))
    if after is not None:
        rows = rows.filter(pk__lt=after)
    found = list(rows.order_by("-pk")[: PAGE + 1])
    more = len(found) > PAGE
    context = {
        "sources": found[:PAGE],
        "kind": kind,
        "claimed": claimed,
        "kinds": [
            ("", "All"),
            *((one.value, f"{word}s") for one, word in KIND_WORDS.items()),
        ],
        "next_url": _page(kind, claimed, after=found[PAGE - 1].pk) if more else "",
        "first_url": _page(kind, claimed) if after else "",
    }
    return render(request, "provenance/registry.html", context)


def _page(kind: str, claimed: bool, *, after: int | None = None) -> str:
    parts = [f"kind={kind}"] if kind else []
    parts += ["by=others"] if claimed else []
    parts += [f"after={after}"] if after else []
    return reverse("provenance:registry") + ("?" + "&".join(parts) if parts else "")


@require_safe
def source(request: HttpRequest, code: str) -> HttpResponse:
    """One source: who registered it, what they ask, and what was made with it."""
    rows = Source.objects.select_related("holder", "party", "registered_by", "entry")
    row = get_object_or_404(rows, code=code)
    head = Checkpoint.objects.order_by("-size").values_list("size", flat=True).first()
    context = {
        "source": row,
        "kind": KIND_WORDS[Source.Kind(row.kind)],
        "leaf_url": leaf_url(row.entry.index, head or 0),
        "trained_on": row.trained_on.select_related("holder").order_by("name"),
        "models": Source.objects.filter(trained_on=row).order_by("name"),
        "others": Source.objects.filter(digest=row.digest)
        .exclude(pk=row.pk)
        .select_related("registered_by"),
        "works": _works(row),
    }
    return render(request, "provenance/source.html", context)


def _works(row: Source) -> list[dict[str, Any]]:
    """Published works whose steps name the source, or a model trained on it."""
    named = (
        Q(run__steps__model_source=row)
        | Q(run__steps__files__source=row)
        | Q(run__steps__model_source__trained_on=row)
    )
    found = (
        Asset.objects.filter(named, published_at__isnull=False)
        .select_related("party")
        .prefetch_related("renditions")
        .order_by("-published_at", "-pk")
        .distinct()[:WORKS_SHOWN]
    )
    return [
        {
            "url": f"/a/{asset.code}",
            "title": asset.title,
            "creator": asset.creator_name or asset.party.name,
            "picture": picture_of(asset, "thumbnail"),
        }
        for asset in found
    ]


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def register(request: HttpRequest) -> HttpResponse:
    """Register a source by its digest, signed with the account's key."""
    if request.method != "POST":
        return _form(
            request, SourceForm(initial={"kind": request.GET.get("kind", "model")})
        )
    form = SourceForm(request.POST, request.FILES)
    if not form.is_valid():
        return _form(request, form)
    data = form.cleaned_data
    training = {"ai_generative_training": data["training"]} if data["training"] else {}
    try:
        row = register_source(
            party=acting_party(request),
            kind=data["kind"],
            name=data["name"],
            version=data["version"],
            digest=data["sha256"],
            ask_ppm=data["ask"],
            terms=data["terms"],
            description=data["description"],
            training=training,
            own=data["own"] == "yes",
            owner_name=data["owner_name"],
            trained_on=list(data["trained_on"]),
        )
    except SourceConflictError as error:
        form.add_error("digest", error.detail)
        return _form(request, form)
    except InputError as error:
        form.add_error(None, str(error))
        return _form(request, form)
    messages.success(request, f"{row} is registered.")
    return redirect("provenance:source", code=row.code)


def _form(request: HttpRequest, form: SourceForm) -> HttpResponse:
    context = {"form": form, "party": acting_party(request)}
    status = REFUSED if form.is_bound else 200
    return render(request, "provenance/register.html", context, status=status)
