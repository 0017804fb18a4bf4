"""Tell a worker that a job waits: the one place that publishes to the broker.

A nudge is only a hint. If it is lost, or the broker is down, the relay finds the
row; so publishing never fails its caller, and after a failure it is not tried
again for a moment, so that a dead broker does not slow every request down.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

logger = logging.getLogger(__name__)

TASK = "outbox.run"
PAUSE_SECONDS = 2.0


class _Breaker:
    """Remembers that publishing failed a moment ago."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open_until = 0.0

    def is_open(self) -> bool:
        with self._lock:
            return time.monotonic() < self._open_until

    def trip(self) -> None:
        with self._lock:
            self._open_until = time.monotonic() + PAUSE_SECONDS


_breaker = _Breaker()


def nudge(job_id: int, queue: str) -> bool:
    """Publish one hint; returns whether the broker took it. Never raises.

    Args:
        job_id: primary key of the job.
        queue: the queue its kind is served on.
    """
    if not settings.OUTBOX_NUDGE or _breaker.is_open():
        return False
    try:
        _app().send_task(TASK, args=(job_id,), queue=queue)
    except Exception as error:  # noqa: BLE001 - whatever it is, the row is safe
        _breaker.trip()
        logger.warning(
            "nudge_failed", extra={"job": job_id, "queue": queue, "why": repr(error)}
        )
        return False
    return True


def waiting_messages(queue: str) -> int:
    """How many hints the broker holds for a queue; 0 when it cannot tell."""
    if not settings.OUTBOX_NUDGE or _breaker.is_open():
        return 0
    try:
        with _app().connection_for_write() as connection:
            connection.ensure_connection(max_retries=1, interval_start=0)
            declared = connection.default_channel.queue_declare(queue, passive=True)
            return int(declared.message_count)
    except Exception as error:  # noqa: BLE001 - also: the queue does not exist yet
        logger.debug("queue_unknown", extra={"queue": queue, "why": repr(error)})
        return 0


def _app() -> Any:
    return import_string(settings.OUTBOX_CELERY_APP)
