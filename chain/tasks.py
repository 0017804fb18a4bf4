"""Handlers of this app's jobs: load by id, call one verb, nothing else.

A node that is down is no error of a job: a send waits (`Later` is a `Retry`), and
what the timetable fires comes round again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from chain import anchor as anchoring
from chain import confirm as confirming
from chain import follow as following
from chain import reconcile as reconciling
from chain import send as sending
from chain.errors import Later, NotDeployedError, WrongChainError
from outbox.claims import Claim

log = logging.getLogger(__name__)


def send(claim: Claim) -> None:
    """chain.send {intent}: sign and send one intent."""
    sending.send(int(claim.payload["intent"]), claim=claim)


def confirm(claim: Claim) -> None:
    """chain.confirm, each second: the next step of every intent under way."""
    _each_turn(lambda: confirming.confirm(claim=claim))


def follow(claim: Claim) -> None:
    """chain.follow, each second: new logs, and blocks that were taken back."""
    _each_turn(lambda: following.follow(claim=claim))


def anchor(claim: Claim) -> None:
    """chain.anchor: intend an anchor of the newest head of the log."""
    anchoring.anchor(claim=claim)


def reconcile(claim: Claim) -> None:
    """chain.reconcile, each minute: compare rows and chain both ways."""
    _each_turn(lambda: reconciling.reconcile(claim=claim))


def _each_turn(verb: Callable[[], object]) -> None:
    """What cannot be done now waits for its next turn, without a queue of old turns."""
    try:
        verb()
    except (Later, NotDeployedError, WrongChainError) as waits:
        log.warning("chain.waits", extra={"why": str(waits)})
