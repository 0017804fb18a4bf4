"""Erase what a sealed entry hides; what the log promised stays provable.

The entry holds only SHA-256(salt ‖ envelope). Without the 256-bit salt nobody can
tell whose it was, not even by guessing.
"""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from colophon.entry import PUBLIC_KINDS
from log.errors import PublicEntryError
from log.models import Entry


def erase(entry: Entry) -> Entry:
    """Delete envelope and salt of a sealed entry; twice is the same as once.

    Writes: Entry (envelope, salt, erased_at). Lock: none (conditional update).

    Raises:
        PublicEntryError: the kind is public; its envelope is part of the tree.
    """
    if entry.kind in PUBLIC_KINDS:
        raise PublicEntryError(f"{entry.kind} entries are public for ever")
    with transaction.atomic():
        Entry.objects.filter(pk=entry.pk, erased_at__isnull=True).update(
            envelope=None, salt=None, erased_at=timezone.now()
        )
    entry.refresh_from_db()
    return entry
