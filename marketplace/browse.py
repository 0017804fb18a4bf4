"""Find works for sale: filters on stored facets, newest first, keyset pages."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from marketplace.models import Listing

PAGE = 24
ORIGINS = ("CAPTURE", "HUMAN_MADE", "HYBRID", "AI", "ALGORITHMIC", "UNKNOWN")
MAX_WORDS = 6


@dataclass(frozen=True)
class Page:
    """One page of listings and the cursor of the next one; empty when it is last."""

    listings: list[Listing]
    next_cursor: str


def find(params: Mapping[str, str]) -> Page:
    """Live listings that match the query string.

    Args:
        params: q (words), origin, level (at least), use, training (1), cursor.
            A value that makes no sense is left out rather than refused.
    """
    rows = _filtered(params)
    if position := _read_cursor(params.get("cursor", "")):
        listed_at, pk = position
        rows = rows.filter(
            Q(listed_at__lt=listed_at) | Q(listed_at=listed_at, pk__lt=pk)
        )
    found = list(
        rows.select_related("asset", "asset__party")
        .prefetch_related("asset__renditions", "offers")
        .order_by("-listed_at", "-pk")[: PAGE + 1]
    )
    more = len(found) > PAGE
    page = found[:PAGE]
    return Page(page, _cursor(page[-1]) if more else "")


def _filtered(params: Mapping[str, str]) -> QuerySet[Listing]:
    rows = Listing.objects.filter(state=Listing.State.LIVE)
    for text in params.get("q", "").lower().split()[:MAX_WORDS]:
        rows = rows.filter(search_text__contains=text)
    if (origin := params.get("origin", "")) in ORIGINS:
        rows = rows.filter(origin_class=origin)
    if (level := params.get("level", "")).isdigit():
        rows = rows.filter(evidence_level__gte=min(int(level), 9))
    if use := params.get("use", ""):
        rows = rows.filter(offers__use=use, offers__withdrawn_at__isnull=True)
    if params.get("training") == "1":
        rows = rows.filter(training_allowed=True)
    return rows


def _cursor(listing: Listing) -> str:
    text = f"{listing.listed_at.isoformat()} {listing.pk}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_cursor(text: str) -> tuple[datetime, int] | None:
    """The position of a cursor; None when it is empty or not one of ours."""
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
        moment, pk = raw.split(" ")
        return datetime.fromisoformat(moment), int(pk)
    except (ValueError, binascii.Error):
        return None
