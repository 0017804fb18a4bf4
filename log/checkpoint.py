"""Publish the next checkpoint: tiles first, signature after, row last.

Before the log signs, it proves to itself that the new tree extends the last one it
signed; a changed row stops publishing instead of being signed.
"""

from __future__ import annotations

from django.conf import settings
from django.db import transaction

from colophon import merkle, note
from colophon.errors import ProofError
from log import tiles, witnesses
from log.errors import InconsistentLogError
from log.keys import log_signer
from log.models import Checkpoint, Head
from outbox.claims import Claim
from outbox.enqueue import enqueue


def publish(claim: Claim | None = None) -> Checkpoint | None:
    """Sign and keep the head, if it grew since the last checkpoint.

    Returns:
        The new checkpoint; None when there is nothing new, or another process
        published meanwhile.

    Writes: tiles, Checkpoint, a `log.timestamp` job and a `log.cosign` job for each
    witness. Lock: the head row.

    Raises:
        InconsistentLogError: the rows do not extend the last signed tree.
    """
    last = Checkpoint.objects.order_by("-size").first()
    old = last.size if last else 0
    head = Head.objects.first()
    if head is None or head.size <= old:
        return None
    root = tiles.grow(old, head.size)
    if last:
        _check_extends(last, head.size, root)
    body = note.Checkpoint(settings.LOG_ORIGIN, head.size, root).to_body()
    signed = note.sign_note(body, settings.LOG_ORIGIN, log_signer())
    with transaction.atomic(durable=True):
        if claim:
            claim.hold()
        Head.objects.select_for_update().get()
        if Checkpoint.objects.filter(size__gt=old).exists():
            return None
        made = Checkpoint.objects.create(size=head.size, root=root, note=signed)
        if settings.TSA_URL:
            enqueue(
                "log.timestamp",
                key=f"log.timestamp:{made.size}",
                payload={"checkpoint": made.pk},
            )
        for place in witnesses.configured():
            enqueue(
                "log.cosign",
                key=f"log.cosign:{made.size}:{place.key.id.hex()}",
                payload={"checkpoint": made.pk, "witness": place.key.vkey},
            )
    return made


def _check_extends(last: Checkpoint, size: int, root: bytes) -> None:
    proof = merkle.consistency_proof(last.size, size, tiles.reader(size))
    try:
        merkle.verify_consistency(last.size, size, bytes(last.root), root, proof)
    except ProofError as error:
        raise InconsistentLogError(
            f"the tree of {size} entries does not extend the signed one of "
            f"{last.size}; run manage.py log_fsck"
        ) from error
