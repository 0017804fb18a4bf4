"""Kill what can be killed: nothing is lost, and every effect happens once.

A seeded schedule of faults runs against a real worker, relay, Redis and PostgreSQL.
The seed is printed; COLOPHON_FAULT_SEED repeats it.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.outbox.faults_stand import Stand, free_port, stand, wait_for

pytestmark = [pytest.mark.postgres, pytest.mark.redis]

FAULTS = ("worker", "children", "flush", "redis", "relay", "database")
PATIENCE_SECONDS = 240.0  # only a round that will never end takes so long
POISON = "wish that fails"


@pytest.fixture
def here(tmp_path: Path, postgres_url: str) -> Iterator[Stand]:
    with stand(tmp_path, postgres_url) as made:
        yield made


def do(fault: str, here: Stand) -> None:
    assert here.worker
    assert here.relay
    assert here.redis
    match fault:
        case "worker":
            here.worker.kill()
        case "children":
            here.worker.kill_children()
        case "relay":
            here.relay.kill()
        case "redis":
            here.redis.kill()
        case "flush":
            here.flush_redis()
        case "database":
            here.cut_database()


def unfinished(here: Stand) -> int:
    query = (
        "SELECT count(*) FROM outbox_job WHERE done_at IS NULL AND parked_at IS NULL"
        " AND kind <> 'wish.tick'"
    )
    return int(here.rows(query)[0][0])


def add_poison(here: Stand) -> None:
    here.rows(
        "INSERT INTO outbox_job (kind, key, payload, queue, created_at, due_at, token,"
        " attempts, last_error) VALUES ('wish.poison', 'wish that fails', '{}',"
        " 'default', now(), now(), 0, 0, '') RETURNING id"
    )


def play(here: Stand, seed: int, *, wishes: int, seconds: float, faults: int) -> None:
    """One round: produce while things break, then wait until all is done."""
    chance = random.Random(seed)
    order = [fault for _ in range(-(-faults // len(FAULTS))) for fault in FAULTS]
    chance.shuffle(order)
    moments = sorted(chance.uniform(0.5, seconds) for _ in range(faults))
    schedule = list(zip(moments, order, strict=False))
    say(f"seed {seed}", *(f"{at:.1f}s {what}" for at, what in schedule), sep="\n  ")
    here.start_relay()
    here.start_worker()
    wait_for(
        lambda: here.rows("SELECT count(*) FROM effect")[0][0] > 0,
        PATIENCE_SECONDS,
        "a first tick",
    )
    add_poison(here)
    producer = here.produce(wishes, seconds, seed)
    begun = time.monotonic()
    for moment, fault in schedule:
        time.sleep(max(0.0, begun + moment - time.monotonic()))
        do(fault, here)
    output, _ = producer.communicate(timeout=PATIENCE_SECONDS)
    assert producer.returncode == 0
    took = wait_for(lambda: unfinished(here) == 0, PATIENCE_SECONDS, "the drain")
    say(f"drained {took:.1f} s after the last wish; slowest wish {output.strip()} s")


def check(here: Stand, wishes: int) -> None:
    """What must hold after any faults."""
    granted = {key for (key,) in here.rows("SELECT key FROM wish")}
    effects = {key for (key,) in here.rows("SELECT key FROM effect")}
    jobs = here.rows("SELECT key, done_at, parked_at, attempts FROM outbox_job")
    assert len(granted) == wishes - len(range(3, wishes, 7))  # the others changed
    assert {key for key in effects if "@" not in key} == granted
    for key, done_at, parked_at, attempts in jobs:
        if key == POISON:
            assert parked_at is not None
            assert attempts >= 5
        elif "@" not in key:
            assert key in granted
            assert done_at is not None
    assert POISON not in effects
    begun = here.rows("SELECT count(*), count(DISTINCT key) FROM begun")[0]
    say(f"{begun[0]} runs of {begun[1]} jobs")
    ticks = sum("@" in key for key in effects)
    assert ticks >= 3
    beats = {
        process for (process,) in here.rows("SELECT process FROM outbox_heartbeat")
    }
    assert "relay" in beats
    assert any(process.startswith("worker:") for process in beats)


def say(*words: object, sep: str = " ") -> None:
    """Shown by pytest when a round fails, and with -s."""
    sys.stdout.write(sep.join(map(str, words)) + "\n")


def seed_of_today() -> int:
    told = os.environ.get("COLOPHON_FAULT_SEED")
    return int(told) if told else random.SystemRandom().randrange(2**32)


def test_one_of_each_fault_loses_nothing_and_doubles_nothing(here: Stand) -> None:
    play(here, seed_of_today(), wishes=40, seconds=8, faults=6)
    check(here, 40)


@pytest.mark.long
@pytest.mark.parametrize("round_", range(12))
def test_many_faults_lose_nothing_and_double_nothing(here: Stand, round_: int) -> None:
    play(here, seed_of_today() + round_, wishes=80, seconds=16, faults=10)
    check(here, 80)


def test_a_relay_alone_is_enough_when_redis_lost_every_hint(here: Stand) -> None:
    producer = here.produce(10, 0.1, 1)
    producer.communicate(timeout=PATIENCE_SECONDS)
    assert producer.returncode == 0
    here.flush_redis()
    here.start_relay()
    here.start_worker()
    wait_for(lambda: unfinished(here) == 0, PATIENCE_SECONDS, "the drain")


def test_without_redis_wishes_are_kept_and_take_no_second_each(here: Stand) -> None:
    here.env["REDIS_URL"] = f"redis://127.0.0.1:{free_port()}/0"
    producer = here.produce(20, 0.2, 1)
    output, _ = producer.communicate(timeout=PATIENCE_SECONDS)
    # Each publish that waits for a refused broker costs 0.77 s; the breaker saves it.
    assert float(output) < 0.5
    kept = here.rows("SELECT count(*) FROM wish")[0][0]
    assert kept == here.rows("SELECT count(*) FROM outbox_job")[0][0] > 10


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_relay_that_is_told_to_stop_stops_cleanly(here: Stand, number: int) -> None:
    relay = here.start_relay()
    wait_for(
        lambda: here.rows("SELECT count(*) FROM outbox_heartbeat")[0][0] == 1,
        PATIENCE_SECONDS,
        "a heartbeat",
    )
    assert relay.stop(number) == 0
    assert "relay stopped" in (here.folder / "relay.txt").read_text()
