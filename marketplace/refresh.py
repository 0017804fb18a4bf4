"""Copy a work's newest verdict into its listing, and keep the stored facet counts."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from colophon.policy import Standing
from marketplace.models import Facet, Listing, Offer
from outbox.claims import Claim
from provenance.models import Asset, Verdict

FACETS = ("origin_class", "badge_word", "training_allowed")


def refresh_listing(*, asset: Asset, claim: Claim | None = None) -> None:
    """Bring a listing's stored facets up to date with the newest verdict.

    A verdict that suspends takes the work off sale until another one does not; what
    the seller wants is theirs to say, and is not touched.

    Writes: Listing, Facet. Lock: the Listing row, then the Facet rows.
    """
    with transaction.atomic(durable=True):
        if claim:
            claim.hold()
        listing = Listing.objects.select_for_update().filter(asset=asset).first()
        if listing is None:
            return
        if verdict := asset.verdicts.first():
            _copy(listing, verdict)
        _count()


def _copy(listing: Listing, verdict: Verdict) -> None:
    listing.origin_class = verdict.origin_class
    listing.evidence_level = verdict.evidence_level
    listing.badge_word = verdict.word
    if verdict.standing == Standing.SUSPENDED:
        listing.suspended_at = listing.suspended_at or timezone.now()
    else:
        listing.suspended_at = None
    listing.save(
        update_fields=["origin_class", "evidence_level", "badge_word", "suspended_at"]
    )


def _count() -> None:
    """Count all facets anew; whoever counts waits for the one before."""
    list(Facet.objects.select_for_update().order_by("pk"))
    on_sale = Listing.objects.on_sale()
    for name in FACETS:
        rows = on_sale.values(name).annotate(n=Count("id"))
        _keep(name, {str(row[name]): row["n"] for row in rows})
    offered = Offer.objects.filter(listing__in=on_sale, withdrawn_at__isnull=True)
    uses = offered.values("use").annotate(n=Count("listing", distinct=True))
    _keep("use", {row["use"]: row["n"] for row in uses})


def _keep(name: str, counts: dict[str, int]) -> None:
    """Store the counts of one facet; a value that nobody has counts 0."""
    Facet.objects.filter(name=name).exclude(value__in=counts).update(count=0)
    for value, count in counts.items():
        Facet.objects.update_or_create(
            name=name, value=value, defaults={"count": count}
        )
