"""Handlers of the log's jobs."""

from __future__ import annotations

from log import checkpoint as checkpoints
from log import cosign as cosigning
from log import sequence as sequences
from log import timestamp as timestamps
from log import witnesses
from log.models import Checkpoint
from outbox.claims import Claim


def sequence(claim: Claim) -> None:
    """Give pending entries their indexes."""
    sequences.sequence(claim)


def checkpoint(claim: Claim) -> None:
    """Publish a checkpoint when the head grew."""
    checkpoints.publish(claim)


def timestamp(claim: Claim) -> None:
    """Get the time-stamp of one checkpoint."""
    row = Checkpoint.objects.get(pk=claim.payload["checkpoint"])
    timestamps.stamp(row, claim)


def cosign(claim: Claim) -> None:
    """Ask one witness about one checkpoint; not when it is no longer configured."""
    row = Checkpoint.objects.get(pk=claim.payload["checkpoint"])
    for place in witnesses.configured():
        if place.key.vkey == claim.payload["witness"]:
            cosigning.ask(row, place, claim)
