"""Template context that every page has."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def site(_request: HttpRequest) -> dict[str, Any]:
    """The site's own facts: test network band, demo sign-in, address."""
    return {
        "site_url": settings.SITE_URL,
        "demo": settings.DEMO,
        "test_network": "" if settings.CHAIN_PUBLIC else settings.CHAIN_NAME,
    }
