"""Questions that the timetable asks before it fires a job of the log."""

from __future__ import annotations

from log.models import Checkpoint, Entry, Head


def entries_wait() -> bool:
    """Whether an entry waits for its index."""
    return Entry.objects.filter(index__isnull=True).exists()


def head_grew() -> bool:
    """Whether entries have an index that no checkpoint covers."""
    head = Head.objects.first()
    if head is None:
        return False
    return not Checkpoint.objects.filter(size__gte=head.size).exists() and head.size > 0
