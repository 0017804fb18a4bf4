"""Read JSON bodies of the API strictly: bounded, and nothing that cannot be kept.

A text with U+0000 or a lone surrogate, a number without end, an object that says a key
twice: each is refused here with its place, before any row is written, so that no
database and no signature has to.
"""

from __future__ import annotations

from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser
from rest_framework.renderers import JSONRenderer

from colophon.errors import InputError
from colophon.fields import load_json

MAX_BODY_BYTES = 2 * 1024 * 1024


class StrictJSONParser(BaseParser):
    """`application/json`; the only form of the API but for files and CloudEvents."""

    media_type = "application/json"
    renderer_class = JSONRenderer

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,  # noqa: ARG002 - the framework's shape
        parser_context: Any = None,  # noqa: ARG002
    ) -> Any:
        """The value of the body.

        Raises:
            ParseError: it is not JSON, or nested too deeply.
            InputError: it is too large, or a text in it cannot be kept; the place is
                named.
        """
        body = stream.read(MAX_BODY_BYTES + 1)
        if len(body) > MAX_BODY_BYTES:
            raise InputError(f"is over {MAX_BODY_BYTES:,} bytes; send less at once")
        try:
            return load_json(body, max_bytes=MAX_BODY_BYTES, floats=True)
        except InputError as error:
            if error.field:
                raise
            raise ParseError(f"The body {error.message}.") from error
