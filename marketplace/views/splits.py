"""Where a buyer's payment goes: the parts of an agreement in money and plain words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.urls import reverse

from colophon.units import split_ppm
from marketplace.models import Offer
from provenance.models import AgreementPart, Source

SOURCE_ROLES = {
    Source.Kind.MODEL: "model",
    Source.Kind.DATASET: "training data",
    Source.Kind.MEDIA: "picture used",
}
ROLES = {
    AgreementPart.Role.CREATOR: "maker",
    AgreementPart.Role.PLATFORM: "fee",
}


def split_rows(parts: Sequence[AgreementPart], units: int) -> list[dict[str, Any]]:
    """Rows of partials/split_table.html for a payment; they sum to it.

    Args:
        parts: of one agreement, with holder and source at hand.
        units: the payment in settlement-token units.
    """
    amounts = split_ppm(units, [(part.holder.code, part.ppm) for part in parts])
    rows = [_row(part, paid) for part, paid in zip(parts, amounts, strict=True)]
    return sorted(rows, key=lambda row: (row["role"] == "fee", -row["ppm"]))


def total_of(offer: Offer) -> int:
    """What the split table is about: the price, or all of what is metered."""
    return offer.price_units or offer.deposit_units


def _row(part: AgreementPart, units: int) -> dict[str, Any]:
    role = ROLES.get(AgreementPart.Role(part.role), "")
    url = ""
    if part.source is not None:
        role = SOURCE_ROLES[Source.Kind(part.source.kind)]
        url = reverse("provenance:source", args=[part.source.code])
    return {
        "name": part.holder.name,
        "role": role,
        "units": units,
        "ppm": part.ppm,
        "reserved": part.holder.party_id is None,
        "url": url,
    }
