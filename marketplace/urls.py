"""Addresses of the market: pages and API."""

from __future__ import annotations

from django.urls import path

from marketplace import api
from marketplace.views import asset, checkout, download, explore, library, orders, work
from provenance import paths  # noqa: F401 - registers the converter

app_name = "marketplace"

urlpatterns = [
    path("", explore.explore, name="explore"),
    path("a/<code:code>", asset.page, name="asset"),
    path("checkout", checkout.start, name="checkout-start"),
    path("checkout/<code:code>", checkout.page, name="checkout"),
    path("checkout/<code:code>/prepare", checkout.prepare, name="checkout-prepare"),
    path("checkout/<code:code>/pay", checkout.pay, name="checkout-pay"),
    path(
        "checkout/<code:code>/test", checkout.pay_with_test_money, name="checkout-test"
    ),
    path("orders/<code:code>", orders.page, name="order"),
    path("orders/<code:code>/state", orders.state, name="order-state"),
    path("library", library.library, name="library"),
    path("library/<code:code>", library.license_page, name="license"),
    path("library/<code:code>/download", library.download, name="license-download"),
    path("library/<code:code>/cancel", library.cancel, name="license-cancel"),
    path("licenses/<code:code>", library.certificate, name="certificate"),
    path("sell/<code:code>", work.page, name="work"),
    path("sell/<code:code>/agreement", work.agree, name="work-agree"),
    path("sell/<code:code>/publish", work.publish, name="work-publish"),
    path("sell/<code:code>/withdraw", work.withdraw, name="work-withdraw"),
    path("download/<str:token>", download.download, name="download"),
    path(
        "api/v1/assets/<code:code>/publish",
        api.AssetPublish.as_view(),
        name="api-publish",
    ),
    path(
        "api/v1/listings/<code:code>", api.ListingDetail.as_view(), name="api-listing"
    ),
    path("api/v1/orders", api.Orders.as_view(), name="api-orders"),
    path("api/v1/orders/<code:code>", api.OrderDetail.as_view(), name="api-order"),
    path(
        "api/v1/orders/<code:code>/authorize",
        api.OrderAuthorize.as_view(),
        name="api-authorize",
    ),
    path(
        "api/v1/licenses/<code:code>", api.LicenseDetail.as_view(), name="api-license"
    ),
    path(
        "api/v1/licenses/<code:code>/cancel",
        api.LicenseCancel.as_view(),
        name="api-cancel",
    ),
    path(
        "api/v1/licenses/<code:code>/download",
        api.LicenseDownload.as_view(),
        name="api-download",
    ),
]
