"""The end of an intent: its last state, and the job that somebody asked for then."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from chain.models import Intent
from outbox.enqueue import enqueue


def end(intent: Intent, state: Intent.State, *, error: str = "") -> None:
    """Ends an intent and enqueues its `then` job. Inside the caller's transaction.

    A final intent's job has the payload {…, "intent": id}; a reverted or canceled
    one's also {"failed": true}. Job keys are fixed, so an intent that a
    reorganization made final twice still has its job once.

    Args:
        intent: locked by the caller.
        state: FINAL, REVERTED or CANCELED.
        error: why, for the two latter.
    """
    assert transaction.get_connection().in_atomic_block, "an end needs a transaction"
    assert state in Intent.DONE, state
    intent.state = state
    intent.final_at = timezone.now()
    intent.error = error
    intent.save()
    if not intent.then_kind:
        return
    if state == Intent.State.FINAL:
        payload = {**intent.then_payload, "intent": intent.pk}
        enqueue(intent.then_kind, key=f"then:{intent.key}", payload=payload)
    else:
        payload = {**intent.then_payload, "intent": intent.pk, "failed": True}
        enqueue(intent.then_kind, key=f"then:{intent.key}:failed", payload=payload)
