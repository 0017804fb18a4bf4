"""Ask a time-stamping authority when a checkpoint was there, at the latest.

The RFC 3161 token is over SHA-256 of the checkpoint's note text. It is a second
clock beside the chain, and never holds a checkpoint up.
"""

from __future__ import annotations

from pathlib import Path

import httpx
from django.conf import settings
from django.db import transaction

from colophon import note, timestamp
from colophon.digest import sha256
from colophon.errors import ProofError
from log.models import Checkpoint
from outbox.claims import Claim, Retry

TIMEOUT_SECONDS = 10.0
RETRY_SECONDS = 15.0


def stamp(checkpoint: Checkpoint, claim: Claim | None = None) -> Checkpoint:
    """Get, check and keep the token of a checkpoint that has none.

    When the authority does not answer, the newest checkpoint is tried again; an
    older one is let go, because a token over a newer one covers its entries too.

    Writes: Checkpoint (timestamp). Lock: none (conditional update).

    Raises:
        Retry: no token that holds could be had.
    """
    if checkpoint.timestamp is not None:
        return checkpoint
    digest = stamped_digest(checkpoint.note)
    try:
        token = _ask(timestamp.make_query(digest))
        stamped_at = timestamp.check(token, digest, roots())
    except (httpx.HTTPError, ProofError, OSError) as error:
        if Checkpoint.objects.filter(size__gt=checkpoint.size).exists():
            return checkpoint
        raise Retry(
            f"time-stamping at {settings.TSA_URL} failed: {error}", RETRY_SECONDS
        ) from error
    with transaction.atomic(durable=True):
        if claim:
            claim.hold()
        Checkpoint.objects.filter(pk=checkpoint.pk, timestamp__isnull=True).update(
            timestamp=token, timestamped_at=stamped_at
        )
    checkpoint.refresh_from_db()
    return checkpoint


def stamped_digest(signed_note: str) -> bytes:
    """What a token covers: SHA-256 of the note's text, signatures left out."""
    text, _ = note.split_note(signed_note)
    return sha256(text.encode())


def roots() -> bytes:
    """PEM certificates of the authorities we believe; ours when none is named.

    Raises:
        OSError: the file cannot be read.
    """
    path = settings.TSA_ROOTS or settings.AUTHORITIES_DIR / "tsa-root.pem"
    return Path(path).read_bytes()


def _ask(query: bytes) -> bytes:
    """The token that the authority answers with."""
    answer = httpx.post(
        settings.TSA_URL,
        content=query,
        headers={"Content-Type": timestamp.QUERY_TYPE},
        timeout=TIMEOUT_SECONDS,
        follow_redirects=False,
    )
    answer.raise_for_status()
    return timestamp.token_of(answer.content)
