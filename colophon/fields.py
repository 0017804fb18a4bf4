"""Read untrusted JSON key by key, with types, bounds and named errors.

Every parser of the package reads through ``Fields``: each error names the place
as a JSON pointer, and ``close`` refuses keys that nobody asked for, so that
nothing can be smuggled into a signed record.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NoReturn

from colophon.digest import from_hex
from colophon.errors import InputError
from colophon.ids import is_id

MAX_JSON_BYTES = 256 * 1024
# What one reported use or one recorded step may have. Whoever takes it and whoever
# reads it again (traces, statements, bundles) go by this one number.
MAX_RECORD_BYTES = 64 * 1024
MAX_DEPTH = 16
MAX_ITEMS = 1024
MAX_TEXT = 512
MAX_SAFE_INTEGER = 2**53 - 1
_MAX_DIGITS = 20
_MAX_SECONDS_DIGITS = 9
# An escape that may stand for a character which no database or canonical form takes.
_ODD = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
# A string to its end (even one that never closes), or one bracket.
_STRUCTURE = re.compile(r'"(?:[^"\\]|\\.?)*+(?:"|\Z)|[\[\]{}]', re.DOTALL)
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?Z", re.ASCII)
_RFC3339 = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}"
    rf"(?:\.\d{{1,{_MAX_SECONDS_DIGITS}}})?(?:[Zz]|[+-]\d{{2}}:\d{{2}})",
    re.ASCII,
)


def load_json(
    data: bytes | str, *, max_bytes: int = MAX_JSON_BYTES, floats: bool = False
) -> Any:
    """Parse JSON strictly: UTF-8, no repeated keys, bounded, nothing unstorable.

    Args:
        data: untrusted text.
        max_bytes: what is read at most.
        floats: whether finite fractions are taken; records carry integers only.

    Raises:
        InputError: too large, too deep, not such JSON; or a text in it has U+0000 or
            a lone surrogate, then with its place.
    """
    raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    if len(raw) > max_bytes:
        raise InputError(f"is {len(raw)} bytes, at most {max_bytes} are read")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError("is not UTF-8") from error
    _check_depth(text)
    try:
        value = json.loads(
            text,
            object_pairs_hook=_unique,
            parse_float=_finite if floats else _no_number,
            parse_constant=_no_number,
            parse_int=_integer,
        )
    except ValueError as error:
        raise InputError(f"is not JSON: {error}") from error
    if _ODD.search(text):
        check_characters(value)
    return value


def check_characters(value: Any, field: str = "") -> None:
    """Refuse what neither PostgreSQL nor RFC 8785 can carry, wherever it stands.

    Raises:
        InputError: a text or key in a JSON value has U+0000 or a lone surrogate; the
            place is named.
    """
    if isinstance(value, str):
        if "\0" in value:
            raise InputError("contains U+0000", field)
        if _has_surrogate(value):
            raise InputError("contains a lone surrogate", field)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            if "\0" in key or _has_surrogate(key):
                raise InputError("has a key with U+0000 or a lone surrogate", field)
            check_characters(inner, f"{field}/{key}" if field else key)
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            check_characters(inner, f"{field}/{at}" if field else str(at))


def format_time(moment: datetime, field: str = "") -> str:
    """RFC 3339 in UTC with Z, the only form that records carry.

    Raises:
        InputError: the moment has no time zone.
    """
    if moment.tzinfo is None:
        raise InputError("has no time zone; pass an aware datetime", field)
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def parse_time(text: Any, field: str = "") -> datetime:
    """Aware UTC datetime of ``YYYY-MM-DDTHH:MM:SS[.ffffff]Z``.

    Raises:
        InputError: not text of exactly that form, or no such moment.
    """
    if not isinstance(text, str) or _TIME.fullmatch(text) is None:
        raise InputError("is not a time like 2026-01-31T12:00:00Z", field)
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"is not a time: {error}", field) from error


def read_moment(text: Any, field: str = "") -> datetime:
    """Aware UTC datetime of any RFC 3339 time, with any offset.

    Raises:
        InputError: not text of that form, or no moment between the years 1 and 9999.
    """
    if not isinstance(text, str) or _RFC3339.fullmatch(text) is None:
        words = "is not an RFC 3339 time with an offset, like 2026-01-31T12:00:00Z"
        raise InputError(words, field)
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InputError(f"is not a time: {error}", field) from error


def check_text(value: Any, field: str = "", *, limit: int = MAX_TEXT) -> str:
    """Non-empty text within ``limit`` characters, without control characters.

    Raises:
        InputError: anything else.
    """
    if not isinstance(value, str):
        raise InputError(f"is {_name(value)}, expected text", field)
    if not value or len(value) > limit:
        raise InputError(f"has {len(value)} characters, expected 1 to {limit}", field)
    if any(ord(char) < ord(" ") and char not in "\n\t" for char in value):
        raise InputError("contains control characters", field)
    if _has_surrogate(value):
        raise InputError("contains a lone surrogate", field)
    return value


class Fields:
    """One JSON object; every getter checks one key and names it in its error."""

    def __init__(self, value: Any, path: str = "") -> None:
        if not isinstance(value, Mapping):
            raise InputError(f"is {_name(value)}, expected an object", path)
        if not all(isinstance(key, str) for key in value):
            raise InputError("has a key that is not text", path)
        self._value = value
        self._seen: set[str] = set()
        self.path = path

    def at(self, key: str | int) -> str:
        """The pointer of a key of this object."""
        return f"{self.path}/{key}" if self.path else str(key)

    def has(self, key: str) -> bool:
        """Whether an optional key is there (and not null)."""
        self._seen.add(key)
        return self._value.get(key) is not None

    def raw(self, key: str) -> Any:
        """The value of a required key, unchecked."""
        self._seen.add(key)
        if self._value.get(key) is None:
            raise InputError("is missing", self.at(key))
        return self._value[key]

    def text(self, key: str, *, limit: int = MAX_TEXT) -> str:
        return check_text(self.raw(key), self.at(key), limit=limit)

    def maybe_text(self, key: str, *, limit: int = MAX_TEXT) -> str | None:
        return self.text(key, limit=limit) if self.has(key) else None

    def choice(self, key: str, allowed: tuple[str, ...]) -> str:
        value = self.raw(key)
        if not isinstance(value, str) or value not in allowed:
            raise InputError(f"is not one of {', '.join(allowed)}", self.at(key))
        return value

    def integer(self, key: str, low: int = 0, high: int = MAX_SAFE_INTEGER) -> int:
        value = self.raw(key)
        if not isinstance(value, int) or isinstance(value, bool):
            raise InputError(f"is {_name(value)}, expected a number", self.at(key))
        if not low <= value <= high:
            raise InputError(f"is {value}, expected {low} to {high}", self.at(key))
        return value

    def boolean(self, key: str) -> bool:
        value = self.raw(key)
        if not isinstance(value, bool):
            raise InputError(f"is {_name(value)}, expected a boolean", self.at(key))
        return value

    def flag(self, key: str) -> bool:
        """A boolean; an absent one is false."""
        return self.boolean(key) if self.has(key) else False

    def hexadecimal(self, key: str, size: int = 32) -> bytes:
        return from_hex(self.raw(key), size, self.at(key))

    def time(self, key: str) -> datetime:
        return parse_time(self.raw(key), self.at(key))

    def identifier(self, key: str) -> str:
        value = self.raw(key)
        if not is_id(value):
            raise InputError("is not an id like ast_ and 32 hex digits", self.at(key))
        return str(value)

    def maybe_identifier(self, key: str) -> str | None:
        return self.identifier(key) if self.has(key) else None

    def sha256(self, key: str) -> bytes:
        """The digest of ``{"sha256": hex}`` under a key, as in-toto writes it."""
        inner = self.object(key)
        digest = inner.hexadecimal("sha256")
        inner.close()
        return digest

    def maybe_sha256(self, key: str) -> bytes | None:
        return self.sha256(key) if self.has(key) else None

    def object(self, key: str) -> Fields:
        return Fields(self.raw(key), self.at(key))

    def items(self, key: str, *, limit: int = MAX_ITEMS) -> list[Any]:
        value = self.raw(key)
        if not isinstance(value, list):
            raise InputError(f"is {_name(value)}, expected a list", self.at(key))
        if len(value) > limit:
            raise InputError(
                f"has {len(value)} items, at most {limit} are read", self.at(key)
            )
        return value

    def objects(self, key: str, *, limit: int = MAX_ITEMS) -> Iterator[Fields]:
        """The objects of a list; an absent list is empty."""
        items = self.items(key, limit=limit) if self.has(key) else []
        for index, item in enumerate(items):
            yield Fields(item, f"{self.at(key)}/{index}")

    def keys(self) -> list[str]:
        """All keys, for objects whose keys are data."""
        self._seen.update(self._value)
        return sorted(self._value)

    def close(self) -> None:
        """Refuse keys that nobody asked for.

        Raises:
            InputError: names the first unknown key.
        """
        for key in sorted(set(self._value) - self._seen):
            raise InputError("is not a known field; remove it", self.at(key[:64]))


def _name(value: Any) -> str:
    """JSON's word for the type of a value."""
    names = {dict: "an object", list: "a list", str: "text", bool: "a boolean"}
    if isinstance(value, int | float) and not isinstance(value, bool):
        return "a number"
    return names.get(type(value), "null" if value is None else "of a foreign type")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Object of pairs whose keys must differ."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object repeats a key")
    return found


def _has_surrogate(text: str) -> bool:
    return any("\ud800" <= char <= "\udfff" for char in text)


def _finite(text: str) -> float:
    """A fraction that is one: JSON's 1e400 would be infinite."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:24]} is too large a number")
    return number


def _no_number(text: str) -> NoReturn:
    """Refuse floats, NaN and infinities: records carry integers only."""
    raise ValueError(f"{text[:24]} is not an integer")


def _integer(text: str) -> int:
    """Integer of few digits, so that hostile digits cost nothing."""
    if len(text) > _MAX_DIGITS:
        raise ValueError("a number has too many digits")
    return int(text)


def _check_depth(text: str) -> None:
    """Refuse nesting before it is parsed, where it could exhaust the stack."""
    depth = 0
    for match in _STRUCTURE.finditer(text):
        if match[0] in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise InputError(f"is nested deeper than {MAX_DEPTH}")
        elif match[0] in "]}":
            depth -= 1
