"""Copy a work's newest verdict into its listing, and keep the stored facet counts."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Count

from marketplace.models import Facet, Listing
from outbox.claims import Claim
from provenance.models import Asset

FACETS = ("origin_class", "badge_word", "training_allowed")


def refresh_listing(*, asset: Asset, claim: Claim | None = None) -> None:
    """Bring a listing's stored facets up to date with the newest verdict.

    Writes: Listing, Facet. Lock: none; running twice writes the same.
    """
    with transaction.atomic(durable=True):
        if claim:
            claim.hold()
        listing = Listing.objects.filter(asset=asset).first()
        if listing is None:
            return
        if verdict := asset.verdicts.first():
            listing.origin_class = verdict.origin_class
            listing.evidence_level = verdict.evidence_level
            listing.badge_word = verdict.word
            if verdict.standing == "suspended":
                listing.state = Listing.State.WITHDRAWN
            listing.save()
        for name in FACETS:
            _count(name)


def _count(name: str) -> None:
    live = Listing.objects.filter(state=Listing.State.LIVE)
    counts = {
        str(row[name]): row["n"] for row in live.values(name).annotate(n=Count("id"))
    }
    Facet.objects.filter(name=name).exclude(value__in=counts).update(count=0)
    for value, count in counts.items():
        Facet.objects.update_or_create(
            name=name, value=value, defaults={"count": count}
        )
