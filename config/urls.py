"""The URL conf: one include per app."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from config import developers, health, ops, public_files

urlpatterns: list[URLPattern | URLResolver] = [
    path("accounts/", include("allauth.urls")),
    path("", include("accounts.urls")),
    path("log/", include("log.urls")),
    path("", include("provenance.urls")),
    path("", include("marketplace.urls")),
    path("", include("royalties.urls")),
    path("developers", developers.developers, name="developers"),
    path("developers/api", developers.api, name="api-reference"),
    path("api/v1/openapi.json", developers.openapi, name="openapi"),
    path("policy/<str:name>.json", developers.policy_json, name="policy-json"),
    path("policy/<str:name>", developers.policy, name="policy"),
    path("ops/", ops.page, name="ops"),
    path("ops/jobs/<int:pk>/retry", ops.retry, name="ops-retry"),
    path("favicon.ico", public_files.favicon, name="favicon"),
    path("robots.txt", public_files.robots, name="robots"),
    path("sitemap.xml", public_files.sitemap, name="sitemap"),
    path(".well-known/security.txt", public_files.security, name="security"),
    path("trust.json", health.trust, name="trust"),
    path("healthz", health.live, name="live"),
    path("readyz", health.ready, name="ready"),
]
