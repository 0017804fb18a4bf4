"""Problems outside of API views: a page for people, problem details under /api/.

A view that raises a `Problem` is answered by a page with its title and what to do;
an address under /api/ that no view answers gets problem details, not a page.
"""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from accounts import standard_problems as standard
from accounts.errors import Problem
from accounts.problems import CONTENT_TYPE, describe, problem_body

API = "/api/"
SERVER_ERROR = 500
_PAGES = {403: "403.html", 404: "404.html", 429: "429.html"}


class ProblemMiddleware:
    """Turns problems of plain views into answers; stands inside RequestId."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        is_page = response.headers.get("Content-Type", "").startswith("text/html")
        entry = standard.BY_STATUS.get(response.status_code)
        if not request.path.startswith(API) or not is_page or entry is None:
            return response
        if response.status_code == SERVER_ERROR and settings.DEBUG:
            return response  # the developer's traceback
        body = problem_body(entry, request=request)
        return JsonResponse(body, status=entry.status, content_type=CONTENT_TYPE)

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponse | None:
        """A `Problem` as a page; anything else goes on to Django."""
        if not isinstance(exception, Problem):
            return None
        entry, detail, _ = describe(exception)
        context = {
            "problem": entry,
            "detail": detail,
            "request_id": getattr(request, "request_id", ""),
        }
        page = _PAGES.get(entry.status, "accounts/problem.html")
        return render(request, page, context, status=entry.status)
