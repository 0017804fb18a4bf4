"""Addresses of usage, settlements and statements."""

from __future__ import annotations

from django.urls import path

from royalties import api

app_name = "royalties"

urlpatterns = [
    path("api/v1/usage", api.Usage.as_view(), name="api-usage"),
    path(
        "api/v1/usage/batches/<str:code>",
        api.UsageBatchDetail.as_view(),
        name="api-batch",
    ),
    path("api/v1/settlements", api.Settlements.as_view(), name="api-settlements"),
    path(
        "api/v1/settlements/<int:epoch>",
        api.SettlementDetail.as_view(),
        name="api-settlement",
    ),
    path("api/v1/statement", api.Statement.as_view(), name="api-statement"),
    path("api/v1/payouts", api.SettleNow.as_view(), name="api-settle-now"),
    path(
        "api/v1/payouts/<str:code>/trace",
        api.PayoutTrace.as_view(),
        name="api-trace",
    ),
]
