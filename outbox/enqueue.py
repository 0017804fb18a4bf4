"""Write a job in the transaction that wants its effect.

The row is the promise: it commits with the business rows or not at all, and a key
is honored once for ever.
"""

from __future__ import annotations

import json
from datetime import datetime
from functools import partial
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from outbox.errors import NotInTransactionError, OutboxError
from outbox.models import Job
from outbox.nudge import nudge
from outbox.table import queue_of

MAX_PAYLOAD_BYTES = 8 * 1024
MAX_KEY_LENGTH = 200


def enqueue(
    kind: str,
    *,
    key: str,
    payload: dict[str, Any] | None = None,
    due_at: datetime | None = None,
) -> Job:
    """Enqueue one job inside the caller's transaction.

    Args:
        kind: a line of the job table.
        key: names the effect; a key seen before gives its job, nothing is added.
        payload: ids only, at most 8 KiB of JSON.
        due_at: not to be run before; now when None.

    Returns:
        The new job, or the one that already has the key.

    Writes: Job. Lock: none (unique key).

    Raises:
        NotInTransactionError: there is no transaction.
        UnknownKindError: the job table has no such kind.
        OutboxError: the key or the payload is too long.
    """
    if not connection.in_atomic_block:
        raise NotInTransactionError(
            f"enqueue {kind} inside the transaction that writes its business row"
        )
    payload = payload or {}
    _check(kind, key, payload)
    row = Job(
        kind=kind,
        key=key,
        payload=payload,
        queue=queue_of(kind),
        due_at=due_at or timezone.now(),
    )
    Job.objects.bulk_create([row], ignore_conflicts=True)
    job = Job.objects.get(key=key)
    if job.done_at is None and job.parked_at is None and job.due_at <= timezone.now():
        transaction.on_commit(partial(nudge, job.pk, job.queue), robust=True)
    return job


def _check(kind: str, key: str, payload: dict[str, Any]) -> None:
    if not key or len(key) > MAX_KEY_LENGTH:
        raise OutboxError(
            f"key of {kind} has {len(key)} characters, expected 1 to {MAX_KEY_LENGTH}"
        )
    size = len(json.dumps(payload))
    if size > MAX_PAYLOAD_BYTES:
        raise OutboxError(
            f"payload of {kind} has {size} bytes, expected at most "
            f"{MAX_PAYLOAD_BYTES}; pass ids and let the handler load the rows"
        )
