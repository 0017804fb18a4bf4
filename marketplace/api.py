"""Licensing as JSON: publish, order, authorize, download."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.acting import acting_party
from accounts.authentication import HasScope
from accounts.models import User
from chain.abi import checksum
from colophon.fields import Fields
from marketplace.cancel import cancel_purchase, cancelable_until
from marketplace.deliver import grant_download
from marketplace.models import License, Listing, Offer, Order
from marketplace.order import authorize, make_order, typed_data
from marketplace.publish import publish_listing
from marketplace.terms import parse_offers
from provenance.models import Asset


class AssetPublish(APIView):
    """Put a work on sale."""

    permission_classes = (HasScope("publish"),)

    @extend_schema(operation_id="publishAsset", request=dict, responses={201: dict})
    def post(self, request: Request, code: str) -> Response:
        """Publish a sealed work with one to six offers."""
        asset = get_object_or_404(Asset, code=code, party=acting_party(request))
        body = Fields(request.data)
        plans = parse_offers(body.items("offers"))
        body.close()
        listing = publish_listing(asset=asset, plans=plans)
        return Response(listing_json(listing), status=201)


class ListingDetail(APIView):
    """A work on sale; public."""

    permission_classes = (AllowAny,)

    @extend_schema(operation_id="getListing", responses=dict)
    def get(self, request: Request, code: str) -> Response:  # noqa: ARG002
        """The offers of a work, by the work's id."""
        rows = Listing.objects.on_sale()
        return Response(listing_json(get_object_or_404(rows, asset__code=code)))


class Orders(APIView):
    """The acting party's purchases."""

    permission_classes = (HasScope("buy"),)

    @extend_schema(operation_id="makeOrder", request=dict, responses={201: dict})
    def post(self, request: Request) -> Response:
        """Order an offer; sign `typed_data` with the wallet to pay and accept."""
        body = Fields(request.data)
        offers = Offer.objects.select_related("listing", "listing__asset")
        offer = get_object_or_404(offers, code=body.text("offer"))
        account = checksum(body.text("account"), body.at("account"))
        body.close()
        user = request.user if isinstance(request.user, User) else None
        order = make_order(
            offer=offer, buyer=acting_party(request), user=user, account=account
        )
        return Response(order_json(order), status=201)


class OrderDetail(APIView):
    """One purchase."""

    permission_classes = (HasScope("buy"),)

    @extend_schema(operation_id="getOrder", responses=dict)
    def get(self, request: Request, code: str) -> Response:
        """State of the order, and its license once it is issued."""
        rows = Order.objects.filter(buyer=acting_party(request))
        return Response(order_json(get_object_or_404(rows, code=code)))


class OrderAuthorize(APIView):
    """The one signature."""

    permission_classes = (HasScope("buy"),)

    @extend_schema(operation_id="authorizeOrder", request=dict, responses=dict)
    def post(self, request: Request, code: str) -> Response:
        """Send the wallet's signature; sending it twice pays once."""
        rows = Order.objects.filter(buyer=acting_party(request))
        order = get_object_or_404(rows, code=code)
        body = Fields(request.data)
        signature = body.text("signature", limit=4096)
        body.close()
        return Response(order_json(authorize(order=order, signature=signature)))


class LicenseDetail(APIView):
    """One license of the acting party."""

    permission_classes = (HasScope("buy"),)

    @extend_schema(operation_id="getLicense", responses=dict)
    def get(self, request: Request, code: str) -> Response:
        """Terms, shares and delivery of a license."""
        return Response(license_json(_license(request, code)))


class LicenseDownload(APIView):
    """The buyer's own copy."""

    permission_classes = (HasScope("buy"),)

    @extend_schema(operation_id="downloadLicense", request=None, responses=dict)
    def post(self, request: Request, code: str) -> Response:
        """A link that works once, for one minute."""
        user = request.user if isinstance(request.user, User) else None
        token = grant_download(license_row=_license(request, code), user=user)
        path = reverse("marketplace:download", args=[token])
        return Response({"url": settings.SITE_URL + path})


class LicenseCancel(APIView):
    """A purchase that nobody has downloaded."""

    permission_classes = (HasScope("buy"),)

    @extend_schema(operation_id="cancelLicense", request=None, responses=dict)
    def post(self, request: Request, code: str) -> Response:
        """End the license for its price; sending it twice cancels once.

        The price is free again in the deposit account: ask for it at
        `/api/v1/licenses/{id}/refund`.
        """
        row = cancel_purchase(license_row=_license(request, code))
        return Response(license_json(row))


def _license(request: Request, code: str) -> License:
    rows = License.objects.filter(buyer=acting_party(request))
    return get_object_or_404(rows, code=code)


def listing_json(listing: Listing) -> dict[str, Any]:
    """A listing with its current offers."""
    offers = listing.offers.filter(withdrawn_at__isnull=True)
    return {
        "id": listing.code,
        "asset": listing.asset.code,
        "title": listing.title,
        "badge": listing.badge_word,
        "offers": [
            {
                "id": offer.code,
                "use": offer.use,
                "price_units": offer.price_units,
                "deposit_units": offer.deposit_units,
                "rate_units": offer.rate_units,
                "rate_per": offer.rate_per,
                "terms": offer.terms,
                "terms_digest": bytes(offer.terms_digest).hex(),
            }
            for offer in offers
        ],
    }


def order_json(order: Order) -> dict[str, Any]:
    """An order as its buyer sees it."""
    row = License.objects.filter(order=order).first()
    return {
        "id": order.code,
        "state": order.state,
        "amount_units": order.amount_units,
        "ref": "0x" + bytes(order.ref).hex(),
        "terms": order.terms,
        "terms_digest": bytes(order.terms_digest).hex(),
        "typed_data": typed_data(order) if order.state == Order.State.OPEN else None,
        "failed_reason": order.failed_reason or None,
        "uncharged": order.uncharged,
        "received_units": order.received_units,
        "tx_hash": order.intent.tx_hash if order.intent else None,
        "license": row.code if row else None,
        "expires_at": order.expires_at,
    }


def license_json(row: License) -> dict[str, Any]:
    """A license as its buyer sees it."""
    delivery = getattr(row, "delivery", None)
    return {
        "id": row.code,
        "asset": row.asset.code,
        "state": row.state,
        "revoked_reason": row.revoked_reason or None,
        "terms": row.terms,
        "shares": row.shares,
        "account": row.account,
        "price_units": row.price_units,
        "deposit_units": row.deposit_units,
        "log_index": row.entry.index,
        "delivery": delivery
        and {"sha256": bytes(delivery.digest).hex(), "bytes": delivery.size_bytes},
        "issued_at": row.issued_at,
        "final_at": row.final_at,
        "cancelable_until": cancelable_until(row),
        "valid_from": row.valid_from,
        "valid_until": row.valid_until,
    }
