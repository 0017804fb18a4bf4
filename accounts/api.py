"""The account as JSON: who am I, and the signing keys I enroll and revoke."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import (
    OpenApiParameter,
    extend_schema,
    inline_serializer,
)
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import keys
from accounts.acting import acting_party, owned_party
from accounts.authentication import HasScope
from accounts.models import ApiKey, Party, SigningKey
from colophon.enrollment import REASONS
from colophon.statement import Envelope


class PartySerializer(serializers.Serializer[Party]):
    """A party as its members see it."""

    id = serializers.CharField(source="code")
    kind = serializers.CharField()
    name = serializers.CharField()


class KeySerializer(serializers.Serializer[SigningKey]):
    """An enrolled signing key."""

    id = serializers.CharField(source="key_id", help_text="SHA-256 of the SPKI, hex.")
    algorithm = serializers.CharField()
    purpose = serializers.ChoiceField(choices=SigningKey.Purpose.choices)
    custody = serializers.ChoiceField(choices=SigningKey.Custody.choices)
    label = serializers.CharField()  # type: ignore[assignment]
    public_key = serializers.SerializerMethodField(help_text="DER SPKI, hex.")
    enrolled_at = serializers.DateTimeField()
    revoked_at = serializers.DateTimeField(allow_null=True)
    log_index = serializers.IntegerField(
        source="enrollment.index",
        allow_null=True,
        help_text="Null until the log has given it one.",
    )

    def get_public_key(self, key: SigningKey) -> str:
        return bytes(key.spki).hex()


class EnrollSerializer(serializers.Serializer[Any]):
    """A key's own enrollment (docs/statements.md) and a label for people."""

    envelope = serializers.JSONField(help_text="DSSE envelope signed by that key.")
    label = serializers.CharField(  # type: ignore[assignment]
        max_length=80, required=False, default="", allow_blank=True
    )


class MeSerializer(serializers.Serializer[Any]):
    """Who the request comes from and acts for."""

    name = serializers.CharField()
    party = PartySerializer()
    parties = PartySerializer(many=True)
    holder = serializers.CharField()
    payout_address = serializers.CharField(allow_blank=True)
    account_key = serializers.CharField(help_text="Enrollments must name this key id.")
    scopes = serializers.ListField(
        child=serializers.CharField(), help_text="Of the API key; empty for a session."
    )


class RevokeSerializer(serializers.Serializer[Any]):
    """Query parameters of a revocation."""

    reason = serializers.ChoiceField(choices=REASONS, default="retired")
    effective_at = serializers.DateTimeField(required=False)


class Me(APIView):
    """Who am I: for any live API key, whatever its scopes."""

    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="me", responses=MeSerializer)
    def get(self, request: Request) -> Response:
        """Name, acting party, holder, account key and scopes."""
        party = acting_party(request)
        key = request.auth if isinstance(request.auth, ApiKey) else None
        mine = [party] if key else Party.objects.of(request.user)  # type: ignore[arg-type]
        body = {
            "name": request.user.get_short_name(),  # type: ignore[union-attr]
            "party": party,
            "parties": mine,
            "holder": party.holder.code,
            "payout_address": party.holder.payout_address,
            "account_key": keys.account_key(party).key_id,
            "scopes": key.scopes if key else [],
        }
        return Response(MeSerializer(body).data)


class Keys(APIView):
    """The party's signing keys."""

    permission_classes = (HasScope("record"),)

    @extend_schema(
        operation_id="listKeys",
        responses=inline_serializer("KeyList", {"data": KeySerializer(many=True)}),
    )
    def get(self, request: Request) -> Response:
        """All enrolled keys of the acting party, newest first."""
        rows = _visible(acting_party(request)).order_by("-pk")
        return Response({"data": [KeySerializer(row).data for row in rows]})

    @extend_schema(
        operation_id="enrollKey",
        request=EnrollSerializer,
        responses={201: KeySerializer},
    )
    def post(self, request: Request) -> Response:
        """Enroll a key that you hold; the envelope is signed by that very key."""
        shape = EnrollSerializer(data=request.data)
        shape.is_valid(raise_exception=True)
        envelope = Envelope.from_json(shape.validated_data["envelope"])
        key = keys.enroll(
            acting_party(request), envelope, label=shape.validated_data["label"]
        )
        return Response(KeySerializer(key).data, status=201)


class KeyDetail(APIView):
    """One signing key of the party."""

    permission_classes = (HasScope("record"),)

    @extend_schema(operation_id="readKey", responses=KeySerializer)
    def get(self, request: Request, key_id: str) -> Response:
        """The key, with its place in the log."""
        return Response(KeySerializer(_key(request, key_id)).data)

    @extend_schema(
        operation_id="revokeKey",
        parameters=[
            RevokeSerializer,
            OpenApiParameter("key_id", str, OpenApiParameter.PATH),
        ],
        responses=KeySerializer,
    )
    def delete(self, request: Request, key_id: str) -> Response:
        """Revoke the key from now, or from an earlier `effective_at`."""
        key = _key(request, key_id)
        if not isinstance(request.auth, ApiKey):
            owned_party(request)
        shape = RevokeSerializer(data=request.query_params)
        shape.is_valid(raise_exception=True)
        moment: datetime = shape.validated_data.get("effective_at") or timezone.now()
        done = keys.revoke(
            key, effective_at=moment, reason=shape.validated_data["reason"]
        )
        return Response(KeySerializer(done).data)


def _visible(party: Party) -> QuerySet[SigningKey]:
    return SigningKey.objects.filter(party=party).select_related("enrollment")


def _key(request: Request, key_id: str) -> SigningKey:
    """The acting party's key of that id, or 404 whoever else's it is."""
    found = _visible(acting_party(request)).filter(key_id=key_id).first()
    if found is None:
        raise Http404
    return found
