"""Every outbox test uses the table in `jobs_for_tests`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from outbox import beats
from outbox.enqueue import enqueue
from outbox.models import Job
from tests.outbox import jobs_for_tests


@pytest.fixture(autouse=True)
def tea(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The table, with nothing noted yet."""
    settings.OUTBOX_TABLE = "tests.outbox.jobs_for_tests.TABLE"
    settings.OUTBOX_TIMETABLE = "tests.outbox.jobs_for_tests.TIMETABLE"
    jobs_for_tests.ran.clear()
    jobs_for_tests.behavior.clear()
    monkeypatch.setattr(beats, "_last", {})
    return jobs_for_tests


@pytest.fixture
def make_job(db: None) -> Callable[..., Job]:
    """Enqueue one job in a transaction of its own."""

    def make(key: str = "cup", kind: str = "tea.make", **values: Any) -> Job:
        with transaction.atomic():
            return enqueue(kind, key=key, **values)

    return make
