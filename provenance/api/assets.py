"""Assets: upload, state, evidence and agreement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.acting import acting_party
from accounts.authentication import HasScope
from colophon.digest import from_hex
from colophon.errors import InputError
from colophon.fields import Fields, load_json
from colophon.formats import ANY_OF
from log.models import Entry
from provenance.agree import accept_agreement, propose_agreement
from provenance.api.sources import training_of
from provenance.api.visible import visible
from provenance.assemble import bundle_for
from provenance.intake import Draft, take_in
from provenance.lookup import by_digest
from provenance.models import Agreement, Asset, OriginMap, Run
from provenance.shares import default_parts, parse_parts
from provenance.shown.origin import origin_map_json

BUNDLE_TYPE = "application/vnd.colophon+zip"


class Assets(APIView):
    """The acting party's works."""

    permission_classes = (HasScope("upload"),)
    parser_classes = (MultiPartParser,)

    @extend_schema(operation_id="uploadAsset", request=dict, responses={202: dict})
    def post(self, request: Request) -> Response:
        """Upload a picture; examining, signing and sealing follow by themselves."""
        party = acting_party(request)
        upload = request.FILES.get("file")
        if upload is None:
            raise InputError(f"is missing; send a {ANY_OF}", "file")
        fields = Fields(
            {key: value for key, value in request.POST.items() if key != "file"}
        )
        run = None
        if fields.has("run"):
            run = Run.objects.filter(party=party, code=fields.text("run")).first()
            if run is None:
                raise InputError("is no run of yours", "run")
        draft = Draft(
            title=fields.text("title", limit=160),
            description=fields.maybe_text("description", limit=4000) or "",
            alt_text=fields.maybe_text("alt_text", limit=300) or "",
            creator_name=fields.maybe_text("creator_name", limit=120) or "",
            origin=fields.maybe_text("origin") or "",
            training=_training(fields),
        )
        fields.close()
        asset = take_in(upload, upload.name or "work", party, draft, run)
        return Response(asset_json(asset), status=202)


class AssetDetail(APIView):
    """One work."""

    permission_classes = (AllowAny,)

    @extend_schema(operation_id="getAsset", responses=dict)
    def get(self, request: Request, code: str) -> Response:
        """How far the work has come, its digests and its newest verdict."""
        rows = visible(request)
        return Response(asset_json(get_object_or_404(rows, code=code)))


class AssetEvidence(APIView):
    """The evidence bundle of one work."""

    permission_classes = (AllowAny,)

    @extend_schema(operation_id="getEvidence", responses=bytes)
    def get(self, request: Request, code: str) -> HttpResponse:
        """Everything needed to check the work offline."""
        rows = visible(request).filter(seal__isnull=False)
        return bundle_response(get_object_or_404(rows, code=code))


class AssetOriginMap(APIView):
    """Which step last changed which part of one work."""

    permission_classes = (AllowAny,)

    @extend_schema(operation_id="getOriginMap", responses=dict)
    def get(self, request: Request, code: str) -> Response:
        """Shares, regions and findings; 404 where no copies of pictures were sent."""
        asset = get_object_or_404(visible(request), code=code)
        row = get_object_or_404(OriginMap, asset=asset)
        return Response(origin_map_json(asset, row))


class EvidenceByDigest(APIView):
    """The evidence bundle of the work that a file is."""

    permission_classes = (AllowAny,)

    @extend_schema(operation_id="findEvidence", responses=bytes)
    def get(self, request: Request) -> HttpResponse:
        """By the SHA-256 of the sealed file, of the upload, or of a licensed copy."""
        digest = from_hex(request.query_params.get("sha256", ""), 32, "sha256")
        found = by_digest(digest, visible(request))
        if found is None:
            raise Http404
        return bundle_response(found.asset, found.extra)


