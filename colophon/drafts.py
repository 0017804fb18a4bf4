"""A step under way: what the pipeline says of it, before it is signed.

Nothing here breaks the pipeline: a file that cannot be read is remembered as a
problem, and the step is then left out rather than recorded wrongly.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from colophon.acts import INPUT, File, Input, Model
from colophon.digest import sha256, sha256_stream

logger = logging.getLogger("colophon.recorder")

Content = Path | str | bytes
MAX_EXACT = 2**53 - 1


@contextmanager
def guarded(what: str, *, strict: bool) -> Iterator[None]:
    """Log what goes wrong in recording; raise it only where asked to."""
    try:
        yield
    except Exception as error:
        if strict:
            raise
        logger.warning("%s; the pipeline goes on: %s", what, error)


@dataclass
class Draft:
    """A step under way; the pipeline says what goes in and out.

    Methods that read a file give its SHA-256, and nothing (`b""`) when it cannot
    be read: then the step is not recorded.

    Attributes:
        proxy: makes the smaller copy of a picture, None for other files; no copies
            are made when absent.
        copies: those copies, by the digest of their file.
    """

    strict: bool = False
    proxy: Callable[[Content], bytes | None] | None = None
    copies: dict[bytes, bytes] = field(default_factory=dict)
    inputs: list[Input] = field(default_factory=list)
    outputs: list[File] = field(default_factory=list)
    intermediates: list[bytes] = field(default_factory=list)
    secrets: dict[str, Any] = field(default_factory=dict)
    words: str | None = None
    used: Model | None = None
    said: str | None = None
    problem: str = ""

    def input(
        self, content: Content, *, name: str = "", relation: str = "parentOf"
    ) -> bytes:
        """Name a file (path) or some bytes that the step uses."""
        with self._reading(content):
            digest = digest_of(content)
            self.inputs.append(Input(name or _name(content), digest, relation))
            if relation != INPUT:
                self.copy(digest, content)
            return digest
        return b""

    def source(self, digest: bytes, name: str) -> None:
        """Name a registered source, such as a data set, as an input."""
        self.inputs.append(Input(name, digest, "inputTo"))

    def output(self, content: Content, *, name: str = "") -> bytes:
        """Name a file or some bytes that the step made."""
        with self._reading(content):
            digest = digest_of(content)
            self.outputs.append(File(name or _name(content), digest))
            self.copy(digest, content)
            return digest
        return b""

    def intermediate(self, content: Content) -> None:
        """Name an in-progress version: evidence that the work was done by hand.

        With copies, the record names the copy, which the site then has as well.
        """
        with self._reading(content):
            digest = digest_of(content)
            self.copy(digest, content)
            copy = self.copies.get(digest)
            self.intermediates.append(sha256(copy) if copy else digest)

    def copy(self, digest: bytes, content: Content) -> None:
        """Make the smaller copy of a picture, where copies are wanted.

        Without one the step is whole all the same: only its origin map is not.
        """
        with guarded("no smaller copy of a picture", strict=self.strict):
            if self.proxy is not None and digest not in self.copies:
                made = self.proxy(content)
                if made is not None:
                    self.copies[digest] = made

    def model(self, digest: bytes, name: str = "") -> None:
        """Name the model that was run."""
        self.used = Model(digest, name or None)

    def prompt(self, text: str) -> None:
        """Commit to the prompt; the record holds no word of it."""
        self.words = plain_value(text)

    def parameters(self, **values: Any) -> None:
        """Commit to parameters, each on its own, as `plain_value` writes them."""
        with guarded("parameters not recorded", strict=self.strict):
            self.secrets |= {name: plain_value(one) for name, one in values.items()}

    def note(self, text: str) -> None:
        """A few words that are part of the record, open to everyone who sees it."""
        self.said = text

    @contextmanager
    def _reading(self, content: Content) -> Iterator[None]:
        """Remember that a file of the step could not be read."""
        try:
            yield
        except Exception as error:
            if self.strict:
                raise
            self.problem = self.problem or f"{_name(content)} cannot be read: {error}"


def digest_of(content: Content) -> bytes:
    """SHA-256 of a file (path) or of some bytes.

    Raises:
        OSError: the file cannot be read.
    """
    if isinstance(content, bytes):
        return sha256(content)
    with Path(content).open("rb") as file:
        return sha256_stream(file)


def plain_value(value: Any) -> Any:
    r"""A parameter as JSON that every reader understands alike.

    What JSON cannot carry exactly becomes text: whole numbers beyond 2^53 (seeds
    are), infinities, paths, types of numeric libraries that are no plain numbers. In
    texts, U+0000 and lone surrogates are written out, as `\x00` and `\udc80`.
    """
    if getattr(value, "shape", None) == () and hasattr(value, "item"):
        return plain_value(value.item())
    if isinstance(value, Mapping):
        return {_written(str(key)): plain_value(one) for key, one in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes, bytearray)):
        return [plain_value(one) for one in value]
    if isinstance(value, str) or not _is_exact(value):
        return _written(str(value))
    return value


def _written(text: str) -> str:
    """A text without the characters that no record can carry."""
    odd = (one for one in text if one == "\0" or "\ud800" <= one <= "\udfff")
    for one in set(odd):
        text = text.replace(one, one.encode("unicode_escape").decode())
    return text


def _is_exact(value: Any) -> bool:
    if isinstance(value, int):  # true and false are whole numbers, too
        return abs(value) <= MAX_EXACT
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None


def _name(content: Any) -> str:
    if isinstance(content, (str, Path)):
        return Path(content).name
    return "bytes" if isinstance(content, bytes) else type(content).__name__
