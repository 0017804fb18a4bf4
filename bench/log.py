"""Measure the log on PostgreSQL: append, sequence, publish, in turns, sustained.

    .venv/bin/python bench/log.py [--entries 60000] [--batch 1000]

Makes a database of its own at COLOPHON_TEST_POSTGRES (as the tests do) and drops it at
the end. Each turn appends a batch in one transaction, numbers it and publishes a
checkpoint over it, tiles synced to disk. There is one sequencer, so numbering and
publishing together are the log's rate, and the goal is about them; appending is what
one of many processes does. The last fifth beside the first shows whether the log slows
as it grows. Signing the records is not measured.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import psycopg

GOAL_PER_SECOND = 2_000
POSTGRES_URL = os.environ.get(
    "COLOPHON_TEST_POSTGRES", "postgres://postgres@127.0.0.1:5432/test"
)
NAME = f"colophon_bench_{os.getpid()}"


def timed(call: Callable[[], object]) -> float:
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


def measure(entries: int, batch: int) -> float:
    """Entries a second through the one sequencer."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection, transaction

    from colophon.keys import Ed25519Key
    from colophon.statement import NAMESPACE, sign, statement, subject_of
    from log.append import append
    from log.checkpoint import publish
    from log.models import Checkpoint
    from log.sequence import sequence

    call_command("migrate", verbosity=0)
    made = statement(
        [subject_of("work", bytes(32))], f"{NAMESPACE}/step/v1", {"number": 1}
    )
    record = sign(made, Ed25519Key.from_seed(bytes(32))).to_json()

    def add() -> None:
        with transaction.atomic():
            for _ in range(batch):
                append("step", record)

    def number() -> None:
        while sequence():
            pass

    turns = [
        (timed(add), timed(number), timed(publish)) for _ in range(entries // batch)
    ]
    newest = Checkpoint.objects.latest("size")
    if newest.size != len(turns) * batch + 1:
        raise SystemExit("entries are missing; the figures would mean nothing")
    sums = [sum(part) for part in zip(*turns, strict=True)]
    for name, seconds in zip(("append", "sequence", "publish"), sums, strict=True):
        rate = len(turns) * batch / seconds
        print(f"{name:<10} {rate:9,.0f} entries a second, {seconds:6.1f} s in all")
    fifth = max(len(turns) // 5, 1)
    first, last = sum(map(sum, turns[:fifth])), sum(map(sum, turns[-fifth:]))
    print(f"the last fifth took {last / first:.2f} times the first")
    connection.close()
    return len(turns) * batch / sum(sums[1:])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=60_000)
    parser.add_argument("--batch", type=int, default=1_000)
    given = parser.parse_args()
    with (
        psycopg.connect(POSTGRES_URL, autocommit=True) as server,
        tempfile.TemporaryDirectory() as var,
    ):
        server.execute(f"CREATE DATABASE {NAME}")
        os.environ |= {
            "DATABASE_URL": urlsplit(POSTGRES_URL)._replace(path=f"/{NAME}").geturl(),
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "COLOPHON_VAR": var,
            "COLOPHON_DEBUG": "0",
            "COLOPHON_NUDGE": "0",
            "COLOPHON_TSA_URL": "",
            "COLOPHON_WITNESSES": "",
        }
        try:
            rate = measure(given.entries, given.batch)
        finally:
            server.execute(f"DROP DATABASE {NAME} WITH (FORCE)")
    print(f"the log    {rate:9,.0f} entries a second (goal {GOAL_PER_SECOND:,})")
    return 0 if rate >= GOAL_PER_SECOND else 1


if __name__ == "__main__":
    raise SystemExit(main())
