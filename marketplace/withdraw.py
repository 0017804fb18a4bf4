"""Take a work off sale; licenses that were issued keep their terms."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from marketplace.models import Listing
from outbox.enqueue import enqueue


def withdraw_listing(*, listing: Listing) -> Listing:
    """Stop selling a work; publishing it again puts it back.

    Writes: Listing.state, Job. Lock: the Listing row.
    """
    with transaction.atomic(durable=True):
        listing = Listing.objects.select_for_update().get(pk=listing.pk)
        if listing.state == Listing.State.WITHDRAWN:
            return listing
        listing.state = Listing.State.WITHDRAWN
        listing.save(update_fields=["state"])
        enqueue(
            "listing.refresh",
            key=f"refresh:{listing.pk}:{timezone.now().timestamp()}",
            payload={"asset": listing.asset_id},
        )
    return listing
