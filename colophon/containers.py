"""Walk a picture's container by its bytes, without decoding anything.

Sizes are known before a decoder runs, metadata is read and written without
touching a pixel, and whatever hangs behind the picture's end is found. JPEG and
PNG are walked here; the other formats have a module each.

Source: ITU-T T.81 annex B (JPEG); W3C PNG third edition, section 5.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator

from colophon import avif, gif, tiff, webp
from colophon.errors import InputError
from colophon.formats import AVIF, GIF, JPEG, PNG, TIFF, WEBP
from colophon.parts import Part, damaged, one_size

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"

SOI, EOI, SOS = 0xD8, 0xD9, 0xDA
# Start of frame, all kinds: C0..CF without the tables C4, C8 and CC.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
# In coded data FF is followed by 00 or by a restart marker; anything else ends it.
_MARKER = re.compile(rb"\xff+([\x01-\xcf\xd8-\xfe])", re.DOTALL)
_BARE = frozenset({0x01, *range(0xD0, 0xD9)})


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
    raise damaged("JPEG")


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
    raise damaged("PNG")


def _frame_size(data: bytes, parts: list[Part]) -> tuple[int, int]:
    frames = [part for part in parts if part.kind in _FRAMES]
    return one_size([struct.unpack_from(">HH", data, p.body + 1)[::-1] for p in frames])


def _header_size(data: bytes, parts: list[Part]) -> tuple[int, int]:
    heads = [part for part in parts if part.kind == b"IHDR"]
    return one_size([struct.unpack_from(">II", data, p.body) for p in heads])


def _is_apng(_: bytes, parts: list[Part]) -> bool:
    return any(part.kind == b"acTL" for part in parts)


_WALKERS = {
    JPEG: jpeg_parts,
    PNG: png_parts,
    WEBP: webp.parts,
    AVIF: avif.parts,
    GIF: gif.parts,
    TIFF: tiff.parts,
}
_SIZES = {
    JPEG: _frame_size,
    PNG: _header_size,
    WEBP: webp.size,
    AVIF: avif.size,
    GIF: gif.size,
    TIFF: tiff.size,
}
# A JPEG cannot move, nor can a TIFF of one page.
_MOVING = {
    PNG: _is_apng,
    WEBP: webp.is_moving,
    AVIF: avif.is_moving,
    GIF: gif.is_moving,
}
_IDLE = {WEBP: webp.idle, AVIF: avif.idle, GIF: gif.idle, TIFF: tiff.idle}


def parts_of(data: bytes, mime: str) -> list[Part]:
    """Return the parts of a picture; the last one ends where the picture ends.

    Raises:
        InputError: it is not of this format, or cut off or damaged.
    """
    return _WALKERS[mime](data)


def size_of(data: bytes, mime: str, parts: list[Part]) -> tuple[int, int]:
    """Return width and height in pixels as the header states them.

    Raises:
        InputError: the picture states no size, or several.
    """
    return _SIZES[mime](data, parts)


def idle_of(data: bytes, mime: str, parts: list[Part]) -> bytes:
    """Return what no reader of pictures looks at: behind the end, and in padding."""
    padding = _IDLE[mime](data, parts) if mime in _IDLE else b""
    return padding + data[parts[-1].end :]


def is_moving(data: bytes, mime: str, parts: list[Part]) -> bool:
    """Tell whether a picture is animated, or says so."""
    return mime in _MOVING and _MOVING[mime](data, parts)


def application(data: bytes, parts: list[Part], marker: int) -> Iterator[bytes]:
    """Yield the contents of JPEG segments with one marker, such as APP1 (0xE1)."""
    for part in parts:
        if part.kind == marker:
            yield data[part.body : part.end]


def png_chunk(kind: bytes, body: bytes) -> bytes:
    """Return one whole PNG chunk."""
    checksum = zlib.crc32(kind + body)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)