class AssetAgreement(APIView):
    """Who is paid when a work earns."""

    permission_classes = (HasScope("publish"),)

    @extend_schema(operation_id="proposeAgreement", request=dict, responses={201: dict})
    def post(self, request: Request, code: str) -> Response:
        """Propose the parts; without any, the sources' asks and the rest to you."""
        party = acting_party(request)
        asset = get_object_or_404(Asset, code=code, party=party)
        body = Fields(request.data)
        parts = (
            parse_parts(asset, body.items("parts"))
            if body.has("parts")
            else default_parts(asset)
        )
        body.close()
        agreement = propose_agreement(asset=asset, parts=parts, by=party)
        return Response(agreement_json(agreement), status=201)


class AgreementAccept(APIView):
    """A holder's yes."""

    permission_classes = (HasScope("publish"),)

    @extend_schema(operation_id="acceptAgreement", request=None, responses=dict)
    def post(self, request: Request, code: str) -> Response:
        """Accept the part that an agreement gives you."""
        party = acting_party(request)
        rows = Agreement.objects.filter(parts__holder=party.holder).distinct()
        agreement = get_object_or_404(rows, code=code)
        accept_agreement(agreement=agreement, party=party)
        return Response(agreement_json(agreement))


def _training(fields: Fields) -> dict[str, str]:
    """The `training` form field: a JSON object in a multipart body."""
    if not fields.has("training"):
        return {}
    text = fields.text("training")
    try:
        value = load_json(text)
    except InputError as error:
        raise InputError(f"is no JSON: {error.message}", "training") from error
    return training_of(Fields({"training": value}))


def bundle_response(asset: Asset, extra: Sequence[Entry] = ()) -> HttpResponse:
    """The `.colophon` file of a sealed asset, with the records of a copy of it."""
    bundle = bundle_for(asset, extra=extra)
    response = HttpResponse(bundle.to_bytes(), content_type=BUNDLE_TYPE)
    name = f"{asset.code}.colophon"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-cache"
    return response


def asset_json(asset: Asset) -> dict[str, Any]:
    """A work as everyone who may see it sees it."""
    seal = getattr(asset, "seal", None)
    verdict = asset.verdicts.first()
    token = getattr(asset, "token", None)
    anchor = asset.first_anchor()
    return {
        "id": asset.code,
        "title": asset.title,
        "stage": asset.stage,
        "refused_reason": asset.refused_reason or None,
        "uploaded_sha256": bytes(asset.uploaded_digest).hex(),
        "sha256": bytes(seal.file_digest).hex() if seal else None,
        "seal": seal
        and {"digest": bytes(seal.digest).hex(), "log_index": seal.entry.index},
        "anchor": anchor
        and {
            "size": anchor.checkpoint.size,
            "root": bytes(anchor.checkpoint.root).hex(),
            "tx_hash": anchor.tx_hash,
            "block_number": anchor.block_number,
            "block_at": anchor.block_at,
        },
        "verdict": verdict
        and {
            **verdict.shown(),
            "criteria": verdict.criteria,
            "as_of": verdict.as_of,
            "expires_at": verdict.expires_at,
        },
        "token": token and {"id": token.token_id or None, "minted_at": token.minted_at},
        "published_at": asset.published_at,
    }


def agreement_json(agreement: Agreement) -> dict[str, Any]:
    """An agreement with its parts and who has accepted."""
    accepted = {row.holder_id: row.method for row in agreement.acceptances.all()}
    return {
        "id": agreement.code,
        "asset": agreement.asset.code,
        "version": agreement.version,
        "digest": bytes(agreement.digest).hex(),
        "fee_ppm": agreement.fee_ppm,
        "parts": [
            {
                "holder": part.holder.code,
                "name": part.holder.name,
                "role": part.role,
                "source": part.source.code if part.source else None,
                "ppm": part.ppm,
                "accepted": accepted.get(part.holder_id),
            }
            for part in agreement.parts.select_related("holder", "source")
        ],
    }
