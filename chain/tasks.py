"""Handlers of this app's jobs: load by id, call one verb, nothing else.

A node that is down is no error of a job: a send waits, the timetable comes again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from chain import confirm as confirming
from chain import send as sending
from chain.errors import Later, NotDeployedError
from outbox.claims import Claim, Retry

log = logging.getLogger(__name__)


def send(claim: Claim) -> None:
    """chain.send {intent}: sign and send one intent."""
    try:
        sending.send(int(claim.payload["intent"]), claim=claim)
    except Later as later:
        raise Retry(str(later), later.after_seconds) from later


def confirm(claim: Claim) -> None:
    """chain.confirm, each second: the next step of every intent under way."""
    _each_tick(lambda: confirming.confirm(claim=claim))


def _each_tick(verb: Callable[[], object]) -> None:
    """Runs a verb of the timetable; what cannot be done now waits for its next turn."""
    try:
        verb()
    except (Later, NotDeployedError) as waits:
        log.warning("chain.waits", extra={"why": str(waits)})
