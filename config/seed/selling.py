"""Put the works on sale: who is paid, and the three uses at their prices."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings

from colophon.fields import format_time
from colophon.units import PPM
from config.seed.people import Person
from config.seed.works import Work
from marketplace.models import Listing
from marketplace.publish import publish_listing
from marketplace.terms import parse_offers
from provenance.agree import accept_agreement, propose_agreement
from provenance.models import Agreement, Asset, Rendition, Source
from provenance.register import register_source
from provenance.shares import default_parts, parse_parts, used_sources

CLAIMED_PPM = 50_000  # what is kept for an owner who has not come forward
PICTURE_PPM = 150_000  # what a maker asks for a picture that others build on


def offers(work: Work, covers_from: datetime) -> list[dict[str, Any]]:
    """The three uses of a work, as a publish request has them."""
    level = work.price
    return [
        {"use": "editorial", "price": f"{12 * level}.00"},
        {"use": "commercial", "price": f"{45 * level}.00"},
        {
            "use": "pay-per-use",
            "price": f"{level}.00",
            "deposit": f"{30 * level}.00",
            "rate": f"0.{40 + 15 * level:02}",
            "rate_per": 1000,
            "covers_from": format_time(covers_from),
        },
    ]


def agree(work: Work, asset: Asset, people: Mapping[str, Person]) -> Agreement:
    """Propose who is paid; a second creator accepts, unless the work waits for it."""
    if existing := asset.agreements.order_by("-version").first():
        return existing
    maker = people[work.by]
    claimed = [one for one in used_sources(asset) if not one.owner_signed]
    if not (claimed or work.co):
        return propose_agreement(
            asset=asset, parts=default_parts(asset), by=maker.party
        )
    parts = parse_parts(asset, _values(work, asset, people, claimed))
    made = propose_agreement(asset=asset, parts=parts, by=maker.party)
    if work.co and work.fate != "waiting":
        accept_agreement(agreement=made, party=people[work.co[0]].party)
    return made


def _values(
    work: Work, asset: Asset, people: Mapping[str, Person], claimed: list[Source]
) -> list[dict[str, Any]]:
    """The parts of a request: what is kept for claimed sources, then the creators."""
    asked = sum(one.ask_ppm or 0 for one in used_sources(asset))
    left = PPM - settings.PLATFORM_FEE_PPM - asked - CLAIMED_PPM * len(claimed)
    values: list[dict[str, Any]] = [
        {"source": one.code, "ppm": CLAIMED_PPM} for one in claimed
    ]
    if work.co:
        name, ppm = work.co
        values.append({"holder": people[name].party.holder.code, "ppm": ppm})
        left -= ppm
    return [*values, {"holder": people[work.by].party.holder.code, "ppm": left}]


def publish(work: Work, asset: Asset, covers_from: datetime) -> Listing:
    """Put a work on sale; the same listing when it is there already."""
    if existing := Listing.objects.filter(asset=asset).first():
        return existing
    return publish_listing(asset=asset, plans=parse_offers(offers(work, covers_from)))


def register_picture(asset: Asset) -> Source:
    """Let others build on a published work, for a part of what theirs earns."""
    sealed = asset.renditions.get(kind=Rendition.Kind.SEALED)
    return register_source(
        party=asset.party,
        kind=Source.Kind.MEDIA,
        name=asset.title,
        digest=bytes(sealed.digest),
        ask_ppm=PICTURE_PPM,
        description="A published work that may be part of others.",
    )
