"""Ask a witness to cosign a checkpoint, and believe nothing of its answer unchecked.

A cosignature joins the stored note only after it was verified: one wrong line would
spoil the note for every reader. A witness that is silent never holds a checkpoint up;
one that remembers another history is written down and shown.
Source: C2SP tlog-witness v1.0.0.
"""

from __future__ import annotations

import httpx
from django.db import transaction
from django.utils import timezone

from colophon import merkle
from colophon.errors import InputError, SignatureError
from colophon.note import split_note
from colophon.tlogwitness import (
    MAX_ANSWER_BYTES,
    PATH,
    Cosignature,
    Request,
    cosignatures,
    stored_size,
)
from log import tiles
from log.errors import WitnessDisagreesError
from log.models import Checkpoint, Witness
from log.witnesses import Place
from outbox.claims import Claim, Retry

TIMEOUT_SECONDS = 10.0
RETRY_SECONDS = 15.0
TRIES = 2
_OK, _CONFLICT, _UNPROVEN = 200, 409, 422


class _AnswerError(Exception):
    """The witness refused, or answered what cannot be read."""


def ask(checkpoint: Checkpoint, place: Place, claim: Claim | None = None) -> bool:
    """Get, check and keep one witness's cosignature of a checkpoint.

    When the witness does not answer, the newest checkpoint is tried again; an older
    one is let go, because a cosignature of a newer one covers its entries too.

    Returns:
        Whether the checkpoint carries the cosignature.

    Writes: Checkpoint (note), Witness. Lock: the checkpoint's row.

    Raises:
        Retry: no cosignature that holds could be had.
    """
    if _carries(checkpoint, place):
        return True
    row, _ = Witness.objects.get_or_create(vkey=place.key.vkey)
    try:
        found = _ask(checkpoint, place, row.size)
    except WitnessDisagreesError as error:
        _note_trouble(row, str(error), disagrees=True)
        return False
    except (httpx.HTTPError, InputError, SignatureError, _AnswerError) as error:
        words = str(error) or type(error).__name__
        _note_trouble(row, words)
        if Checkpoint.objects.filter(size__gt=checkpoint.size).exists():
            return False
        raise Retry(f"witness {place.key.name}: {words}", RETRY_SECONDS) from error
    if found is None:
        return False
    _keep(checkpoint, found, claim)
    return True


def _ask(checkpoint: Checkpoint, place: Place, old: int) -> Cosignature | None:
    """The checked answer; None when the witness is past this checkpoint already.

    Raises:
        WitnessDisagreesError: it cosigned something that is not in our past.
    """
    for _ in range(TRIES):
        old = min(old, checkpoint.size)
        status, body = _post(place, _request(checkpoint, old))
        if status == _OK:
            found = cosignatures(body, checkpoint.note, [place.key], now=timezone.now())
            return found[0]
        if status == _UNPROVEN:
            raise WitnessDisagreesError(
                f"it cosigned {old} entries that are not the first {old} of this log"
            )
        if status != _CONFLICT:
            raise _AnswerError(f"answered {status}: {body.strip()[:200]}")
        stored = stored_size(body)
        if stored == old == checkpoint.size:
            raise WitnessDisagreesError(f"it cosigned another root over {old} entries")
        if stored > checkpoint.size:
            _check_past(stored)
            return None
        old = stored
    raise _AnswerError("somebody else advances this witness at the same time")


def _check_past(stored: int) -> None:
    """It cosigned a later checkpoint: ours, or one that we do not have.

    Raises:
        WitnessDisagreesError: it saw more entries than this log has.
    """
    newest = Checkpoint.objects.order_by("-size").values_list("size", flat=True).first()
    if stored > (newest or 0):
        raise WitnessDisagreesError(
            f"it cosigned {stored} entries, this log has {newest}: entries were lost"
        )


def _request(checkpoint: Checkpoint, old: int) -> Request:
    size = checkpoint.size
    read = tiles.reader(size)
    proof = merkle.consistency_proof(old, size, read) if old else []
    return Request(old, tuple(proof), checkpoint.note)


def _post(place: Place, request: Request) -> tuple[int, str]:
    """Status and body of the witness's answer."""
    data = b""
    with httpx.stream(
        "POST",
        place.url + PATH,
        content=request.to_bytes(),
        timeout=TIMEOUT_SECONDS,
        follow_redirects=False,
    ) as answer:
        for part in answer.iter_bytes():
            data += part
            if len(data) > MAX_ANSWER_BYTES:
                raise _AnswerError(f"answered more than {MAX_ANSWER_BYTES} bytes")
    return answer.status_code, data.decode("utf-8", "replace")


def _carries(checkpoint: Checkpoint, place: Place) -> bool:
    _, lines = split_note(checkpoint.note)
    return any((name, id_) == (place.key.name, place.key.id) for name, id_, _ in lines)


def _keep(checkpoint: Checkpoint, found: Cosignature, claim: Claim | None) -> None:
    """Add the line to the stored note, once."""
    now = timezone.now()
    with transaction.atomic(durable=True):
        if claim:
            claim.hold()
        row = Checkpoint.objects.select_for_update().get(pk=checkpoint.pk)
        if found.line not in row.note:
            row.note += found.line
            row.save(update_fields=["note"])
        Witness.objects.filter(vkey=found.key.vkey).update(
            size=row.size, asked_at=now, cosigned_at=now, trouble="", disagrees=False
        )
    checkpoint.note = row.note


def _note_trouble(row: Witness, words: str, *, disagrees: bool = False) -> None:
    """Write down why there is no cosignature; a disagreement stays until one comes."""
    changes = {"trouble": words[:500], "asked_at": timezone.now()}
    if disagrees or not row.disagrees:
        Witness.objects.filter(pk=row.pk).update(disagrees=disagrees, **changes)
