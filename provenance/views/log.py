"""`/log`: the log's newest checkpoints, who vouches for them, and who does not."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from log.keys import log_keys
from provenance.heads import newest_final, newest_heads, witnesses

SHOWN = 20


@never_cache
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Public: nothing here is about a person."""
    asked = witnesses()
    context = {
        "origin": settings.LOG_ORIGIN,
        "keys": [key.vkey for key in log_keys()],
        "heads": newest_heads(SHOWN),
        "final": newest_final(),
        "witnesses": asked,
        "disagreeing": [one for one in asked if one.disagrees],
    }
    return render(request, "provenance/log.html", context)
