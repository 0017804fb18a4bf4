"""What the guardian may do to settling, and the admin's end of a pause.

Run from the host that has the key, which in production is no worker's. The intent is
written like any other, but signed and sent here; whoever confirms intents follows it.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from django.db import transaction

from chain import confirm, read, send
from chain.errors import IntentStateError
from chain.intend import intend
from chain.keys import key_of
from chain.kinds import kind_of
from chain.models import Intent

log = logging.getLogger(__name__)

POLL_SECONDS = 0.5


def veto(epoch: int, *, reason: str) -> Intent:
    """Drops the pending settlement of an epoch, inside its challenge window.

    Raises:
        IntentStateError: that settlement is not pending, or its window is over.
        SignerRefusedError: the guardian's key is not on this host.
        Later: no node answered, or it cannot be sent now.

    Writes: Intent, Job, Attempt, Account.
    """
    pending, until = read.epoch() - 1, read.matures_at()
    if until is None or pending != epoch:
        what = f"{pending} is" if until else "no settlement is"
        raise IntentStateError(f"settlement {epoch} is not pending: {what}")
    if read.chain_time() >= until:
        raise IntentStateError(
            f"the window of settlement {epoch} was over at {until:%Y-%m-%d %H:%M:%S} "
            "UTC: it can be paid from"
        )
    return _act("veto", {"epoch": epoch}, stem=f"veto:{epoch}", reason=reason)


def pause(*, reason: str) -> Intent:
    """Stops deposits and commits; payments and refunds go on.

    Raises: as `veto`; IntentStateError: it is paused.

    Writes: Intent, Job, Attempt, Account.
    """
    if read.paused():
        raise IntentStateError("the ledger is paused already")
    return _act("pause", {}, stem="pause", reason=reason)


def unpause(*, reason: str) -> Intent:
    """Lets deposits and commits go on. The admin's key signs, not the guardian's.

    Raises: as `veto`; IntentStateError: it is not paused.

    Writes: Intent, Job, Attempt, Account.
    """
    if not read.paused():
        raise IntentStateError("the ledger is not paused")
    return _act("unpause", {}, stem="unpause", reason=reason)


def _act(kind: str, args: dict[str, Any], *, stem: str, reason: str) -> Intent:
    """An intent of its own each time, sent at once; the log says why."""
    key_of(kind_of(kind).role)
    with transaction.atomic():
        number = Intent.objects.filter(key__startswith=f"{stem}:").count()
        intent = intend(kind, args, key=f"{stem}:{number}")
    log.critical("chain.guard", extra={"intent": intent.key, "reason": reason})
    send.send(intent.pk)
    return intent


def watch(intent: Intent, *, seconds: float) -> Intent:
    """Follows an intent until it is done, or for some seconds.

    Writes: as `chain.confirm`.
    """
    until = time.monotonic() + seconds
    while True:
        confirm.confirm()
        intent.refresh_from_db()
        is_over = intent.state in (*Intent.DONE, Intent.State.NEEDS_HUMAN)
        if is_over or time.monotonic() >= until:
            return intent
        time.sleep(POLL_SECONDS)
