"""Where pages find a work's pictures, and how large they are."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from provenance.models import Asset, Rendition

NO_WORDS = "No description was given"


def picture_of(
    asset: Asset, kind: str = Rendition.Kind.PREVIEW
) -> dict[str, Any] | None:
    """A rendition for <img>: url, width, height, alt; None while there is none.

    Uses the prefetched renditions of the asset where there are any.
    """
    rows = {row.kind: row for row in asset.renditions.all()}
    row = rows.get(kind)
    if row is None:
        return None
    return {
        "url": url_of(asset, kind),
        "width": row.width,
        "height": row.height,
        "alt": asset.alt_text or NO_WORDS,
        "srcset": _sources(asset, rows),
    }


def url_of(asset: Asset, kind: str) -> str:
    """The address of a rendition."""
    return reverse("provenance:media", args=[kind, asset.code])


def _sources(asset: Asset, rows: dict[str, Rendition]) -> str:
    """The widths that a browser may choose from."""
    shown = (rows.get(Rendition.Kind.THUMBNAIL), rows.get(Rendition.Kind.PREVIEW))
    return ", ".join(f"{url_of(asset, one.kind)} {one.width}w" for one in shown if one)
