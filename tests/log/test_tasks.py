"""The log's jobs as the timetable fires them, from append to proof."""

from __future__ import annotations

from typing import Any

import pytest

from colophon.entry import entry_leaf
from colophon.tlogproof import LogProof
from log import proofs
from log.checks import check_origin, check_time_stamping
from log.keys import log_key
from log.models import Checkpoint, Entry
from log.wanted import entries_wait, head_grew
from outbox import beats
from outbox.inline import drain
from outbox.models import Job
from outbox.relay import fire
from outbox.table import Line, timetable

pytestmark = pytest.mark.django_db


@pytest.fixture
def lines() -> dict[str, Line]:
    return {line.kind: line for line in timetable() if line.kind.startswith("log.")}


def test_an_appended_entry_is_proved_after_two_ticks(
    add: Any, lines: dict[str, Line]
) -> None:
    (row,) = add(1)
    for kind in ("log.sequence", "log.checkpoint"):
        assert lines[kind].wanted
        assert lines[kind].wanted()
        assert fire(lines[kind])
        assert drain(kinds=[kind]) == 1
        assert not lines[kind].wanted()
    row.refresh_from_db()
    covering = proofs.covering(row)
    assert covering == Checkpoint.objects.get()
    proof = LogProof.from_text(proofs.inclusion(row, covering))
    proof.check(entry_leaf(bytes(row.data)), log_key())


def test_an_idle_log_fires_nothing(lines: dict[str, Line], monkeypatch: Any) -> None:
    monkeypatch.setattr(beats, "_last", {})
    assert not entries_wait()
    assert not head_grew()
    assert set(lines) == {"log.sequence", "log.checkpoint"}
    assert not any(line.wanted() for line in lines.values() if line.wanted)
    assert not Job.objects.exists()


def test_questions_follow_the_log(add: Any, grow: Any) -> None:
    grow(2)
    assert (entries_wait(), head_grew()) == (False, False)
    add(1)
    assert (entries_wait(), head_grew()) == (True, False)
    from log.sequence import sequence

    sequence()
    assert (entries_wait(), head_grew()) == (False, True)
    assert Entry.objects.filter(index=None).count() == 0


def test_time_stamping_without_roots_stops_the_start(
    settings: Any, tmp_path: Any
) -> None:
    assert check_time_stamping() == []
    settings.TSA_URL = "http://127.0.0.1:9/"
    settings.TSA_ROOTS = str(tmp_path / "missing.pem")
    (found,) = check_time_stamping()
    assert found.id == "log.E002"
    assert "COLOPHON_TSA_ROOTS" in str(found.hint)


def test_an_origin_that_names_no_key_stops_the_start(settings: Any) -> None:
    assert check_origin() == []
    settings.LOG_ORIGIN = "my own log"
    (found,) = check_origin()
    assert found.id == "log.E001"
