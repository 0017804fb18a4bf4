"""Is it alive, is it ready, and what does it ask to be trusted for."""

from __future__ import annotations

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET

from outbox.health import processes, roles_down
from provenance.trusted import site_trust


@require_GET
def live(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """The process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_GET
def ready(request: HttpRequest) -> JsonResponse:  # noqa: ARG001
    """The database answers, and of each kind of process one beats."""
    try:
        known, down = bool(processes()), roles_down()
    except DatabaseError:
        return JsonResponse({"ready": False, "database": False}, status=503)
    good = known and not down
    return JsonResponse(
        {"ready": good, "database": True, "down": down}, status=200 if good else 503
    )


@require_GET
def trust(request: HttpRequest) -> JsonResponse:  # noqa: ARG001
    """The trust file; a stranger pins it on first use."""
    return JsonResponse(site_trust().to_json(), json_dumps_params={"indent": 1})
