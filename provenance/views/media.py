"""Renditions that pages show: re-encoded copies, never an original."""

from __future__ import annotations

from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from provenance.models import Asset, OriginMap, Rendition

SHOWN = (Rendition.Kind.PREVIEW, Rendition.Kind.THUMBNAIL)
FOR_EVER = "public, max-age=31536000, immutable"
FOR_ONE = "private, no-store"
CONTENT_POLICY = "sandbox; default-src 'none'"


@require_safe
def rendition(request: HttpRequest, kind: str, code: str) -> FileResponse:
    """The preview or the thumbnail of a work that the visitor may see.

    Raises:
        Http404: no such work, not theirs to see, or a kind that is never shown.
    """
    if kind not in SHOWN:
        raise Http404
    visible = Asset.objects.visible_to(request.user)
    row = get_object_or_404(
        Rendition.objects.select_related("asset"),
        kind=kind,
        asset__code=code,
        asset__in=visible,
    )
    return _picture(row.path, row.mime, row.asset)


@require_safe
def origin_map(request: HttpRequest, code: str) -> FileResponse:
    """The origin map of a work that the visitor may see, to lay over its picture.

    Raises:
        Http404: no such work, not theirs to see, or one without a map.
    """
    visible = Asset.objects.visible_to(request.user)
    rows = OriginMap.objects.select_related("asset").exclude(path="")
    row = get_object_or_404(rows, asset__code=code, asset__in=visible)
    return _picture(row.path, "image/png", row.asset)


def _picture(path: str, mime: str, asset: Asset) -> FileResponse:
    """Stored bytes as a picture and as nothing else."""
    answer = FileResponse(default_storage.open(path, "rb"), content_type=mime)
    answer["Cache-Control"] = FOR_EVER if asset.published_at else FOR_ONE
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = CONTENT_POLICY
    answer["Cross-Origin-Resource-Policy"] = "same-site"
    return answer
