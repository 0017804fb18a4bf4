"""Walk, read and write the chunks of a WebP picture.

Metadata needs the extended form: a simple file (one bitstream, no VP8X chunk) gets
its header when something is written into it. The bitstream itself is never touched.

Source: RFC 9649 (WebP), sections 2 and 3.
"""

from __future__ import annotations

import struct

from colophon.errors import InputError
from colophon.parts import Carried, Part, damaged, one_size, splice

_HEAD_BYTES, _CANVAS_BYTES = 12, 10
_LOSSY, _LOSSLESS, _ALPHA = b"VP8 ", b"VP8L", b"ALPH"
_EXTENDED, _PROFILE, _EXIF, _XMP = b"VP8X", b"ICCP", b"EXIF", b"XMP "
_MOVING = frozenset({b"ANIM", b"ANMF"})
_KNOWN = frozenset(
    {b"RIFF", _LOSSY, _LOSSLESS, _ALPHA, _EXTENDED, _PROFILE, _EXIF, _XMP, b"C2PA"}
)
# Flags of the extended header.
_MOVES, _HAS_XMP, _HAS_EXIF, _HAS_ALPHA = 0x02, 0x04, 0x08, 0x10
_LOSSY_START, _LOSSLESS_START = b"\x9d\x01\x2a", b"\x2f"
_SIDE_BITS = 0x3FFF


def parts(data: bytes) -> list[Part]:
    """Return the file header and the chunks of a WebP.

    Raises:
        InputError: it is not a WebP, or a chunk does not fit into the file.
    """
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        raise InputError("not a WebP picture", "file")
    end = 8 + int.from_bytes(data[4:8], "little")
    found, place = [Part(b"RIFF", 0, 8, _HEAD_BYTES)], _HEAD_BYTES
    while place + 8 <= end <= len(data):
        size = int.from_bytes(data[place + 4 : place + 8], "little")
        behind = place + 8 + size + size % 2
        found.append(Part(data[place : place + 4], place, place + 8, behind))
        place = behind
    if place != end or len(found) == 1:
        raise damaged("WebP")
    return found


def size(data: bytes, parts: list[Part]) -> tuple[int, int]:
    """Return width and height: of the canvas and of the one bitstream, both alike.

    Raises:
        InputError: they differ, or there is not exactly one of each.
    """
    streams = [part for part in parts if part.kind in (_LOSSY, _LOSSLESS)]
    canvases = [part for part in parts if part.kind == _EXTENDED]
    sizes = [_stream_size(data, part) for part in streams]
    if any(_canvas_size(data, part) not in sizes for part in canvases):
        raise InputError("the picture states more than one size", "file")
    return one_size(sizes)


def is_moving(data: bytes, parts: list[Part]) -> bool:
    """Tell whether there are frames, or the extended header says so."""
    if any(part.kind in _MOVING for part in parts):
        return True
    heads = [data[p.body : p.end] for p in parts if p.kind == _EXTENDED]
    return any(head and head[0] & _MOVES for head in heads)


def idle(data: bytes, parts: list[Part]) -> bytes:
    """Return the bytes that no reader of pictures looks at."""
    return b"".join(data[p.body : p.end] for p in parts if p.kind not in _KNOWN)


def _stream_size(data: bytes, part: Part) -> tuple[int, int]:
    body = data[part.body : part.end]
    try:
        if part.kind == _LOSSLESS and body.startswith(_LOSSLESS_START):
            (bits,) = struct.unpack_from("<I", body, 1)
            return 1 + (bits & _SIDE_BITS), 1 + (bits >> 14 & _SIDE_BITS)
        if part.kind == _LOSSY and body.startswith(_LOSSY_START, 3):
            width, height = struct.unpack_from("<HH", body, 6)
            return width & _SIDE_BITS, height & _SIDE_BITS
    except struct.error:
        pass
    raise damaged("WebP")


def _canvas_size(data: bytes, part: Part) -> tuple[int, int]:
    body = data[part.body : part.end]
    if len(body) < _CANVAS_BYTES:
        raise damaged("WebP")
    width, height = (int.from_bytes(body[at : at + 3], "little") for at in (4, 7))
    return width + 1, height + 1


def carried(data: bytes, parts: list[Part]) -> Carried:
    """Return Exif and XMP, and whether there is a profile or a chunk of no standard."""
    return Carried(
        exif=_first(data, parts, _EXIF).removeprefix(b"Exif\0\0"),
        xmp=_first(data, parts, _XMP),
        comment=any(part.kind not in _KNOWN for part in parts),
        profile=any(part.kind == _PROFILE for part in parts),
    )


def _first(data: bytes, parts: list[Part], kind: bytes) -> bytes:
    for part in parts:
        if part.kind == kind:
            size = int.from_bytes(data[part.body - 4 : part.body], "little")
            return data[part.body : part.body + size]
    return b""


def with_xmp(data: bytes, parts: list[Part], packet: bytes) -> bytes:
    """Return the picture with this XMP packet in the place of the one it had."""
    cuts = [(p.start, p.end, b"") for p in parts if p.kind == _XMP]
    return _changed(data, parts, cuts, {_XMP: packet})


def bare(data: bytes, parts: list[Part], exif: bytes) -> bytes:
    """Return the picture with its pixels and profile alone, and this Exif if any."""
    needed = {b"RIFF", _EXTENDED, _PROFILE, _ALPHA, _LOSSY, _LOSSLESS}
    cuts = [(p.start, p.end, b"") for p in parts if p.kind not in needed]
    cuts.append((parts[-1].end, len(data), b""))
    return _changed(data, parts, cuts, {_EXIF: exif} if exif else {})


def _changed(
    data: bytes,
    parts: list[Part],
    cuts: list[tuple[int, int, bytes]],
    new: dict[bytes, bytes],
) -> bytes:
    """Cut chunks, put new ones behind the others, and make the headers agree."""
    end = parts[-1].end
    added = b"".join(_chunk(kind, body) for kind, body in new.items())
    gone = {start for start, _, _ in cuts}
    kinds = {part.kind for part in parts if part.start not in gone} | new.keys()
    changes = [*cuts, (end, end, added), _header(data, parts, kinds)]
    tail = 0 if end in gone else len(data) - end
    result = bytearray(splice(data, changes))
    struct.pack_into("<I", result, 4, len(result) - tail - 8)
    return bytes(result)


def _header(
    data: bytes, parts: list[Part], kinds: set[int | bytes]
) -> tuple[int, int, bytes]:
    """Return the change that makes the extended header say what is there."""
    old = next((part for part in parts if part.kind == _EXTENDED), None)
    if old:
        start, end = old.start, old.end
        flags, rest = data[old.body], data[old.body + 1 : old.end]
    elif kinds & {_EXIF, _XMP}:
        start = end = _HEAD_BYTES
        width, height = size(data, parts)
        sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
        flags, rest = _HAS_ALPHA * _is_clear(data, parts), bytes(3) + sides
    else:
        return _HEAD_BYTES, _HEAD_BYTES, b""
    for kind, flag in ((_XMP, _HAS_XMP), (_EXIF, _HAS_EXIF)):
        flags = flags | flag if kind in kinds else flags & ~flag
    return start, end, _chunk(_EXTENDED, bytes([flags]) + rest)


def _is_clear(data: bytes, parts: list[Part]) -> bool:
    """Tell whether the one bitstream of a simple file says that it has an alpha."""
    stream = next((part for part in parts if part.kind == _LOSSLESS), None)
    return stream is not None and bool(data[stream.body + 4] & 0x10)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)
