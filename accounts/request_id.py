"""Give each request an id, echo it, and let a caller bring their own."""

from __future__ import annotations

import re
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from colophon.ids import new_id

HEADER = "X-Request-Id"
_ACCEPTED = re.compile(r"[A-Za-z0-9._-]{8,64}", re.ASCII)


class RequestIdMiddleware:
    """Sets `request.request_id` and the X-Request-Id response header.

    A caller's own id is kept when it is 8 to 64 harmless characters; anything else
    could forge log lines.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get(HEADER, "")
        kept = given if _ACCEPTED.fullmatch(given) else new_id("req")
        request.request_id = kept  # type: ignore[attr-defined]
        response = self.get_response(request)
        response.setdefault(HEADER, kept)
        return response
