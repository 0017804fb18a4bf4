"""Read the job table and the timetable that settings name.

The table says which function runs a kind and on which queue; the timetable says
how often a kind fires, and optionally a question to ask first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.utils.module_loading import import_string

from outbox.errors import UnknownKindError

Table = dict[str, tuple[str, str]]
"""Kind -> (dotted path of the handler, queue)."""

Timetable = dict[str, float | tuple[float, str]]
"""Kind -> seconds, or (seconds, dotted path of a `() -> bool` asked first)."""


@dataclass(frozen=True)
class Line:
    """One line of the timetable; `wanted` says whether there is anything to do."""

    kind: str
    seconds: float
    wanted: Callable[[], bool] | None = None


def table() -> Table:
    """The job table (`settings.OUTBOX_TABLE`)."""
    found: Table = import_string(settings.OUTBOX_TABLE)
    return found


def queues() -> dict[str, list[str]]:
    """Every queue that the table names, with its kinds.

    The table decides, not the row: a kind that moved to another queue takes its
    waiting jobs along.
    """
    found: dict[str, list[str]] = {}
    for kind, (_, queue) in table().items():
        found.setdefault(queue, []).append(kind)
    return found


def queue_of(kind: str) -> str:
    """The queue of a kind.

    Raises:
        UnknownKindError: the table has no such kind.
    """
    try:
        return table()[kind][1]
    except KeyError:
        raise UnknownKindError(
            f"job kind {kind!r} is not in {settings.OUTBOX_TABLE}; add its handler"
        ) from None


def timetable() -> list[Line]:
    """The lines of the timetable (`settings.OUTBOX_TIMETABLE`)."""
    found: Timetable = import_string(settings.OUTBOX_TIMETABLE)
    lines = []
    for kind, every in found.items():
        seconds, asked = every if isinstance(every, tuple) else (every, None)
        lines.append(Line(kind, seconds, import_string(asked) if asked else None))
    return lines
