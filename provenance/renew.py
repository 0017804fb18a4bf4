"""Ask for new verdicts before the old ones end: a verdict holds for seven days."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from outbox.claims import Claim
from outbox.enqueue import enqueue
from provenance.models import Asset

AHEAD = timedelta(days=2)
SWEEP = 500


def renew_verdicts(*, claim: Claim | None = None) -> int:
    """Enqueue one judging per work whose newest verdict ends within two days.

    Bounded; what is left comes with the next sweep. Returns how many were asked for.

    Writes: Job. Lock: none, one key per work and day.
    """
    now = timezone.now()
    with transaction.atomic(durable=True):
        if claim:
            claim.hold()
        due = (
            Asset.objects.annotate(until=Max("verdicts__expires_at"))
            .filter(until__lt=now + AHEAD)
            .order_by("until")[:SWEEP]
        )
        for asset in due:
            enqueue(
                "asset.judge",
                key=f"judge:{asset.code}:renew:{now.date().isoformat()}",
                payload={"asset": asset.pk},
            )
        return len(due)
