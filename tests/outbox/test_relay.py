"""The relay finds what is due, fires the timetable, and outlives its database."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from outbox import relay as module
from outbox.models import Heartbeat, Job, Tick
from outbox.relay import Relay, fire, purge
from outbox.run import run
from outbox.table import Line

pytestmark = pytest.mark.django_db


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A broker that notes what it is given; `full` and `down` can be set."""

    class Broker:
        sent: list
        full = False
        down = False

        def nudge(self, job: Any, queue: Any) -> bool:
            if not self.down:
                self.sent.append((job, queue))
            return not self.down

    here = Broker()
    here.sent = []
    monkeypatch.setattr(module, "nudge", here.nudge)
    monkeypatch.setattr(module, "waiting_messages", lambda _: 1000 * here.full)
    return here


@pytest.fixture
def relay(settings: Any) -> Any:
    settings.OUTBOX_TIMETABLE = "tests.outbox.test_relay.NOTHING"
    return Relay()


NOTHING: dict = {}


def test_due_jobs_are_nudged_on_their_queue(
    make_job: Any, relay: Any, broker: Any
) -> None:
    cup, picture = make_job("cup"), make_job("picture", kind="tea.paint")
    make_job("later", due_at=timezone.now() + timedelta(hours=1))
    assert relay.round() == 2
    assert sorted(broker.sent) == sorted([(cup.pk, "default"), (picture.pk, "media")])


def test_a_nudge_is_repeated_only_after_a_while(
    make_job: Any, relay: Any, broker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_job("cup")
    relay.round()
    assert relay.round() == 0
    monkeypatch.setattr(module, "RENUDGE_SECONDS", 0.0)
    assert relay.round() == 1


def test_a_running_job_is_not_nudged_until_its_lease_is_over(
    make_job: Any, relay: Any, broker: Any, tea: Any
) -> None:
    job = make_job("cup")
    future = timezone.now() + timedelta(seconds=30)
    Job.objects.filter(pk=job.pk).update(lease_until=future)
    assert relay.round() == 0
    past = timezone.now() - timedelta(seconds=1)
    Job.objects.filter(pk=job.pk).update(lease_until=past)
    assert relay.round() == 1


def test_a_kind_that_moved_takes_its_waiting_jobs_along(
    make_job: Any, relay: Any, broker: Any
) -> None:
    job = make_job("cup")
    Job.objects.filter(pk=job.pk).update(queue="yesterday")
    relay.round()
    assert broker.sent == [(job.pk, "default")]


def test_one_stalled_queue_does_not_starve_another(
    make_job: Any, relay: Any, broker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WINDOW", 2)
    for number in range(5):
        make_job(f"picture {number}", kind="tea.paint")
    cup = make_job("cup")
    relay.round()
    assert (cup.pk, "default") in broker.sent
    assert len(broker.sent) == 3


def test_a_full_broker_gets_no_more_hints(
    make_job: Any, relay: Any, broker: Any
) -> None:
    make_job("cup")
    broker.full = True
    assert relay.round() == 0
    broker.full = False
    assert relay.round() == 1


def test_a_dead_broker_is_tried_again_at_the_next_round(
    make_job: Any, relay: Any, broker: Any
) -> None:
    make_job("cup")
    broker.down = True
    assert relay.round() == 0
    broker.down = False
    assert relay.round() == 1


def test_the_timetable_fires_once_per_tick(
    broker: Any, tea: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = timezone.now().replace(second=0, microsecond=0)
    monkeypatch.setattr(module.timezone, "now", lambda: moment)
    line = Line("tea.tick", 10)
    job = fire(line)
    assert job.key == f"tea.tick@{int(moment.timestamp()) // 10}"
    run(job.pk)
    assert fire(line) is None
    moment += timedelta(seconds=10)
    assert fire(line).pk != job.pk


def test_a_tick_waits_until_the_last_one_is_done(
    broker: Any, tea: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = Line("tea.tick", 10)
    moment = timezone.now()
    monkeypatch.setattr(module.timezone, "now", lambda: moment)
    fire(line)
    moment += timedelta(seconds=100)
    assert fire(line) is None
    assert Job.objects.count() == 1


def test_a_line_with_nothing_to_do_is_not_fired(broker: Any, tea: Any) -> None:
    Relay().round()
    assert [tick.kind for tick in Tick.objects.all()] == ["tea.tick"]


def test_a_restarted_relay_does_not_fire_the_tick_again(
    broker: Any, tea: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = timezone.now().replace(second=0, microsecond=0)
    monkeypatch.setattr(module.timezone, "now", lambda: moment)
    Relay().round()
    run(Job.objects.get().pk)
    Relay().round()
    assert Job.objects.count() == 1


def test_the_relay_beats(relay: Any, broker: Any) -> None:
    relay.round()
    assert Heartbeat.objects.get(process="relay").beat_at <= timezone.now()


def test_the_relay_forgets_processes_that_are_long_gone(
    relay: Any, broker: Any
) -> None:
    gone = timezone.now() - timedelta(days=2)
    Heartbeat.objects.create(process="worker:chain@replaced", beat_at=gone)
    relay.round()
    assert [row.process for row in Heartbeat.objects.all()] == ["relay"]


def test_only_timetable_jobs_are_purged(make_job: Any) -> None:
    long_ago = timezone.now() - timedelta(days=30)
    make_job("tea.make@1")
    make_job("me@example.com")
    make_job("tea.make@2")
    Job.objects.exclude(key="tea.make@2").update(done_at=long_ago)
    assert purge() == 1
    assert sorted(Job.objects.values_list("key", flat=True)) == [
        "me@example.com",
        "tea.make@2",
    ]


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_away_is_waited_for(
    make_job: Any,
    relay: Any,
    broker: Any,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.OUTBOX_POLL_SECONDS = 0.01
    real, failures = relay.round, [OperationalError("gone")] * 3

    def round_with_trouble() -> Any:
        if failures:
            raise failures.pop()
        sent = real()
        relay.stop()
        return sent

    make_job("cup")
    monkeypatch.setattr(relay, "round", round_with_trouble)
    relay.run()
    assert len(broker.sent) == 1


def test_a_stopped_relay_ends_at_once(relay: Any, broker: Any, settings: Any) -> None:
    settings.OUTBOX_POLL_SECONDS = 600
    relay.stop()
    thread = threading.Thread(target=relay.run, daemon=True)
    thread.start()
    thread.join(60)
    assert not thread.is_alive()
