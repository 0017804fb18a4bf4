"""Walk JPEG segments and PNG chunks by their bytes, without decoding anything.

Sizes are known before a decoder runs, metadata is read and written without
touching a pixel, and whatever hangs behind the picture's end is found.

Source: ITU-T T.81 annex B (JPEG); W3C PNG third edition, section 5.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from colophon.errors import InputError

JPEG = "image/jpeg"
PNG = "image/png"
PNG_MAGIC = b"\x89PNG\r\n\x1a\n"

SOI, EOI, SOS = 0xD8, 0xD9, 0xDA
# Start of frame, all kinds: C0..CF without the tables C4, C8 and CC.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
# In coded data FF is followed by 00 or by a restart marker; anything else ends it.
_MARKER = re.compile(rb"\xff+([\x01-\xcf\xd8-\xfe])", re.DOTALL)
_BARE = frozenset({0x01, *range(0xD0, 0xD9)})


@dataclass(frozen=True)
class Part:
    """One segment or chunk: `kind` is a JPEG marker number or a PNG chunk type."""

    kind: int | bytes
    start: int  # of the whole part, marker or length included
    body: int  # of its content
    end: int  # behind the whole part


def jpeg_parts(data: bytes) -> list[Part]:
    """Return the segments of a JPEG from SOI to EOI.

    Raises:
        InputError: it is not a JPEG or ends before its end marker.
    """
    if not data.startswith(b"\xff\xd8"):
        raise InputError("not a JPEG picture", "file")
    parts = [Part(SOI, 0, 2, 2)]
    place = 2
    while found := _MARKER.search(data, place):
        # Outside coded data a segment must follow at once.
        if parts[-1].kind != SOS and found.start() != place:
            break
        marker, body = found[1][0], found.end()
        if marker == EOI:
            return [*parts, Part(EOI, found.start(), body, body)]
        if marker in _BARE:
            end = body
        else:
            end = body + int.from_bytes(data[body : body + 2])
            if end < body + 2 or end > len(data):
                break
        parts.append(Part(marker, found.start(), body + 2, end))
        place = end
    raise InputError(
        "the JPEG picture is cut off or damaged; save it again and upload that",
        "file",
    )


def png_parts(data: bytes) -> list[Part]:
    """Return the chunks of a PNG up to IEND.

    Raises:
        InputError: it is not a PNG, ends early, or a chunk's checksum is wrong.
    """
    if not data.startswith(PNG_MAGIC):
        raise InputError("not a PNG picture", "file")
    parts: list[Part] = []
    place = len(PNG_MAGIC)
    while place + 12 <= len(data):
        size = int.from_bytes(data[place : place + 4])
        kind, end = data[place + 4 : place + 8], place + 12 + size
        if end > len(data) or zlib.crc32(data[place + 4 : end - 4]) != int.from_bytes(
            data[end - 4 : end]
        ):
            break
        parts.append(Part(kind, place, place + 8, end))
        if kind == b"IEND":
            return parts
        place = end
    raise InputError(
        "the PNG picture is cut off or damaged; save it again and upload that", "file"
    )


def parts_of(data: bytes, mime: str) -> list[Part]:
    """Return the parts of a JPEG or PNG."""
    return jpeg_parts(data) if mime == JPEG else png_parts(data)


def size_of(data: bytes, parts: list[Part]) -> tuple[int, int]:
    """Return width and height in pixels as the header states them.

    Raises:
        InputError: the picture states no size, or several.
    """
    sizes = []
    for part in parts:
        if part.kind == b"IHDR":
            sizes.append(struct.unpack_from(">II", data, part.body))
        elif part.kind in _FRAMES:
            sizes.append(struct.unpack_from(">HH", data, part.body + 1)[::-1])
    if len(sizes) != 1:
        # A decoder might take the other one than the one we checked.
        count = "more than one" if sizes else "no"
        raise InputError(f"the picture states {count} size", "file")
    width, height = sizes[0]
    return width, height


def application(data: bytes, parts: list[Part], marker: int) -> Iterator[bytes]:
    """Yield the contents of JPEG segments with one marker, such as APP1 (0xE1)."""
    for part in parts:
        if part.kind == marker:
            yield data[part.body : part.end]


def png_chunk(kind: bytes, body: bytes) -> bytes:
    """Return one whole PNG chunk."""
    checksum = zlib.crc32(kind + body)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)


def splice(data: bytes, changes: list[tuple[int, int, bytes]]) -> bytes:
    """Return the bytes with ranges replaced; everything else stays.

    Args:
        data: the whole file.
        changes: (start, end, replacement) without overlap; start = end inserts.
    """
    out, at = bytearray(), 0
    for start, end, piece in sorted(changes):
        out += data[at:start] + piece
        at = max(at, end)
    return bytes(out + data[at:])
