"""Addresses of usage, settlements and statements."""

from __future__ import annotations

from django.urls import path

from provenance import paths  # noqa: F401 - registers the converter
from royalties import api
from royalties.views import dashboard, earned, payouts, refund, statements, usage

app_name = "royalties"

urlpatterns = [
    path("royalties", dashboard.dashboard, name="dashboard"),
    path("royalties/settle", dashboard.settle, name="settle"),
    path("royalties/earned", earned.earned, name="earned"),
    path(
        "royalties/earned/<int:epoch>/<str:license>/<int:position>",
        earned.why,
        name="why",
    ),
    path("royalties/statements", statements.statements, name="statements"),
    path("royalties/statement.json", statements.whole_json, name="whole-json"),
    path("royalties/statements/<int:epoch>", statements.statement, name="statement"),
    path(
        "royalties/statements/<int:epoch>.csv",
        statements.statement_csv,
        name="statement-csv",
    ),
    path(
        "royalties/statements/<int:epoch>.json",
        statements.statement_json,
        name="statement-json",
    ),
    path("royalties/payouts", payouts.payouts, name="payouts"),
    path("royalties/payouts/<str:code>/trace.json", payouts.trace, name="trace"),
    path("licenses/<code:code>/usage", usage.usage, name="license"),
    path("licenses/<code:code>/usage/file", usage.usage_file, name="usage-file"),
    path("orders/<code:code>/refund", refund.page, name="refund"),
    path("orders/<code:code>/refund/prepare", refund.prepare, name="refund-prepare"),
    path("orders/<code:code>/refund/ask", refund.ask, name="refund-ask"),
    path(
        "orders/<code:code>/refund/test",
        refund.ask_with_test_wallet,
        name="refund-test",
    ),
    path(
        "api/v1/licenses/<code:code>/refund",
        api.LicenseRefund.as_view(),
        name="api-refund",
    ),
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
