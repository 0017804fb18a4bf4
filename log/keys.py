"""The log's own key: it signs checkpoints, and the log's first entry names it.

The key is a file made on first run (0600). A new one is announced by the old one
(log/rotate.py); a file that was merely replaced names itself, which only this database
believes. Old keys stay listed: old checkpoints carry their names.
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


def key_file() -> Path:
    """Where the key that signs checkpoints lies."""
    return Path(settings.KEYS_DIR) / "log"


def log_signer() -> keys.Signer:
    """The key that signs checkpoints; made on first use, read again when replaced."""
    path = key_file()
    if not path.exists():
        return keys.load_or_create(path)
    state = path.stat()
    return _load(path, state.st_ino, state.st_mtime_ns)


def log_key() -> NoteKey:
    """The verifier of checkpoints signed now; its name is the log's origin."""
    return NoteKey.of_signer(settings.LOG_ORIGIN, log_signer())


def log_keys() -> list[NoteKey]:
    """Every key that ever signed checkpoints, oldest first, the present one last."""
    present = log_key()
    past = [key for key in named_keys() if key != present]
    return [*dict.fromkeys(past), present]


def named_keys() -> list[NoteKey]:
    """Every key that an entry names, in the order of the log."""
    named = [_named(row) for row in Entry.objects.filter(kind=KEY_KIND).order_by("pk")]
    return [key for key in named if key is not None]


def naming(key: NoteKey) -> Entry:
    """The first entry that names a key.

    Raises:
        Entry.DoesNotExist: none does.
    """
    for row in Entry.objects.filter(kind=KEY_KIND).order_by("pk"):
        if _named(row) == key:
            return row
    raise Entry.DoesNotExist(f"no entry names {key.vkey}")


def name_key(index: int) -> bool:
    """Give the log's present key its entry, unless it has one.

    Args:
        index: the next free index; the caller holds the head.

    Returns:
        Whether an entry was made at that index.

    Writes: Entry. Lock: the caller's.
    """
    key = log_key()
    if key in named_keys():
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
def _load(path: Path, _inode: int, _changed_ns: int) -> keys.Signer:
    return keys.Ed25519Key.load(path)
