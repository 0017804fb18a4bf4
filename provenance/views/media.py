"""Renditions that pages show: re-encoded copies, never an original."""

from __future__ import annotations

from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from provenance.models import Asset, Rendition

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
    answer = FileResponse(default_storage.open(row.path, "rb"), content_type=row.mime)
    answer["Cache-Control"] = FOR_EVER if row.asset.published_at else FOR_ONE
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = CONTENT_POLICY
    answer["Cross-Origin-Resource-Policy"] = "same-site"
    return answer
