"""Give the log a new key, announced in the log by the old one.

Whoever knows the old key reads the announcement and follows. In this order: the next
key is made; the old key signs the announcement; a checkpoint by the old key covers it;
the next key takes the old one's place. Each step can be done again after a crash.
"""

from __future__ import annotations

import os
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from colophon import keys, records, statement
from colophon.note import NoteKey
from log.append import append
from log.checkpoint import publish
from log.errors import InconsistentLogError
from log.keys import KEY_KIND, key_file, log_signer, named_keys, naming
from log.models import Checkpoint
from log.sequence import sequence

TRIES = 10


def next_key() -> NoteKey:
    """The key that comes next; made on first use. Witnesses should learn it first."""
    return NoteKey.of_signer(settings.LOG_ORIGIN, keys.load_or_create(_next_file()))


def rotate() -> NoteKey:
    """Announce the next key under the present one, then use it.

    Returns:
        The new key. Processes that run take it up with their next checkpoint.

    Writes: Entry, Head, tiles, Checkpoint, jobs, the key's file. Lock: the head row.
    """
    new = next_key()
    if new not in named_keys():
        said = records.checkpoint_key(vkey=new.vkey, valid_from=timezone.now())
        with transaction.atomic(durable=True):
            append(KEY_KIND, statement.sign(said, log_signer()).to_json(), public=True)
    while sequence():
        pass
    _cover(new)
    _put_in_place()
    return new


def _cover(new: NoteKey) -> None:
    """Publish until the old key has signed a head over the new one's name.

    Raises:
        InconsistentLogError: it cannot be covered.
    """
    entry = naming(new)
    for _ in range(TRIES):
        publish()
        covering = Checkpoint.objects.filter(size__gt=entry.index)
        if covering.exists():
            return
    raise InconsistentLogError(f"no checkpoint covers the name of {new.vkey}")


def _put_in_place() -> None:
    """The next key's file takes the place of the old one's, on disk, at once."""
    _next_file().replace(key_file())
    folder = os.open(key_file().parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _next_file() -> Path:
    return key_file().with_name("log-next")
