"""The page that every problem's `type` leads to."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.errors import REGISTRY


@require_GET
def problem_list(request: HttpRequest) -> HttpResponse:
    """All registered problem codes with their meaning."""
    found = sorted(REGISTRY.values(), key=lambda one: (one.status, one.code))
    return render(request, "accounts/errors.html", {"problems": found})
