"""A log with a few entries, and a client that believes only what it derives."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import transaction

from colophon.keys import Ed25519Key
from colophon.statement import NAMESPACE, Envelope, sign, statement, subject_of
from log.append import append
from log.checkpoint import publish
from log.models import Entry
from log.sequence import sequence

SIGNER = Ed25519Key.from_seed(bytes(range(32)))
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def record(number: int) -> Envelope:
    """A signed statement that differs by its number."""
    subject = subject_of(f"work {number}", number.to_bytes(32, "big"))
    made = statement([subject], f"{NAMESPACE}/step/v1", {"number": number})
    return sign(made, SIGNER)


@pytest.fixture
def add(db: None) -> Callable[..., list[Entry]]:
    """Append some sealed entries, each in a transaction of its own."""

    def add_some(count: int, kind: str = "step", **values: Any) -> list[Entry]:
        rows = []
        for _ in range(count):
            with transaction.atomic():
                number = Entry.objects.count()
                rows.append(append(kind, record(number).to_json(), **values))
        return rows

    return add_some


@pytest.fixture
def grow(add: Callable[..., list[Entry]]) -> Callable[[int], Any]:
    """Append entries, number them and publish a checkpoint."""

    def grow_by(count: int) -> Any:
        add(count)
        while sequence():
            pass
        return publish()

    return grow_by
