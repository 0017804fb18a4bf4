"""U+0000 in an address names nothing: PostgreSQL stores no text that holds it.

Forms and `colophon.fields` refuse it in what is sent, and what reads a query string
reads past it; this is the one place for paths, so that no view has to think of it.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse

NUL = "\x00"


class NulMiddleware:
    """404 for a path with U+0000 in it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if NUL in request.path:
            raise Http404
        return self.get_response(request)
