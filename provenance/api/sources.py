"""The registry of models, data sets and input pictures."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.acting import acting_party
from accounts.authentication import HasScope
from colophon.digest import from_hex
from colophon.errors import InputError
from colophon.fields import Fields, check_text
from colophon.manifest import TRAINING_USES
from colophon.units import PPM
from colophon.xmp import TRAINING_KINDS
from provenance.models import Source
from provenance.register import register_source

MAX_TEXT = 4_000
MAX_TRAINED_ON = 32


class Sources(APIView):
    """Registered sources; public to read."""

    def get_permissions(self) -> list[BasePermission]:
        return [AllowAny() if self.request.method == "GET" else HasScope("upload")()]

    @extend_schema(operation_id="findSources", responses=dict)
    def get(self, request: Request) -> Response:
        """Sources with a digest, oldest first."""
        digest = from_hex(request.query_params.get("digest", ""), 32, "digest")
        rows = Source.objects.filter(digest=digest).select_related("holder", "party")
        return Response({"data": [source_json(one) for one in rows.order_by("pk")]})

    @extend_schema(operation_id="registerSource", request=dict, responses={201: dict})
    def post(self, request: Request) -> Response:
        """Register a source by digest, with the owner's standing ask."""
        source = register_source(party=acting_party(request), **_facts(request.data))
        return Response(source_json(source), status=201)


class SourceDetail(APIView):
    """One source; public."""

    permission_classes = (AllowAny,)

    @extend_schema(operation_id="getSource", responses=dict)
    def get(self, request: Request, code: str) -> Response:  # noqa: ARG002
        """The source and whether its owner registered it."""
        return Response(source_json(get_object_or_404(Source, code=code)))


def _facts(data: Any) -> dict[str, Any]:
    """The keyword arguments of `register_source` in a request's body."""
    body = Fields(data)
    own = body.flag("own") if body.has("own") else True
    found = {
        "kind": body.choice("kind", tuple(Source.Kind.values)),
        "name": body.text("name", limit=160),
        "version": body.maybe_text("version", limit=40) or "",
        "digest": body.hexadecimal("digest"),
        "ask_ppm": body.integer("ask_ppm", 0, PPM) if body.has("ask_ppm") else None,
        "terms": body.maybe_text("terms", limit=MAX_TEXT) or "",
        "description": body.maybe_text("description", limit=MAX_TEXT) or "",
        "training": training_of(body),
        "own": own,
        "owner_name": body.maybe_text("owner_name", limit=120) or "",
        "trained_on": _trained_on(body),
    }
    body.close()
    return found


def _trained_on(body: Fields) -> list[Source]:
    if not body.has("trained_on"):
        return []
    codes = [
        check_text(one, f"trained_on/{at}")
        for at, one in enumerate(body.items("trained_on", limit=MAX_TRAINED_ON))
    ]
    rows = {row.code: row for row in Source.objects.filter(code__in=codes)}
    for at, code in enumerate(codes):
        if code not in rows:
            raise InputError("is not a registered source", f"trained_on/{at}")
    return [rows[code] for code in codes]


def training_of(body: Fields) -> dict[str, str]:
    """The training permissions of a body: kind to use, both checked."""
    if not body.has("training"):
        return {}
    inner = body.object("training")
    found = {
        kind: inner.choice(kind, TRAINING_USES)
        for kind in TRAINING_KINDS
        if inner.has(kind)
    }
    inner.close()
    return found


def source_json(source: Source) -> dict[str, Any]:
    """A source as everyone sees it."""
    return {
        "id": source.code,
        "kind": source.kind,
        "name": source.name,
        "version": source.version,
        "digest": bytes(source.digest).hex(),
        "holder": source.holder.code,
        "owner": source.holder.name,
        "owner_signed": source.owner_signed,
        "ask_ppm": source.ask_ppm,
        "terms": source.terms,
        "training": source.training,
        "log_index": source.entry.index,
    }
