"""Pages of the market."""

from __future__ import annotations

from django.core.files.storage import default_storage
from django.http import FileResponse, HttpRequest
from django.views.decorators.http import require_GET

from colophon.formats import FORMATS
from marketplace.deliver import redeem


@require_GET
def download(request: HttpRequest, token: str) -> FileResponse:  # noqa: ARG001
    """The buyer's copy, by a one-use link; an attachment that nothing runs in."""
    delivery = redeem(token=token)
    name = f"{delivery.license.code}{FORMATS[delivery.mime].suffix}"
    response = FileResponse(
        default_storage.open(delivery.path, "rb"),
        as_attachment=True,
        filename=name,
        content_type=delivery.mime,
    )
    response["Cache-Control"] = "private, no-store"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response
