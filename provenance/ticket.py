"""Open a run: its ticket names a nonce and the newest checkpoint, and is logged.

Whatever signs this ticket happened after that checkpoint (DESIGN §5, two-sided time).
"""

from __future__ import annotations

import secrets

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import ApiKey, Party
from accounts.platform import platform_signer
from colophon import note, records, statement
from colophon.errors import InputError
from colophon.ids import new_id
from log.append import append
from log.models import Checkpoint
from provenance.models import Run

NONCE_BYTES = 32


def _head(checkpoint: Checkpoint | None) -> note.Checkpoint | None:
    """The newest checkpoint as the ticket names it."""
    if checkpoint is None:
        return None
    return note.Checkpoint(settings.LOG_ORIGIN, checkpoint.size, bytes(checkpoint.root))


def open_run(
    *,
    party: Party,
    name: str,
    api_key: ApiKey | None = None,
    code: str | None = None,
) -> Run:
    """A run with its ticket; every step of the run signs the ticket's digest.

    Args:
        code: of a run that a recorder began while we were out of reach; opening it
            again gives the same run.

    Writes: Run, Entry. Lock: unique Run.code.

    Raises:
        InputError: the code belongs to another party's run.
    """
    if code and (existing := _known(code, party)):
        return existing
    signer = platform_signer()
    checkpoint = Checkpoint.objects.order_by("-size").first()
    nonce, code = secrets.token_bytes(NONCE_BYTES), code or new_id("run")
    envelope = statement.sign(
        records.ticket(
            run=code,
            nonce=nonce,
            checkpoint=_head(checkpoint),
            party=party.code,
            issued_at=timezone.now(),
        ),
        signer,
    )
    try:
        with transaction.atomic(durable=True):
            return Run.objects.create(
                code=code,
                name=name[:120],
                party=party,
                api_key=api_key,
                nonce=nonce,
                checkpoint=checkpoint,
                ticket=append("ticket", envelope.to_json()),
            )
    except IntegrityError:
        if existing := _known(code, party):  # another request was quicker
            return existing
        raise


def _known(code: str, party: Party) -> Run | None:
    """The party's run of that id, None when there is no such run at all."""
    existing = Run.objects.filter(code=code).first()
    if existing is not None and existing.party_id != party.pk:
        raise InputError("is the id of another run", "id")
    return existing
