"""Is it alive, is it ready, and what does it ask to be trusted for."""

from __future__ import annotations

from datetime import timedelta

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from outbox.models import Heartbeat
from provenance.trusted import site_trust

STALE = timedelta(seconds=60)


@require_GET
def live(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """The process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_GET
def ready(request: HttpRequest) -> JsonResponse:  # noqa: ARG001
    """The database answers and every process has a fresh heartbeat row."""
    try:
        beats = list(Heartbeat.objects.all())
    except DatabaseError:
        return JsonResponse({"ready": False, "database": False}, status=503)
    late = [one.process for one in beats if timezone.now() - one.beat_at > STALE]
    good = bool(beats) and not late
    return JsonResponse(
        {"ready": good, "database": True, "late": late}, status=200 if good else 503
    )


@require_GET
def trust(request: HttpRequest) -> JsonResponse:  # noqa: ARG001
    """The trust file; a stranger pins it on first use."""
    return JsonResponse(site_trust().to_json(), json_dumps_params={"indent": 1})
