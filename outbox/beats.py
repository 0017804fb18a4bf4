"""Processes say that they are alive: one row each, written at most every 5 s."""

from __future__ import annotations

import logging
import os
import time
from typing import Any

from celery import signals
from django.db import Error, connection
from django.utils import timezone

from outbox.models import Heartbeat

logger = logging.getLogger(__name__)

EVERY_SECONDS = 5.0
_last: dict[str, float] = {}


def beat(process: str, **detail: Any) -> None:
    """Write the process's heartbeat unless one was written just now.

    Args:
        process: its name, like `relay` or `worker:name@host`.
        detail: anything small that an operator wants to see.

    Writes: Heartbeat.
    """
    if time.monotonic() - _last.get(process, -EVERY_SECONDS) < EVERY_SECONDS:
        return
    _last[process] = time.monotonic()
    Heartbeat.objects.update_or_create(
        process=process[:64],
        defaults={"beat_at": timezone.now(), "detail": {"pid": os.getpid(), **detail}},
    )


def _worker_beats(sender: Any = None, **_: Any) -> None:
    """Celery's own heartbeat, in the worker's main process."""
    name = getattr(sender, "hostname", None) or getattr(
        getattr(sender, "eventer", None), "hostname", "worker"
    )
    try:
        beat(f"worker:{name}")
    except Error as error:
        logger.warning("heartbeat_failed", extra={"why": repr(error)})
    finally:
        # The pool forks new children from this process: they get no open socket.
        connection.close()


def listen() -> None:
    """Write a heartbeat whenever a Celery worker of this process beats."""
    signals.worker_ready.connect(_worker_beats, weak=False)
    signals.heartbeat_sent.connect(_worker_beats, weak=False)
