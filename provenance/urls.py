"""Addresses of provenance: the API, evidence, trust and media."""

from __future__ import annotations

from django.urls import path

from provenance.api import assets, runs, sources

app_name = "provenance"

urlpatterns = [
    path("api/v1/runs", runs.Runs.as_view(), name="api-runs"),
    path("api/v1/runs/<str:code>", runs.RunDetail.as_view(), name="api-run"),
    path("api/v1/runs/<str:code>/steps", runs.RunSteps.as_view(), name="api-steps"),
    path("api/v1/sources", sources.Sources.as_view(), name="api-sources"),
    path(
        "api/v1/sources/<str:code>", sources.SourceDetail.as_view(), name="api-source"
    ),
    path("api/v1/assets", assets.Assets.as_view(), name="api-assets"),
    path("api/v1/assets/<str:code>", assets.AssetDetail.as_view(), name="api-asset"),
    path(
        "api/v1/assets/<str:code>/evidence",
        assets.AssetEvidence.as_view(),
        name="api-asset-evidence",
    ),
    path("api/v1/evidence", assets.EvidenceByDigest.as_view(), name="api-evidence"),
    path(
        "api/v1/assets/<str:code>/agreement",
        assets.AssetAgreement.as_view(),
        name="api-agreement",
    ),
    path(
        "api/v1/agreements/<str:code>/accept",
        assets.AgreementAccept.as_view(),
        name="api-accept",
    ),
]
