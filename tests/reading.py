"""Read a page as a person does: its words, without tags."""

from __future__ import annotations

import re
from typing import Any

REST_OF_AN_AMOUNT = re.compile(r'(?<=\d)<span class="money__rest">(\d+)</span>')
TAG = re.compile(r"<[^>]+>")


def plain(html: str) -> str:
    """The words of some HTML, spaces made single; an amount stays one word."""
    whole = REST_OF_AN_AMOUNT.sub(r"\1", html)
    return " ".join(TAG.sub(" ", whole).split())


def text_of(answer: Any) -> str:
    """The words of a page that was found."""
    assert answer.status_code == 200, answer.status_code
    return plain(answer.content.decode())
