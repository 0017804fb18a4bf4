"""The lines of a money check: what was recomputed, and whether it came out the same."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from colophon.checks import Result

EXIT_GOOD, EXIT_WRONG, EXIT_NO_TRUST, EXIT_UNREACHABLE = 0, 1, 10, 11


@dataclass(frozen=True)
class Hop:
    """One line: a short id, the result, plain words, and further lines below it."""

    id: str
    result: Result
    words: str
    detail: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The line as stable JSON."""
        return {
            "id": self.id,
            "result": self.result.value,
            "words": self.words,
            "detail": list(self.detail),
        }


@dataclass
class Hops:
    """Lines in the order of the walk.

    `unsure` is set when something that the answer rests on could not be judged, and
    `unreached` when somebody who was to be asked did not answer: then the answer is
    never a pass.
    """

    found: list[Hop] = field(default_factory=list)
    unsure: bool = False
    unreached: bool = False

    def passed(self, name: str, words: str, *detail: str) -> None:
        """Note that something was recomputed and is the same."""
        self.found.append(Hop(name, Result.PASSED, words, detail))

    def failed(self, name: str, words: str, *detail: str) -> None:
        """Note that something does not come out as it says."""
        self.found.append(Hop(name, Result.FAILED, words, detail))

    def unknown(self, name: str, words: str, *detail: str) -> None:
        """Note that what the answer rests on cannot be judged here."""
        self.unsure = True
        self.note(name, words, *detail)

    def unreachable(self, name: str, words: str, *detail: str) -> None:
        """Note that somebody who was to be asked could not be."""
        self.unreached = True
        self.note(name, words, *detail)

    def note(self, name: str, words: str, *detail: str) -> None:
        """Note something that was not asked for, or that decides nothing."""
        self.found.append(Hop(name, Result.NOT_CHECKED, words, detail))

    @property
    def wrong(self) -> list[Hop]:
        """The lines that failed, in order."""
        return [hop for hop in self.found if hop.result is Result.FAILED]

    @property
    def exit_code(self) -> int:
        """0 right, 1 wrong, 11 not answered, 10 not to be judged without trust."""
        if self.wrong:
            return EXIT_WRONG
        if self.unreached:
            return EXIT_UNREACHABLE
        return EXIT_NO_TRUST if self.unsure else EXIT_GOOD
