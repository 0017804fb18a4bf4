"""Addresses of provenance: pages, media, and the API."""

from __future__ import annotations

from django.urls import path

from provenance import paths  # noqa: F401 - registers the converter
from provenance.api import assets, certificates, exports, runs, sources, verify
from provenance.views import (
    dispute,
    media,
    progress,
    registry,
    review,
    studio,
    upload,
)
from provenance.views import log as log_page
from provenance.views import verify as verify_page

app_name = "provenance"

urlpatterns = [
    path("media/<str:kind>/<code:code>.jpg", media.rendition, name="media"),
    path("media/map/<code:code>.png", media.origin_map, name="map"),
    path("verify", verify_page.page, name="verify"),
    path("verify/lookup", verify_page.lookup, name="lookup"),
    path("api/v1/verify", verify.Verify.as_view(), name="api-verify"),
    path("api/v1/lookup", verify.Lookup.as_view(), name="api-lookup"),
    path("api/v1/look-alikes", verify.LookAlikes.as_view(), name="api-look-alikes"),
    path("certificates/contract", certificates.Collection.as_view(), name="collection"),
    path(
        "certificates/<code:code>",
        certificates.Certificate.as_view(),
        name="certificate",
    ),
    path("log", log_page.page, name="log"),
    path("a/<code:code>/dispute", dispute.new, name="dispute-new"),
    path("review", review.queue, name="review"),
    path("review/<code:code>", review.case, name="case"),
    path("review/<code:code>/take", review.take, name="case-take"),
    path("review/<code:code>/leave", review.leave, name="case-leave"),
    path("review/<code:code>/decide", review.decide, name="case-decide"),
    path("sell/<code:code>/review", review.ask, name="ask-review"),
    path("disputes/<code:code>", dispute.page, name="dispute"),
    path("disputes/<code:code>/answer", dispute.answer, name="dispute-answer"),
    path("disputes/<code:code>/appeal", dispute.appeal, name="dispute-appeal"),
    path("registry", registry.index, name="registry"),
    path("registry/register", registry.register, name="register"),
    path("registry/<code:code>", registry.source, name="source"),
    path("sell", studio.studio, name="studio"),
    path("sell/new", upload.upload, name="upload"),
    path("sell/agreements/<code:code>/accept", studio.accept, name="accept"),
    path("sell/<code:code>/progress", progress.progress, name="progress"),
    path("api/v1/runs", runs.Runs.as_view(), name="api-runs"),
    path("api/v1/runs/<str:code>", runs.RunDetail.as_view(), name="api-run"),
    path("api/v1/runs/<str:code>/steps", runs.RunSteps.as_view(), name="api-steps"),
    path(
        "api/v1/runs/<str:code>/proxies/<str:digest>",
        runs.RunProxy.as_view(),
        name="api-proxy",
    ),
    path("api/v1/sources", sources.Sources.as_view(), name="api-sources"),
    path(
        "api/v1/sources/<str:code>", sources.SourceDetail.as_view(), name="api-source"
    ),
    path(
        "api/v1/sources/<str:code>/croissant",
        exports.SourceCroissant.as_view(),
        name="api-source-croissant",
    ),
    path("api/v1/assets", assets.Assets.as_view(), name="api-assets"),
    path("api/v1/assets/<str:code>", assets.AssetDetail.as_view(), name="api-asset"),
    path(
        "api/v1/assets/<str:code>/evidence",
        assets.AssetEvidence.as_view(),
        name="api-asset-evidence",
    ),
    path(
        "api/v1/assets/<str:code>/export/<str:kind>",
        exports.AssetExport.as_view(),
        name="api-asset-export",
    ),
    path(
        "api/v1/assets/<str:code>/origin-map",
        assets.AssetOriginMap.as_view(),
        name="api-origin-map",
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
