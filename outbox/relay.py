"""Nudge whatever is due and fire the timetable: what makes every job certain.

The relay polls rows, so a lost broker, a lost message or a killed worker costs
seconds. Two relays at once do no harm: a nudge is a hint and a tick has a key.
"""

from __future__ import annotations

import logging
import threading
import time
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection, transaction
from django.db.models import Q
from django.utils import timezone

from outbox.beats import beat
from outbox.claims import live, ticks, waiting
from outbox.enqueue import enqueue
from outbox.health import forget_processes
from outbox.models import Job, Tick
from outbox.nudge import nudge, waiting_messages
from outbox.table import Line, queues, timetable

logger = logging.getLogger(__name__)

PROCESS = "relay"
# At most so many jobs of a queue are nudged at a time …
WINDOW = 100
# … not again within so many seconds (a nudge may wait in the broker, or be lost) …
RENUDGE_SECONDS = 5.0
# … and not at all while the broker holds so many hints: the workers are behind.
ENOUGH_MESSAGES = 1000
PURGE_EVERY_SECONDS = 60.0
KEEP_TICKS = timedelta(hours=1)
PURGE_LIMIT = 5000
MAX_PAUSE_SECONDS = 5.0


class Relay:
    """The relay's loop and its small memory; all that counts is in the rows."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._nudged: dict[int, float] = {}
        self._fired: dict[str, float] = {}
        self._purged = 0.0

    def stop(self) -> None:
        """End the loop after the round at hand; callable from a signal handler."""
        self._stop.set()

    def run(self) -> None:
        """Poll until stopped; a database that is away is waited for."""
        pause = settings.OUTBOX_POLL_SECONDS
        while not self._stop.wait(pause):
            try:
                self.round()
                pause = settings.OUTBOX_POLL_SECONDS
            except (DatabaseError, InterfaceError) as error:
                logger.warning("relay_waits_for_database", extra={"why": repr(error)})
                connection.close()
                pause = min(MAX_PAUSE_SECONDS, pause * 2)

    def round(self) -> int:
        """One poll: heartbeat, timetable, nudges, clean-up; returns nudges sent."""
        beat(PROCESS)
        for line in timetable():
            self._fire(line)
        sent = sum(self._nudge_queue(*one) for one in queues().items())
        self._forget()
        if time.monotonic() - self._purged > PURGE_EVERY_SECONDS:
            self._purged = time.monotonic()
            purge()
            forget_processes()
        return sent

    def _fire(self, line: Line) -> None:
        """Ask at most once per period; a row decides, so a restart fires no twice."""
        now = time.monotonic()
        if now - self._fired.get(line.kind, -line.seconds) < line.seconds:
            return
        self._fired[line.kind] = now
        if line.wanted is None or line.wanted():
            fire(line)

    def _nudge_queue(self, queue: str, kinds: list[str]) -> int:
        rows = Job.objects.filter(waiting(), kind__in=kinds).order_by("due_at", "pk")
        now = time.monotonic()
        fresh = [
            job_id
            for job_id in rows.values_list("pk", flat=True)[:WINDOW]
            if now - self._nudged.get(job_id, -RENUDGE_SECONDS) >= RENUDGE_SECONDS
        ]
        if not fresh or waiting_messages(queue) >= ENOUGH_MESSAGES:
            return 0
        sent = 0
        for job_id in fresh:
            if not nudge(job_id, queue):
                break
            self._nudged[job_id] = now
            sent += 1
        return sent

    def _forget(self) -> None:
        old = time.monotonic() - RENUDGE_SECONDS
        self._nudged = {job: at for job, at in self._nudged.items() if at > old}


def fire(line: Line) -> Job | None:
    """Enqueue a timetable job for the running tick, unless one is still live.

    Writes: Job, Tick. Lock: none, keyed (kind, tick).
    """
    now = timezone.now()
    tick = int(now.timestamp() / line.seconds)
    if Job.objects.filter(live(), ticks(), kind=line.kind).exists():
        return None
    last = Tick.objects.filter(kind=line.kind).first()
    if last and int(last.fired_at.timestamp() / line.seconds) >= tick:
        return None
    with transaction.atomic():
        job = enqueue(line.kind, key=f"{line.kind}@{tick}")
        Tick.objects.update_or_create(kind=line.kind, defaults={"fired_at": now})
    return job


def purge(older: timedelta = KEEP_TICKS) -> int:
    """Delete timetable jobs that are done; all other jobs keep their key for ever.

    Writes: Job.
    """
    before = timezone.now() - older
    old = Q(done_at__lt=before) | Q(parked_at__lt=before - timedelta(days=7))
    rows = Job.objects.filter(old, ticks())
    gone, _ = Job.objects.filter(
        pk__in=list(rows.values_list("pk", flat=True)[:PURGE_LIMIT])
    ).delete()
    return gone
