"""`/developers`: how to build on this site, its API reference, and its policy."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET
from drf_spectacular.generators import SchemaGenerator

from accounts.api_keys import SCOPES
from chain.read import facts
from colophon.cloudevent import EVENT_TYPE
from colophon.policy import POLICY
from colophon.statement import NAMESPACE

METHODS = ("get", "post", "put", "patch", "delete")
AXES = {
    "E": ("Evidence", "How well it is shown where the work comes from."),
    "R": ("Rights", "Whether everyone who is named agreed to be paid so."),
}


@require_GET
def developers(request: HttpRequest) -> HttpResponse:
    """Quick start, concepts, reporting uses, verifying without us, references."""
    context = {
        "site_url": settings.SITE_URL,
        "event_type": EVENT_TYPE,
        "scopes": SCOPES,
        "policy": POLICY,
        "network": facts(),
        "namespace": NAMESPACE,
        "log_origin": settings.LOG_ORIGIN,
    }
    return render(request, "developers/index.html", context)


@require_GET
def api(request: HttpRequest) -> HttpResponse:
    """Every operation of the API, from the same schema that programs read."""
    return render(request, "developers/api.html", {"groups": operations()})


@require_GET
def openapi(request: HttpRequest) -> JsonResponse:  # noqa: ARG001
    """OpenAPI 3.1, for tools."""
    answer = JsonResponse(schema(), json_dumps_params={"indent": 1})
    answer["Access-Control-Allow-Origin"] = "*"
    return answer


@require_GET
def policy(request: HttpRequest, name: str) -> HttpResponse:
    """A version of the badge policy: its rules, and the digest that verdicts carry."""
    _known(name)
    axes = [
        {
            "name": AXES[axis][0],
            "words": AXES[axis][1],
            "rules": [rule for rule in POLICY.rules if rule.axis == axis],
        }
        for axis in AXES
    ]
    context = {
        "policy": POLICY,
        "axes": axes,
        "thresholds": [
            (key.replace("_", " "), value) for key, value in POLICY.thresholds.items()
        ],
    }
    return render(request, "developers/policy.html", context)


@require_GET
def policy_json(request: HttpRequest, name: str) -> JsonResponse:  # noqa: ARG001
    """The policy's data; SHA-256 of its RFC 8785 form is its digest."""
    _known(name)
    return JsonResponse(dict(POLICY.data), json_dumps_params={"indent": 1})


def _known(name: str) -> None:
    if name != POLICY.id:
        raise Http404


@cache
def schema() -> dict[str, Any]:
    """The OpenAPI document; the same for every visitor, so made once."""
    generator = SchemaGenerator()  # type: ignore[no-untyped-call]
    made: dict[str, Any] = generator.get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return made


@cache
def operations() -> list[dict[str, Any]]:
    """The operations by the first word of their path."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, methods in sorted(schema()["paths"].items()):
        name = path.removeprefix("/api/v1").strip("/").partition("/")[0]
        for method in METHODS:
            if method in methods:
                groups.setdefault(name, []).append(
                    _operation(path, method, methods[method])
                )
    return [{"name": name, "operations": found} for name, found in groups.items()]


def _operation(path: str, method: str, said: dict[str, Any]) -> dict[str, Any]:
    first, _, rest = str(said.get("description", "")).partition("\n")
    return {
        "id": said.get("operationId", ""),
        "method": method.upper(),
        "path": path,
        "title": first,
        "text": rest.strip(),
        "parameters": [
            {
                "name": one["name"],
                "where": one["in"],
                "text": one.get("description", ""),
            }
            for one in said.get("parameters", [])
        ],
        "types": list(said.get("requestBody", {}).get("content", {})),
        "statuses": list(said.get("responses", {})),
    }
