"""Two works that somebody objects to: one dispute is open, one was upheld."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction
from django.utils import timezone

from config.seed.people import Person
from outbox.enqueue import enqueue
from provenance.models import Asset, Dispute

OPEN_TEXT = (
    "The track layout follows a print of mine from 2024. I would like to see the "
    "program that is said to have made half of it."
)
UPHELD_TEXT = "This is my drawing, mirrored and recolored. I have the older scan."
DECISION = "The complainant's scan is older and shows the same drawing, mirrored."


def open_dispute(asset: Asset, by: Person) -> Dispute:
    """Somebody objects; staff has not decided yet."""
    return _dispute(asset, by, OPEN_TEXT)


def uphold(asset: Asset, by: Person, people: Mapping[str, Person]) -> Dispute:
    """Somebody objected, and a certifier found them right: the work is suspended."""
    row = _dispute(asset, by, UPHELD_TEXT)
    if row.state == Dispute.State.OPEN:
        row.state = Dispute.State.UPHELD
        row.decided_by = people["cora"].user
        row.decision = DECISION
        row.decided_at = timezone.now()
        row.save()
        _judge(asset, "upheld")
    return row


def _dispute(asset: Asset, by: Person, text: str) -> Dispute:
    if existing := Dispute.objects.filter(asset=asset).first():
        return existing
    row = Dispute.objects.create(
        asset=asset, opened_by=by.user, reason="not-theirs", text=text
    )
    _judge(asset, "disputed")
    return row


def _judge(asset: Asset, why: str) -> None:
    with transaction.atomic():
        enqueue(
            "asset.judge",
            key=f"judge:{asset.code}:{why}",
            payload={"asset": asset.pk},
        )
