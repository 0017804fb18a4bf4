"""Metadata of the ERC-721 certificates: what wallets and markets show of a token.

Sources: ERC-721 metadata JSON, ERC-7572 contract metadata.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from provenance.models import Asset
from provenance.shown.pictures import url_of

SIGNAL = (
    "A certificate of a registered work, not the work itself. Its royalty "
    "information is a signal that a market may follow, not something it enforces."
)


class Certificate(APIView):
    """The metadata of one certificate; public once the work is."""

    permission_classes = (AllowAny,)

    @extend_schema(operation_id="getCertificate", responses=dict)
    def get(self, request: Request, code: str) -> Response:  # noqa: ARG002
        """Name, picture (a preview, never the original) and traits."""
        rows = Asset.objects.filter(published_at__isnull=False)
        return Response(certificate_json(get_object_or_404(rows, code=code)))


class Collection(APIView):
    """The metadata of the contract."""

    permission_classes = (AllowAny,)

    @extend_schema(operation_id="getCertificateCollection", responses=dict)
    def get(self, request: Request) -> Response:  # noqa: ARG002
        """Name and description of the collection."""
        return Response(
            {
                "name": "Colophon certificates",
                "symbol": "COLO",
                "description": SIGNAL,
                "external_link": settings.SITE_URL,
            }
        )


def certificate_json(asset: Asset) -> dict[str, Any]:
    """The ERC-721 metadata of a published work."""
    verdict = asset.verdicts.first()
    traits = [("Creator", asset.creator_name or asset.party.name)]
    if verdict is not None:
        traits += [
            ("Badge", verdict.word),
            ("Origin", verdict.origin_class),
            ("Evidence", f"E{verdict.evidence_level}"),
            ("Rights", f"R{verdict.rights_level}"),
            ("Standing", verdict.standing),
        ]
    page = f"{settings.SITE_URL}/a/{asset.code}"
    return {
        "name": asset.title,
        "description": f"{asset.description}\n\n{SIGNAL}".strip(),
        "image": settings.SITE_URL + url_of(asset, "preview"),
        "external_url": page,
        "attributes": [{"trait_type": name, "value": value} for name, value in traits],
    }
