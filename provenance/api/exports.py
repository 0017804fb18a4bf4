"""Exports: a work's evidence, and a data set, in the formats of other standards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from colophon import export_croissant, export_cyclonedx, export_intoto, export_prov
from colophon.digest import canonical
from colophon.evidence import Bundle
from colophon.pedigree import pedigree_of
from colophon.records import parse_source
from colophon.statement import read_statement
from provenance.api.visible import visible
from provenance.assemble import bundle_for
from provenance.envelopes import envelope_of
from provenance.models import Asset, Source
from provenance.shares import used_sources


@dataclass(frozen=True)
class Format:
    """One format: its media type, how its file is named, who writes it."""

    media_type: str
    suffix: str
    write: Callable[[Asset, Bundle], bytes]


def _prov(_: Asset, bundle: Bundle) -> bytes:
    return canonical(export_prov.to_prov_json(pedigree_of(bundle)))


def _cyclonedx(asset: Asset, bundle: Bundle) -> bytes:
    return canonical(
        export_cyclonedx.to_cyclonedx(
            pedigree_of(bundle),
            trained_on=_trained_on(asset),
            site=settings.SITE_URL,
        )
    )


def _intoto(_: Asset, bundle: Bundle) -> bytes:
    return export_intoto.to_intoto(bundle)


FORMATS = {
    "prov": Format(export_prov.MEDIA_TYPE, ".prov.json", _prov),
    "cyclonedx": Format(export_cyclonedx.MEDIA_TYPE, ".cdx.json", _cyclonedx),
    "in-toto": Format(export_intoto.MEDIA_TYPE, export_intoto.SUFFIX, _intoto),
}


class AssetExport(APIView):
    """The evidence of one work in another standard's format."""

    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="exportEvidence",
        parameters=[
            OpenApiParameter("kind", str, OpenApiParameter.PATH, enum=list(FORMATS))
        ],
        responses={
            (200, one.media_type.partition(";")[0]): OpenApiTypes.BINARY
            for one in FORMATS.values()
        },
    )
    def get(self, request: Request, code: str, kind: str) -> HttpResponse:
        """PROV-JSON, a CycloneDX 1.7 bill of materials, or an in-toto bundle.

        What was recorded, for tools that read these formats; whether it holds is for
        the evidence and its verifier to say.
        """
        rows = visible(request).filter(seal__isnull=False)
        asset = get_object_or_404(rows, code=code)
        if kind not in FORMATS:
            raise Http404
        one = FORMATS[kind]
        content = one.write(asset, bundle_for(asset))
        return _file(content, one.media_type, asset.code + one.suffix)


class SourceCroissant(APIView):
    """One registered data set as Croissant; public."""

    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="getCroissant",
        responses={(200, "application/ld+json"): OpenApiTypes.OBJECT},
    )
    def get(self, request: Request, code: str) -> HttpResponse:  # noqa: ARG002
        """Croissant 1.1 JSON-LD: digest, terms, and what its owner permits."""
        rows = Source.objects.filter(kind=Source.Kind.DATASET)
        rows = rows.select_related("entry", "holder")
        source = get_object_or_404(rows, code=code)
        said = read_statement(envelope_of(source.entry).payload)
        page = reverse("provenance:source", args=[source.code])
        shown = export_croissant.Shown(
            page=settings.SITE_URL + page,
            registered_at=source.created_at,
            description=source.description,
            owner=source.holder.name if source.owner_signed else None,
        )
        content = canonical(export_croissant.to_croissant(parse_source(said), shown))
        name = f"{source.code}.croissant.json"
        return _file(content, export_croissant.MEDIA_TYPE, name)


def _trained_on(asset: Asset) -> dict[str, list[str]]:
    """Ids of the data sets behind each model of a work, as the registry shows them."""
    used = [source.pk for source in used_sources(asset)]
    pairs = Source.objects.filter(pk__in=used, trained_on__isnull=False)
    found: dict[str, list[str]] = {}
    for model, data in pairs.values_list("code", "trained_on__code").order_by("code"):
        found.setdefault(model, []).append(data)
    return {model: sorted(data) for model, data in found.items()}


def _file(content: bytes, media_type: str, name: str) -> HttpResponse:
    """A file to keep, asked for again each time: a work's evidence grows."""
    response = HttpResponse(content, content_type=media_type)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-cache"
    return response
