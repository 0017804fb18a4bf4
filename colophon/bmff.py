"""Read and build the boxes of an ISO base media file that describe its items.

Numbers come from strangers: every read is checked against the end of its box, and
no count can make more work than there are bytes.

Source: ISO/IEC 14496-12, section 8.11 (meta, iinf, iloc, iref, pitm).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from colophon.errors import InputError
from colophon.parts import Part, damaged

NAME = "AVIF"
MAX_ITEM = 0xFFFF
# Bytes of an item's number, by the version of `infe` and of `iloc`.
_INFE_BYTES = {2: 2, 3: 4}
_ILOC_BYTES = {0: 2, 1: 2, 2: 4}
_LENGTHS, _MOST_BYTES = frozenset({4, 8}), 8
_IN_FILE, _IN_IDAT = 0, 1  # construction methods: where an offset counts from


class Cursor:
    """A place in a box, moving on; reading past its end means a damaged file."""

    def __init__(self, data: bytes, part: Part) -> None:
        self._data, self.at, self._end = data, part.body, part.end

    def take(self, count: int) -> bytes:
        """Return the next bytes."""
        if count > self._end - self.at:
            raise damaged(NAME)
        self.at += count
        return self._data[self.at - count : self.at]

    def number(self, size: int) -> int:
        """Return the next unsigned number of so many bytes; 0 of none."""
        return int.from_bytes(self.take(size))


@dataclass(frozen=True)
class Item:
    """One item: its type, the content type of a `mime` item, its entry as it is."""

    kind: bytes
    content: bytes
    entry: bytes


@dataclass(frozen=True)
class Place:
    """Where an item's bytes lie: from the file's start, or from that of `idat`."""

    method: int
    extents: tuple[tuple[int, int], ...]  # offset, length

    @property
    def in_file(self) -> bool:
        """Tell whether the offsets count from the file's start."""
        return self.method == _IN_FILE


def box_at(data: bytes, place: int, end: int) -> Part:
    """Return the box at a place.

    Raises:
        InputError: it is cut off, or says that it goes on to the file's end.
    """
    head, size = 8, int.from_bytes(data[place : place + 4])
    if size == 1:
        head, size = 16, int.from_bytes(data[place + 8 : place + 16])
    if size < head or size > end - place:
        raise damaged(NAME)
    return Part(data[place + 4 : place + 8], place, place + head, place + size)


def boxes(data: bytes, start: int, end: int) -> list[Part]:
    """Return the boxes that fill a range."""
    found = []
    while start < end:
        found.append(box_at(data, start, end))
        start = found[-1].end
    return found


def box(kind: bytes, body: bytes) -> bytes:
    """Return a whole box."""
    return struct.pack(">I", len(body) + 8) + kind + body


def items(data: bytes, part: Part) -> dict[int, Item]:
    """Return the items of an `iinf` box by their number."""
    cursor = Cursor(data, part)
    wide = cursor.number(4) >> 24
    cursor.number(4 if wide else 2)
    found = {}
    for one in boxes(data, cursor.at, part.end):
        entry = Cursor(data, one)
        version = entry.number(4) >> 24
        if one.kind != b"infe" or version not in _INFE_BYTES:
            raise damaged(NAME)
        number = entry.number(_INFE_BYTES[version])
        entry.number(2)
        kind = entry.take(4)
        # A name and, for kind mime, a content type, each ended by a zero byte.
        words = data[entry.at : one.end].split(b"\0")
        content = words[1] if kind == b"mime" and len(words) > 1 else b""
        found[number] = Item(kind, content, data[one.start : one.end])
    return found


def places(data: bytes, part: Part) -> dict[int, Place]:
    """Return where the items lie, from an `iloc` box.

    Raises:
        InputError: damaged, or in a form that cannot be written again.
    """
    cursor = Cursor(data, part)
    version = cursor.number(4) >> 24
    sizes = cursor.number(2)
    offset, length, base, index = (sizes >> shift & 15 for shift in (12, 8, 4, 0))
    # Each extent must take bytes of the box, or counts would be free of cost.
    if (
        version not in _ILOC_BYTES
        or length not in _LENGTHS
        or max(offset, base, index) > _MOST_BYTES
    ):
        raise damaged(NAME)
    wide, found = _ILOC_BYTES[version], {}
    for _ in range(cursor.number(wide)):
        number = cursor.number(wide)
        method = cursor.number(2) & 15 if version else _IN_FILE
        if cursor.number(2) or method not in (_IN_FILE, _IN_IDAT):
            raise InputError("the AVIF picture is in pieces; save it again", "file")
        start, extents = cursor.number(base), []
        for _ in range(cursor.number(2)):
            cursor.number(index if version else 0)
            extents.append((start + cursor.number(offset), cursor.number(length)))
        found[number] = Place(method, tuple(extents))
    return found


def iinf(entries: list[bytes]) -> bytes:
    """Return an `iinf` box of these entries."""
    return box(b"iinf", struct.pack(">IH", 0, len(entries)) + b"".join(entries))


def infe(number: int, content: bytes) -> bytes:
    """Return the entry of a `mime` item."""
    head = struct.pack(">IHH4s", 2 << 24, number, 0, b"mime")
    return box(b"infe", head + b"\0" + content + b"\0")


def iloc(where: dict[int, Place]) -> bytes:
    """Return an `iloc` box; its size depends on the counts alone.

    Raises:
        InputError: a number is too large for it.
    """
    body = [struct.pack(">IHH", 1 << 24, 0x4400, len(where))]
    try:
        for number, place in where.items():
            head = (number, place.method, 0, len(place.extents))
            body.append(struct.pack(">HHHH", *head))
            body += [struct.pack(">II", *extent) for extent in place.extents]
    except struct.error as error:
        raise damaged(NAME) from error
    return box(b"iloc", b"".join(body))


def references(data: bytes, part: Part) -> list[tuple[int, bytes]]:
    """Return the references of an `iref` box: from which item, and the whole box."""
    cursor = Cursor(data, part)
    wide = 4 if cursor.number(4) >> 24 else 2
    return [
        (Cursor(data, one).number(wide), data[one.start : one.end])
        for one in boxes(data, cursor.at, part.end)
    ]
