"""Change an intent from outside of its own course: cancel it, queue it again."""

from __future__ import annotations

import logging

from django.db import transaction

from chain import outcome
from chain.errors import IntentStateError
from chain.intend import SEND_JOB
from chain.models import Attempt, Intent
from outbox.enqueue import enqueue

log = logging.getLogger(__name__)

State = Intent.State


def cancel(key: str, *, by: str) -> Intent:
    """Ends an intent without its effect, if that is still possible.

    One that has no nonce ends at once. One that is under way gets an empty
    transaction with its nonce; if the first was mined before, that one counts.

    Args:
        key: the intent's.
        by: who wants it, for the audit line.

    Raises:
        IntentStateError: it is done, or mined already.

    Writes: Intent, Job. Lock: the Intent row.
    """
    with transaction.atomic():
        intent = _locked(key)
        if intent.state in (State.QUEUED, State.NEEDS_HUMAN):
            outcome.end(intent, State.CANCELED, error=f"canceled by {by}")
        elif intent.state in (State.MINED, State.CONFIRMED, *Intent.DONE):
            raise IntentStateError(f"{key} is {intent.state}: too late to cancel")
        else:
            intent.abandon = State.CANCELED
            intent.save(update_fields=["abandon"])
    log.warning("chain.cancel", extra={"intent": intent.pk, "by": by})
    return intent


def drop_waiting(key: str, *, by: str) -> bool:
    """Cancels an intent that has no nonce, because its effect is there or pointless.

    One that is under way is left alone: what is signed may be mined. Inside the
    caller's transaction.

    Returns:
        whether it was canceled.

    Writes: Intent, Job. Lock: the Intent row.
    """
    intent = _locked(key)
    if intent.state not in (State.QUEUED, State.NEEDS_HUMAN):
        return False
    outcome.end(intent, State.CANCELED, error=f"canceled by {by}")
    log.warning("chain.cancel", extra={"intent": intent.pk, "by": by})
    return True


def requeue(key: str, *, by: str) -> Intent:
    """Queues an intent again after a person found why it needed one.

    Its old nonce is used up, so its old transactions can never be mined.

    Raises:
        IntentStateError: it does not wait for a person.

    Writes: Intent, Job. Lock: the Intent row.
    """
    with transaction.atomic():
        intent = _locked(key)
        if intent.state != State.NEEDS_HUMAN:
            raise IntentStateError(f"{key} is {intent.state}, not needs_human")
        intent.state, intent.abandon, intent.refusals = State.QUEUED, "", 0
        intent.nonce, intent.sender, intent.error = None, "", f"queued again by {by}"
        intent.tx_hash = intent.block_hash = ""
        intent.block_number = intent.mined_at = intent.succeeded = None
        intent.save()
        turn = Attempt.objects.filter(intent=intent).count()
        enqueue(
            SEND_JOB,
            key=f"{SEND_JOB}:{key}:{turn}:{intent.pk}",
            payload={"intent": intent.pk},
        )
    log.warning("chain.requeue", extra={"intent": intent.pk, "by": by})
    return intent


def _locked(key: str) -> Intent:
    try:
        return Intent.objects.select_for_update().get(key=key)
    except Intent.DoesNotExist as error:
        raise IntentStateError(f"there is no intent {key!r}") from error
