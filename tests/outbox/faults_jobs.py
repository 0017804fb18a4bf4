"""Handlers of the fault tests: one keyed effect per job, and every begin counted."""

from __future__ import annotations

import random
import time

from django.db import connection, transaction

from outbox.claims import Claim


def grant(claim: Claim) -> None:
    """Work a moment, then bring the effect about, once per key."""
    _begin(claim)
    time.sleep(random.uniform(0.02, 0.3))
    _effect(claim)


def tick(claim: Claim) -> None:
    """A timetable job has an effect, too."""
    _begin(claim)
    _effect(claim)


def poison(claim: Claim) -> None:
    """Never works."""
    _begin(claim)
    raise ValueError("this one always fails")


def _begin(claim: Claim) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO begun (key) VALUES (%s)", [claim.key])


def _effect(claim: Claim) -> None:
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        claim.hold()
        cursor.execute(
            "INSERT INTO effect (key, token) VALUES (%s, %s) ON CONFLICT DO NOTHING",
            [claim.key, claim.token],
        )


TABLE = {
    "wish.grant": ("tests.outbox.faults_jobs.grant", "default"),
    "wish.paint": ("tests.outbox.faults_jobs.grant", "media"),
    "wish.poison": ("tests.outbox.faults_jobs.poison", "default"),
    "wish.tick": ("tests.outbox.faults_jobs.tick", "default"),
}
TIMETABLE = {"wish.tick": 1.0}
