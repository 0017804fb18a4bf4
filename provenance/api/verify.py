"""Verify as JSON: the report of the command line, with this site's evidence."""

from __future__ import annotations

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from colophon.digest import from_hex
from colophon.errors import InputError
from provenance.api.visible import visible
from provenance.views.checking import (
    VerifyThrottle,
    check_digest,
    check_file,
    looks_like,
    similar_json,
)

PDQ_BYTES = 32
MOST_PRINTS = 56  # turns and mirrors of a picture and of its centered crops


class Verify(APIView):
    """Check a file; nothing of it is kept."""

    permission_classes = (AllowAny,)
    parser_classes = (MultiPartParser,)
    throttle_classes = (VerifyThrottle,)

    @extend_schema(operation_id="verifyFile", request=dict, responses=dict)
    def post(self, request: Request) -> Response:
        """The report on the field `file`, as `colophon verify --json` has it."""
        file = request.FILES.get("file")
        if file is None:
            raise InputError("is missing; send the file to check", "file")
        return Response(check_file(file, visible(request)).report.to_json())


class Lookup(APIView):
    """Check a digest; the file stays where it is."""

    permission_classes = (AllowAny,)
    throttle_classes = (VerifyThrottle,)

    @extend_schema(operation_id="lookUpDigest", responses=dict)
    def get(self, request: Request) -> Response:
        """The report on `?sha256=`; 404 says that there is no record of these bytes."""
        digest = from_hex(request.query_params.get("sha256", ""), 32, "sha256")
        checked = check_digest(digest, visible(request))
        if checked is None:
            raise Http404
        return Response(checked.report.to_json())


class LookAlikes(APIView):
    """Find works that a picture looks like; the picture stays where it is."""

    permission_classes = (AllowAny,)
    throttle_classes = (VerifyThrottle,)

    @extend_schema(operation_id="findLookAlikes", responses=dict)
    def get(self, request: Request) -> Response:
        """By `?pdq=`, 1 to 56 PDQ prints in hex: a picture's, its turns' and crops'.

        `similar` is empty or has the nearest work within 64 of 256 bits. It says
        "looks like", never "is".
        """
        given = request.query_params.get("pdq", "").split(",")
        if len(given) > MOST_PRINTS:
            raise InputError(f"has {len(given)} prints, at most {MOST_PRINTS}", "pdq")
        prints = [from_hex(one, PDQ_BYTES, "pdq").hex() for one in given]
        match = looks_like(prints, visible(request))
        return Response({"similar": [similar_json(match)] if match else []})
