"""Addresses of the market: pages and API."""

from __future__ import annotations

from django.urls import path

from marketplace import api
from marketplace.views import asset, download, explore

app_name = "marketplace"

urlpatterns = [
    path("", explore.explore, name="explore"),
    path("a/<str:code>", asset.page, name="asset"),
    path("download/<str:token>", download.download, name="download"),
    path(
        "api/v1/assets/<str:code>/publish",
        api.AssetPublish.as_view(),
        name="api-publish",
    ),
    path("api/v1/listings/<str:code>", api.ListingDetail.as_view(), name="api-listing"),
    path("api/v1/orders", api.Orders.as_view(), name="api-orders"),
    path("api/v1/orders/<str:code>", api.OrderDetail.as_view(), name="api-order"),
    path(
        "api/v1/orders/<str:code>/authorize",
        api.OrderAuthorize.as_view(),
        name="api-authorize",
    ),
    path("api/v1/licenses/<str:code>", api.LicenseDetail.as_view(), name="api-license"),
    path(
        "api/v1/licenses/<str:code>/download",
        api.LicenseDownload.as_view(),
        name="api-download",
    ),
]
