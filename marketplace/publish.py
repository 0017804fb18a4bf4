"""A sealed work with an agreement goes on sale: listing and offers."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from marketplace.errors import NotForSaleError
from marketplace.models import Listing, Offer
from marketplace.terms import OfferPlan, digest_of, terms_of
from outbox.enqueue import enqueue
from provenance.models import Agreement, Asset, Verdict

CERTIFIED_LEVEL = 3


def publish_listing(*, asset: Asset, plans: list[OfferPlan]) -> Listing:
    """Put a work on sale, or replace its offers; past orders keep theirs.

    Writes: Listing, Offer, Asset.published_at, Job. Lock: the Asset row.

    Raises:
        NotForSaleError: not sealed yet, no agreement, or suspended.
    """
    with transaction.atomic(durable=True):
        asset = Asset.objects.select_for_update().get(pk=asset.pk)
        agreement = asset.agreements.order_by("-version").first()
        _check(asset, agreement)
        assert agreement is not None
        asset.published_at = asset.published_at or timezone.now()
        asset.save(update_fields=["published_at"])
        listing, _ = Listing.objects.update_or_create(
            asset=asset,
            defaults={
                "party": asset.party,
                "state": Listing.State.LIVE,
                "title": asset.title,
                "search_text": _search_text(asset),
                "from_units": min(_entry_price(plan) for plan in plans),
                "training_allowed": asset.training.get("ai_generative_training")
                == "allowed",
            },
        )
        listing.offers.filter(withdrawn_at__isnull=True).update(
            withdrawn_at=timezone.now()
        )
        for position, plan in enumerate(plans):
            _offer(listing, plan, agreement, position)
        enqueue(
            "asset.judge",
            key=f"judge:{asset.code}:published:{listing.pk}:{agreement.pk}",
            payload={"asset": asset.pk},
        )
        # With the wallet in the key: whoever links one later publishes again.
        owner = asset.party.holder.payout_address
        enqueue(
            "asset.mint", key=f"mint:{asset.code}:{owner}", payload={"asset": asset.pk}
        )
        enqueue(
            "listing.refresh",
            key=f"refresh:{listing.pk}:{timezone.now().timestamp()}",
            payload={"asset": asset.pk},
        )
    return listing


def _check(asset: Asset, agreement: Agreement | None) -> None:
    if asset.stage not in {"sealed", "published"}:
        raise NotForSaleError(
            f"the work is {asset.stage}; it can be published once it is sealed"
        )
    if agreement is None:
        raise NotForSaleError("say first who is paid when the work earns")
    verdict: Verdict | None = asset.verdicts.first()
    if verdict and verdict.standing == "suspended":
        raise NotForSaleError("the work is suspended; see its page for the reason")


def _entry_price(plan: OfferPlan) -> int:
    """What a buyer pays first: the price, or one metered unit of it."""
    return plan.price_units or plan.rate_units


def _search_text(asset: Asset) -> str:
    parts = (asset.title, asset.description, asset.creator_name, asset.party.name)
    return " ".join(part for part in parts if part).lower()


def _offer(
    listing: Listing, plan: OfferPlan, agreement: Agreement, position: int
) -> None:
    terms = terms_of(plan, asset=listing.asset.code, fee_ppm=agreement.fee_ppm)
    Offer.objects.create(
        listing=listing,
        use=plan.use,
        name=terms["name"],
        summary=terms["summary"],
        price_units=plan.price_units,
        deposit_units=plan.deposit_units,
        rate_units=plan.rate_units,
        rate_per=plan.rate_per,
        term_days=plan.term_days,
        terms=terms,
        terms_digest=digest_of(terms),
        position=position,
    )
