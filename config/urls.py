"""The URL conf: one include per app."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from config import health

urlpatterns: list[URLPattern | URLResolver] = [
    path("accounts/", include("allauth.urls")),
    path("", include("accounts.urls")),
    path("log/", include("log.urls")),
    path("", include("provenance.urls")),
    path("", include("marketplace.urls")),
    path("", include("royalties.urls")),
    path("trust.json", health.trust, name="trust"),
    path("healthz", health.live, name="live"),
    path("readyz", health.ready, name="ready"),
]
