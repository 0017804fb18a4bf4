"""What certifiers said in a case, in words."""

from __future__ import annotations

from typing import Any

from provenance.models import Case
from provenance.reasons import words

SAID = {
    "confirmed": "A certifier confirmed it",
    "refused": "A certifier refused it",
    "upheld": "A certifier upheld the objection",
    "rejected": "A certifier rejected the objection",
}


def decided(case: Case) -> list[dict[str, Any]]:
    """Every word that was given in a case and in those it appeals against."""
    found: list[dict[str, Any]] = []
    row: Case | None = case
    while row is not None:
        rows = row.decisions.select_related("entry", "by").order_by("pk")
        found = [*(_said(one) for one in rows), *found]
        row = row.appeal_of
    return found


def _said(one: Any) -> dict[str, Any]:
    return {
        "words": SAID[one.decision],
        "who": one.by.get_full_name(),
        "reason": words(one.reason),
        "note": one.note,
        "at": one.decided_at,
        "log_index": one.entry.index,
    }
