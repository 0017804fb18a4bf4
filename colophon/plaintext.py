"""Make a stranger's words safe to keep and show.

Titles and names inside credentials can carry control characters, or characters that
turn the direction of writing around so that a page reads as something else. Markup
is not touched here: templates escape it.

Source: Unicode TR 36 section 2.7 and TR 9 (bidirectional controls).
"""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime

MAX_CHARACTERS = 300
# Cc controls, Cf format (bidi, zero-width), Cs lone surrogates, Co private, Cn none.
_DROPPED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})


def plain(value: object, limit: int = MAX_CHARACTERS) -> str | None:
    """Return a text without tricks, at most `limit` characters; None if it is none.

    White space of any kind becomes single spaces.
    """
    if not isinstance(value, str):
        return None
    # Bounded before the loop: a stranger's text may be megabytes long.
    spaced = " ".join(value[: 4 * limit].split())
    kept = "".join(c for c in spaced if unicodedata.category(c) not in _DROPPED)
    return kept[:limit]


def clock(text: str) -> str:
    """Return a stranger's time as a person reads it; as it stands when it is none."""
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            return text
        return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (ValueError, OverflowError):
        return text
