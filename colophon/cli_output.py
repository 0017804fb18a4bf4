"""Write answers on a terminal: plain words, a little color, nothing by color alone.

Text from files and sites is stripped of control characters before it is shown, so
that no title can move the cursor or hide a line.
"""

from __future__ import annotations

import json
import os
from typing import Any, TextIO

from colophon.checks import Result

_COLORS = {"good": "32", "bad": "31", "weak": "33", "faint": "2", "strong": "1"}
MARKS = {
    Result.PASSED: ("passed", "good"),
    Result.FAILED: ("FAILED", "bad"),
    Result.NOT_CHECKED: ("not checked", "weak"),
}


class Screen:
    """One stream to write on."""

    def __init__(self, stream: TextIO) -> None:
        """Color only for a terminal that did not ask for none (NO_COLOR)."""
        self._stream = stream
        terminal = stream.isatty() and os.environ.get("TERM") != "dumb"
        self._colored = terminal and not os.environ.get("NO_COLOR")

    def line(self, text: str = "", style: str = "") -> None:
        """Write one line."""
        print(self.styled(plain(text), style), file=self._stream)

    def row(self, label: str, text: str, style: str = "") -> None:
        """Write a label and its text in two columns."""
        print(
            f"  {self.styled(f'{plain(label):<12}', 'faint')} "
            f"{self.styled(plain(text), style)}",
            file=self._stream,
        )

    def mark(self, number: str, name: str, result: Result, words: str) -> None:
        """Write one check: number, name, result and words."""
        said, style = MARKS[result]
        text = f"{number:>6} {plain(name):<11} {said:<12}"
        print(f"{self.styled(text, style)} {plain(words)}", file=self._stream)

    def problem(self, text: str) -> None:
        """Write why a command could not do its work."""
        self.line(f"colophon: {text}", "bad")

    def json(self, value: Any) -> None:
        """Write a JSON document, keys in order."""
        text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False)
        print(text, file=self._stream)

    def styled(self, text: str, style: str) -> str:
        """The text in a style, where colors are shown."""
        if not self._colored or not style:
            return text
        return f"\x1b[{_COLORS[style]}m{text}\x1b[0m"


def plain(text: str) -> str:
    """Text without anything that a terminal would obey."""
    return "".join(
        char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text
    )
