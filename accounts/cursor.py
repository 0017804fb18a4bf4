"""Where a page of a list begins: `?after=` is the row that the last page ended with."""

from __future__ import annotations

MAX_DIGITS = 18  # what every database counts rows with


def row_after(text: str) -> int | None:
    """The primary key that a page goes on after; None for the beginning.

    What is no cursor of ours is no error: the list begins at its beginning.
    """
    is_number = text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS
    return int(text) if is_number else None
