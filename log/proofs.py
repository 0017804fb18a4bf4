"""Prove that an entry is in the log, and that the log only grows."""

from __future__ import annotations

from colophon import merkle
from colophon.tlogproof import LogProof
from log import tiles
from log.errors import NotCoveredError
from log.models import Checkpoint, Entry


def inclusion(entry: Entry, checkpoint: Checkpoint) -> str:
    """Proof text (c2sp.org/tlog-proof@v1) of an entry under a checkpoint.

    Raises:
        NotCoveredError: the entry has no index yet, or one beyond the checkpoint.
    """
    if entry.index is None or entry.index >= checkpoint.size:
        raise NotCoveredError(
            f"checkpoint {checkpoint.size} does not cover entry {entry.pk} "
            f"(index {entry.index}); wait for the next checkpoint"
        )
    hashes = merkle.inclusion_proof(
        entry.index, checkpoint.size, tiles.reader(checkpoint.size)
    )
    return LogProof(entry.index, tuple(hashes), checkpoint.note).to_text()


def covering(entry: Entry) -> Checkpoint | None:
    """The smallest checkpoint that covers an entry; None until there is one."""
    if entry.index is None:
        return None
    return Checkpoint.objects.filter(size__gt=entry.index).order_by("size").first()


def consistency(old: Checkpoint, new: Checkpoint) -> list[bytes]:
    """Hashes that prove that the second checkpoint extends the first (RFC 6962).

    Raises:
        InputError: the first is the larger one.
    """
    return merkle.consistency_proof(old.size, new.size, tiles.reader(new.size))
