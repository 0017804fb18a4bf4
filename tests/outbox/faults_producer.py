"""Write wishes and their jobs in one transaction each; some roll back.

Run as `python -m tests.outbox.faults_producer COUNT SECONDS SEED`; the last line
it prints is the median time, in seconds, that one wish took.
"""

from __future__ import annotations

import random
import statistics
import sys
import time

import django


class _ChangedMind(Exception):  # noqa: N818
    """The business transaction rolls back."""


def wish(key: str, kind: str, *, keep: bool) -> None:
    """One business row with its job."""
    from django.db import connection, transaction

    from outbox.enqueue import enqueue

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("INSERT INTO wish (key) VALUES (%s)", [key])
        enqueue(kind, key=key)
        if not keep:
            raise _ChangedMind


def main(count: int, seconds: float, seed: int) -> None:
    """Make the wishes, spread over the time."""
    from django.conf import settings
    from django.db import Error, connection
    from django.utils.module_loading import import_string

    # What a web process has done long before its first request is not measured.
    import_string("outbox.enqueue.enqueue")
    import_string(settings.OUTBOX_CELERY_APP)
    connection.ensure_connection()
    chance = random.Random(seed)
    took = []
    for number in range(count):
        kind = chance.choice(["wish.grant", "wish.grant", "wish.paint"])
        keep = number % 7 != 3
        begun = time.monotonic()
        for _ in range(20):
            try:
                wish(f"wish {seed} {number}", kind, keep=keep)
            except _ChangedMind:
                pass
            except Error:
                # The connection was cut: was it committed? The key will tell.
                connection.close()
                continue
            break
        took.append(time.monotonic() - begun)
        time.sleep(seconds / count)
    print(f"{statistics.median(took):.3f}")  # noqa: T201


if __name__ == "__main__":
    django.setup()
    main(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]))
