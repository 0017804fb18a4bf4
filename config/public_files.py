"""Small files that machines look for: favicon, robots, sitemap, security.txt."""

from __future__ import annotations

from datetime import UTC, timedelta
from xml.sax.saxutils import escape

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from marketplace.models import Listing

PRIVATE = ("/api/", "/accounts/", "/settings", "/royalties", "/ops/", "/library")
PAGES = (
    "marketplace:explore",
    "provenance:verify",
    "provenance:registry",
    "developers",
)
SITEMAP_WORKS = 40_000
SECURITY_DAYS = 180
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"


@require_GET
def favicon(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """The icon, for what is shown without a page around it: a picture, JSON.

    Not for ever: the name that it leads to changes with the icon's bytes.
    """
    return HttpResponseRedirect(static("img/icon.svg"))


@require_GET
def robots(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Public pages may be read; what belongs to a person may not."""
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in PRIVATE)]
    lines += ["Allow: /", "", f"Sitemap: {settings.SITE_URL}/sitemap.xml", ""]
    return HttpResponse("\n".join(lines), content_type="text/plain; charset=utf-8")


@require_GET
def sitemap(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Public pages and every work on sale.

    Source: sitemaps.org protocol 0.9 (at most 50,000 addresses in a file).
    """
    places = [(place, None) for name in PAGES if (place := _place(name))]
    works = Listing.objects.on_sale().order_by("-listed_at")
    rows = works.values_list("asset__code", "listed_at")[:SITEMAP_WORKS]
    listed = [(reverse("marketplace:asset", args=[code]), at) for code, at in rows]
    body = "".join(
        f"<url><loc>{escape(settings.SITE_URL + place)}</loc>"
        + (f"<lastmod>{at.astimezone(UTC):%Y-%m-%d}</lastmod>" if at else "")
        + "</url>"
        for place, at in [*places, *listed]
    )
    text = f'{HEAD}<urlset xmlns="{NAMESPACE}">{body}</urlset>'
    return HttpResponse(text, content_type="application/xml; charset=utf-8")


@require_GET
def security(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Where to report a security problem.

    Source: RFC 9116.
    """
    until = timezone.now().astimezone(UTC) + timedelta(days=SECURITY_DAYS)
    lines = [
        f"Contact: mailto:{settings.DEFAULT_FROM_EMAIL}",
        f"Expires: {until:%Y-%m-%dT00:00:00Z}",
        "Preferred-Languages: en",
        f"Canonical: {settings.SITE_URL}/.well-known/security.txt",
        "",
    ]
    return HttpResponse("\n".join(lines), content_type="text/plain; charset=utf-8")


def _place(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""
