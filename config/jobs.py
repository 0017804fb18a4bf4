"""The job table and the timetable: which kind runs what, where, and how often."""

from __future__ import annotations

TABLE: dict[str, tuple[str, str]] = {}
TIMETABLE: dict[str, float] = {}
