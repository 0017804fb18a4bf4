"""Demo sign-in: one click, no password, and nothing at all outside the demo."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth import login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from accounts.demo import cast_member
from accounts.views.after import after_sign_in
from colophon.errors import InputError

BACKEND = "django.contrib.auth.backends.ModelBackend"


def demo_only(request: HttpRequest) -> HttpResponse:
    """Sign in as one of the cast; 404 for every method when this is no demo."""
    if not settings.DEMO:
        raise Http404
    return _sign_in(request)


@require_POST
def _sign_in(request: HttpRequest) -> HttpResponse:
    try:
        user = cast_member(request.POST.get("role", ""))
    except InputError as error:
        raise Http404 from error
    login(request, user, backend=BACKEND)
    return redirect(after_sign_in(request, request.POST.get("next", "")))
