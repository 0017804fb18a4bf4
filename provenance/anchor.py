"""A final `Anchored` log becomes an anchor row, with the receipt that proves it."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from chain.models import Event, Intent
from log.models import Checkpoint
from outbox.claims import Claim
from outbox.enqueue import enqueue
from provenance.models import Anchor, Asset


def keep_anchor(
    *, event: Event, receipt: dict[str, Any], claim: Claim | None = None
) -> Anchor | None:
    """Take over one final anchor and have the works that it covers judged anew.

    Args:
        event: the final `Anchored(size, root)` log.
        receipt: header, receipt and trie proof (chain/receipts.py), checked.

    Returns:
        The anchor; None when the root is not the root of our checkpoint.

    Writes: Anchor, Job. Lock: unique Anchor.checkpoint.
    """
    size, root = int(event.args["size"]), str(event.args["root"])
    with transaction.atomic(durable=True):
        if claim:
            claim.hold()
        checkpoint = Checkpoint.objects.filter(size=size).first()
        intent = Intent.objects.filter(tx_hash=event.tx_hash).first()
        if checkpoint is None or intent is None:
            return None
        if bytes(checkpoint.root).hex() != root.removeprefix("0x"):
            return None
        anchor, made = Anchor.objects.get_or_create(
            checkpoint=checkpoint,
            defaults={
                "intent": intent,
                "block_number": event.block_number,
                "block_hash": event.block_hash,
                "tx_hash": event.tx_hash,
                "block_at": event.mined_at,
                "receipt": receipt,
            },
        )
        if made:
            _judge_covered(size)
    return anchor


def _judge_covered(size: int) -> None:
    """Works whose seal this anchor is the first to cover."""
    before = (
        Anchor.objects.filter(checkpoint__size__lt=size)
        .order_by("-checkpoint__size")
        .values_list("checkpoint__size", flat=True)
        .first()
    )
    assets = Asset.objects.filter(
        seal__entry__index__lt=size, seal__entry__index__gte=before or 0
    )
    for asset in assets:
        enqueue(
            "asset.judge",
            key=f"judge:{asset.code}:anchored:{size}",
            payload={"asset": asset.pk},
        )
