"""Runs and their steps: what a pipeline records as it happens."""

from __future__ import annotations

from typing import IO, Any, cast

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.acting import acting_party
from accounts.authentication import HasScope
from accounts.models import ApiKey
from colophon.digest import from_hex
from colophon.disclosure import Disclosure
from colophon.fields import Fields
from colophon.ids import parse_id
from colophon.proxies import MAX_BYTES
from colophon.statement import Envelope
from provenance.copies import keep_proxy
from provenance.envelopes import envelope_of
from provenance.models import Run, Step
from provenance.record import append_step
from provenance.ticket import open_run

MAX_NAME = 120
RAW = "raw"


class Runs(APIView):
    """The acting party's runs."""

    permission_classes = (HasScope("record"),)

    @extend_schema(operation_id="openRun", request=dict, responses={201: dict})
    def post(self, request: Request) -> Response:
        """Open a run; its ticket is what every step of it signs."""
        body = Fields(request.data)
        name = body.text("name", limit=MAX_NAME)
        code = parse_id(body.raw("id"), "run", "id") if body.has("id") else None
        body.close()
        key = request.auth if isinstance(request.auth, ApiKey) else None
        run = open_run(party=acting_party(request), name=name, api_key=key, code=code)
        return Response(run_json(run), status=201)


class RunDetail(APIView):
    """One run of the acting party."""

    permission_classes = (HasScope("record"),)

    @extend_schema(operation_id="getRun", responses=dict)
    def get(self, request: Request, code: str) -> Response:
        """The run, its ticket and its steps."""
        run = get_object_or_404(_mine(request), code=code)
        return Response(run_json(run))


class RunSteps(APIView):
    """The steps of one run."""

    permission_classes = (HasScope("record"),)

    @extend_schema(operation_id="appendStep", request=dict, responses={201: dict})
    def post(self, request: Request, code: str) -> Response:
        """Append a signed step; the same envelope again gives the same row."""
        run = get_object_or_404(_mine(request), code=code)
        body = Fields(request.data)
        envelope = Envelope.from_json(body.raw("envelope"))
        openings = [
            Disclosure.from_json(one, f"disclosures/{at}")
            for at, one in enumerate(
                body.items("disclosures") if body.has("disclosures") else []
            )
        ]
        body.close()
        step = append_step(
            run=run,
            envelope=envelope,
            disclosures=openings,
            party=acting_party(request),
        )
        return Response(step_json(step), status=201)


class JpegParser(BaseParser):
    """A picture's bytes as they came, at most one more than are taken."""

    media_type = "image/jpeg"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,  # noqa: ARG002 - the framework's shape
        parser_context: Any = None,  # noqa: ARG002
    ) -> dict[str, bytes]:
        return {RAW: bytes(stream.read(MAX_BYTES + 1))}


class RunProxy(APIView):
    """The smaller copy of a picture that a step of the run names."""

    permission_classes = (HasScope("record"),)
    parser_classes = (JpegParser,)

    @extend_schema(
        operation_id="sendProxy",
        request={"image/jpeg": OpenApiTypes.BINARY},
        responses=dict,
    )
    def put(self, request: Request, code: str, digest: str) -> Response:
        """Send the copy with this SHA-256; the same one again changes nothing."""
        run = get_object_or_404(_mine(request), code=code)
        named = from_hex(digest, 32, "digest")
        data = cast("dict[str, bytes]", request.data)[RAW]
        row = keep_proxy(run=run, digest=named, data=data)
        return Response({"digest": digest, "received_at": row.received_at})


def _mine(request: Request) -> QuerySet[Run]:
    return Run.objects.filter(party=acting_party(request)).select_related(
        "ticket", "checkpoint"
    )


def run_json(run: Run) -> dict[str, Any]:
    """A run as its owner sees it."""
    envelope = envelope_of(run.ticket)
    return {
        "id": run.code,
        "name": run.name,
        "nonce": bytes(run.nonce).hex(),
        "ticket": {"digest": envelope.digest.hex(), "envelope": envelope.to_json()},
        "steps": [step_json(step) for step in run.steps.select_related("entry")],
        "created_at": run.created_at,
    }


def step_json(step: Step) -> dict[str, Any]:
    """A step's place in its run and in the log (null until it has one)."""
    return {
        "id": step.code,
        "digest": bytes(step.digest).hex(),
        "position": step.position,
        "action": step.action,
        "log_index": step.entry.index,
        "received_at": step.received_at,
    }
