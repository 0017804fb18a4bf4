"""The log's own key: it signs checkpoints, and the log's first entry names it.

The key is a file made on first run (0600); production may replace it, and then an
entry names the new one. Old keys stay listed: old checkpoints carry their names.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from colophon import keys, records, statement
from colophon.entry import entry_leaf, public_entry
from colophon.note import NoteKey
from colophon.statement import Envelope
from log.models import Entry

KEY_KIND = "checkpoint-key"


def log_signer() -> keys.Signer:
    """The key that signs checkpoints; made on first use."""
    return _load(Path(settings.KEYS_DIR) / "log")


def log_key() -> NoteKey:
    """The verifier of checkpoints signed now; its name is the log's origin."""
    return NoteKey.of_signer(settings.LOG_ORIGIN, log_signer())


def log_keys() -> list[NoteKey]:
    """Every key that ever signed checkpoints, oldest first, the present one last."""
    present = log_key()
    named = [_named(row) for row in Entry.objects.filter(kind=KEY_KIND).order_by("pk")]
    past = [key for key in named if key is not None and key != present]
    return [*dict.fromkeys(past), present]


def name_key(index: int) -> bool:
    """Give the log's present key its entry, unless it has one.

    Args:
        index: the next free index; the caller holds the head.

    Returns:
        Whether an entry was made at that index.

    Writes: Entry. Lock: the caller's.
    """
    key = log_key()
    rows = Entry.objects.filter(kind=KEY_KIND)
    if any(_named(row) == key for row in rows):
        return False
    now = timezone.now()
    record = statement.sign(
        records.checkpoint_key(vkey=key.vkey, valid_from=now), log_signer()
    )
    data = public_entry(KEY_KIND, record)
    Entry.objects.create(
        kind=KEY_KIND,
        data=data,
        leaf_hash=entry_leaf(data),
        envelope=record.to_json(),
        index=index,
        sequenced_at=now,
    )
    return True


def _named(row: Entry) -> NoteKey | None:
    if row.envelope is None:
        return None
    payload = Envelope.from_json(row.envelope).payload
    return records.parse_checkpoint_key(statement.read_statement(payload)).key


@lru_cache(maxsize=8)
def _load(path: Path) -> keys.Signer:
    return keys.load_or_create(path)
