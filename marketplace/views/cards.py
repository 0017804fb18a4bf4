"""A listing as a card of the catalog."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from marketplace.models import Listing
from provenance.models import Rendition
from provenance.shown.origin import split_of
from provenance.shown.pictures import picture_of

STANDINGS = ("contested", "suspended", "expired", "superseded")


def card_of(listing: Listing) -> dict[str, Any]:
    """The inputs of partials/card.html, from the listing's stored facets."""
    asset, word = listing.asset, listing.badge_word
    standing = word.lower() if word.lower() in STANDINGS else "active"
    return {
        "url": reverse("marketplace:asset", args=[asset.code]),
        "title": listing.title,
        "creator": asset.creator_name or asset.party.name,
        "picture": picture_of(asset, Rendition.Kind.THUMBNAIL),
        "verdict": {
            "word": word,
            "standing": standing,
            "level": listing.evidence_level,
            "o_class": listing.origin_class,
        },
        "split": split_of(getattr(asset, "origin_map", None)),
        "price_units": listing.from_units,
    }
