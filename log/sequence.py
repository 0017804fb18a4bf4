"""Give pending entries their indexes: contiguous, in one locked step.

One statement numbers them in the order of their rows. Whoever holds the head is
the only sequencer; a crash leaves either all of the step or nothing.
"""

from __future__ import annotations

from django.db import connection, transaction
from django.utils import timezone

from log.keys import name_key
from log.models import Entry, Head
from outbox.claims import Claim

LIMIT = 4096
# Django's ORM has no UPDATE … FROM; this runs on PostgreSQL and SQLite 3.33+ alike.
_NUMBER = """
UPDATE log_entry SET "index" = pending.place, sequenced_at = %s
FROM (
    SELECT id AS entry_id, %s + row_number() OVER (ORDER BY id) - 1 AS place
    FROM log_entry WHERE "index" IS NULL ORDER BY id LIMIT %s
) AS pending
WHERE log_entry.id = pending.entry_id
"""


def sequence(claim: Claim | None = None, limit: int = LIMIT) -> int:
    """Number up to `limit` pending entries; returns how many got an index.

    The log's key gets an entry of its own before the first entry it covers.

    Writes: Entry (index), Head. Lock: the head row.
    """
    if not Entry.objects.filter(index__isnull=True).exists():
        return 0
    with transaction.atomic(durable=True):
        if claim:
            claim.hold()
        Head.objects.get_or_create(only=True)
        head = Head.objects.select_for_update().get()
        made = int(name_key(head.size))
        with connection.cursor() as cursor:
            cursor.execute(_NUMBER, [timezone.now(), head.size + made, limit])
            numbered = int(cursor.rowcount)
        head.size += made + numbered
        head.save(update_fields=["size"])
    return made + numbered
