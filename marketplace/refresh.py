"""Copy a work's newest verdict into its listing, and keep the stored facet counts."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Count

from marketplace.models import Facet, Listing, Offer
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
        live = Listing.objects.filter(state=Listing.State.LIVE)
        for name in FACETS:
            rows = live.values(name).annotate(n=Count("id"))
            _keep(name, {str(row[name]): row["n"] for row in rows})
        offered = Offer.objects.filter(listing__in=live, withdrawn_at__isnull=True)
        uses = offered.values("use").annotate(n=Count("listing", distinct=True))
        _keep("use", {row["use"]: row["n"] for row in uses})


def _keep(name: str, counts: dict[str, int]) -> None:
    """Store the counts of one facet; a value that nobody has counts 0."""
    Facet.objects.filter(name=name).exclude(value__in=counts).update(count=0)
    for value, count in counts.items():
        Facet.objects.update_or_create(
            name=name, value=value, defaults={"count": count}
        )
