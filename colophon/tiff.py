"""Walk, read and write the directory of a TIFF picture of one page.

A TIFF points to its data wherever it lies, so that its end is the end of the last
thing it points to, and what nothing points to is padding. Metadata are written by a
new directory behind the picture; strips and tiles stay where they are.

Source: TIFF revision 6.0; TIFF technical notes 1 and 2; CIPA DC-008 (Exif).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from colophon.errors import InputError
from colophon.parts import Carried, Part, damaged

_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}
_HEAD_BYTES, _ENTRY_BYTES, _INLINE_BYTES = 8, 12, 4
# Bytes of one value by its type; 13 is a pointer to a directory.
_TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8}
_TYPE_BYTES |= {11: 4, 12: 8, 13: 4}
_UNSIGNED = {1: "B", 3: "H", 4: "I", 13: "I"}
_BYTE = 1
_WIDTH, _HEIGHT, _BITS, _PACKING, _COLORS = 256, 257, 258, 259, 262
_ROWS, _TILE_WIDTH, _TILE_HEIGHT, _DESCRIPTION = 278, 322, 323, 270
_ORIENTATION, _PLANES, _PAGES, _FORMAT = 274, 284, 330, 339
_DATA = ((273, 279), (324, 325))  # where strips and tiles lie, and their lengths
_XMP, _PROFILE, _IPTC = 700, 34675, frozenset({33723, 34377})
# Pointers to the directories of Exif.
_DEEPER = 40965
_POINTERS = frozenset({34665, 34853, _DEEPER})
# Description, make, model, software, time, artist, host, copyright, and Exif's own.
_TELLING = frozenset({_DESCRIPTION, 271, 272, 305, 306, 315, 316, 33432, *_POINTERS})
# What it takes to show the picture: besides the named ones fill order, strips, samples
# per pixel, resolution, predictor, palette, tiles, kind of alpha, JPEG tables, YCbCr.
_NEEDED = frozenset(
    {254, 266, 273, 277, 279, 282, 283, 296, 317, 320, 324, 325, 338, 347}
    | {_WIDTH, _HEIGHT, _BITS, _PACKING, _COLORS, _ROWS, _TILE_WIDTH, _TILE_HEIGHT}
    | {_ORIENTATION, _PLANES, _FORMAT, _PROFILE, 529, 530, 531, 532}
)
_SIDEWAYS = range(5, 9)
# None, LZW, JPEG, Deflate by both numbers, PackBits.
_PACKINGS = frozenset({1, 5, 7, 8, 32946, 32773})
_DEPTHS, _DEEP = frozenset({1, 2, 4, 8, 16}), 16
# Gray from white, gray, RGB, palette, CMYK, YCbCr.
_WHITE_IS_ZERO, _KINDS = 0, frozenset({0, 1, 2, 3, 5, 6})
# So that hostile tables stay cheap; 50 megapixels in tiles of 16 are fewer.
_MOST_ENTRIES, _MOST_NUMBERS = 4096, 1 << 18


@dataclass(frozen=True)
class _Entry:
    """One entry of a directory; `start` is where its value lies, even if inside."""

    tag: int
    kind: int
    count: int
    raw: bytes  # the twelve bytes
    start: int
    end: int


@dataclass(frozen=True)
class _Directory:
    order: str
    start: int
    end: int
    entries: tuple[_Entry, ...]

    def find(self, tag: int) -> _Entry | None:
        """Return the entry of a tag, if there is one."""
        return next((entry for entry in self.entries if entry.tag == tag), None)


def parts(data: bytes) -> list[Part]:
    """Return the header and what lies behind it, up to the picture's end.

    Raises:
        InputError: it is not a TIFF, of several pages, or points outside of itself.
    """
    if data[:4] not in _ORDERS:
        raise InputError("not a TIFF picture", "file")
    first = _first(data)
    end = max(stop for _, stop in _ranges(data, first))
    return [Part(b"head", 0, 4, _HEAD_BYTES), Part(b"body", _HEAD_BYTES, 8, end)]


def _first(data: bytes) -> _Directory:
    try:
        order = _ORDERS[data[:4]]
        (place,) = struct.unpack_from(order + "I", data, 4)
        first = _directory(data, order, place)
        (more,) = struct.unpack_from(order + "I", data, first.end - 4)
    except struct.error as error:
        raise damaged("TIFF") from error
    if more or first.find(_PAGES):
        raise InputError("the TIFF holds several pictures; save one of them", "file")
    return first


def _directory(data: bytes, order: str, place: int) -> _Directory:
    (count,) = struct.unpack_from(order + "H", data, place)
    end = place + 2 + count * _ENTRY_BYTES + 4
    if count > _MOST_ENTRIES or end > len(data) or place < _HEAD_BYTES:
        raise damaged("TIFF")
    entries = []
    for at in range(place + 2, end - 4, _ENTRY_BYTES):
        tag, kind, number, value = struct.unpack_from(order + "HHII", data, at)
        size = _TYPE_BYTES.get(kind, 0) * number
        start = at + 8 if size <= _INLINE_BYTES else value
        if start + size > len(data):
            raise damaged("TIFF")
        raw = data[at : at + _ENTRY_BYTES]
        entries.append(_Entry(tag, kind, number, raw, start, start + size))
    if len({entry.tag for entry in entries}) != count:
        raise damaged("TIFF")
    return _Directory(order, place, end, tuple(entries))


def _numbers(data: bytes, directory: _Directory, tag: int) -> tuple[int, ...]:
    """Return the unsigned numbers of a tag; none where it is missing or no number."""
    entry = directory.find(tag)
    if entry is None or entry.kind not in _UNSIGNED:
        return ()
    if entry.count > _MOST_NUMBERS:
        raise damaged("TIFF")
    form = f"{directory.order}{entry.count}{_UNSIGNED[entry.kind]}"
    return struct.unpack(form, data[entry.start : entry.end])


def _ranges(data: bytes, first: _Directory) -> Iterator[tuple[int, int]]:
    """Yield what the header points to, directly or not: all that is no padding.

    Raises:
        InputError: a strip, a tile or a directory lies outside of the file.
    """
    yield from _own(first, first.entries)
    yield from _picture(data, first)
    try:
        for tag in _POINTERS:
            for place in _numbers(data, first, tag)[:1]:
                below = _directory(data, first.order, place)
                yield from _own(below, below.entries)
                for deeper in _numbers(data, below, _DEEPER)[:1]:
                    last = _directory(data, first.order, deeper)
                    yield from _own(last, last.entries)
    except struct.error as error:
        raise damaged("TIFF") from error


def _own(directory: _Directory, entries: Iterable[_Entry]) -> Iterator[tuple[int, int]]:
    yield directory.start, directory.end
    yield from ((entry.start, entry.end) for entry in entries)


def _outside(entries: Iterable[_Entry]) -> list[tuple[int, int]]:
    """Return where values lie that are too long for their entries."""
    ranges = [(entry.start, entry.end) for entry in entries]
    return [(start, end) for start, end in ranges if end - start > _INLINE_BYTES]


def _picture(data: bytes, first: _Directory) -> list[tuple[int, int]]:
    """Return where the strips or tiles lie."""
    found = []
    for places, lengths in _DATA:
        starts = _numbers(data, first, places)
        sizes = _numbers(data, first, lengths)
        if len(starts) != len(sizes):
            raise damaged("TIFF")
        found += [(at, at + size) for at, size in zip(starts, sizes, strict=True)]
    if not found or any(end > len(data) for _, end in found):
        raise damaged("TIFF")
    return found


def size(data: bytes, _: list[Part]) -> tuple[int, int]:
    """Return width and height of the upright picture.

    Raises:
        InputError: no size, or samples or packing that are not taken.
    """
    first = _first(data)
    width, height = (_numbers(data, first, tag)[:1] for tag in (_WIDTH, _HEIGHT))
    if not width or not height:
        raise InputError("the picture states no size", "file")
    _check_samples(data, first)
    _check_pieces(data, first, width[0], height[0])
    turned = _numbers(data, first, _ORIENTATION)
    if turned and turned[0] in _SIDEWAYS:
        width, height = height, width
    return width[0], height[0]


def _check_samples(data: bytes, first: _Directory) -> None:
    """Refuse what the decoder would show wrongly, or should better not unpack."""
    packing = _numbers(data, first, _PACKING) or (1,)
    if not _PACKINGS.issuperset(packing):
        raise InputError(
            "a TIFF may be packed by LZW, Deflate, PackBits, JPEG or not at all;"
            " save it so",
            "file",
        )
    depths = set(_numbers(data, first, _BITS) or (1,))
    colors = set(_numbers(data, first, _COLORS))
    planes = _numbers(data, first, _PLANES) or (1,)
    if (
        len(depths) != 1
        or not depths <= _DEPTHS
        or len(colors) != 1
        or not colors <= _KINDS
        or {*_numbers(data, first, _FORMAT), *planes} - {1}
        or (colors == {_WHITE_IS_ZERO} and depths == {_DEEP})
    ):
        raise InputError(
            "the TIFF must hold gray, RGB or CMYK of 8 or 16 bits, all samples of a"
            " pixel together; save it so",
            "file",
        )


def _check_pieces(data: bytes, first: _Directory, width: int, height: int) -> None:
    """Refuse strips or tiles that do not cover the picture exactly.

    Raises:
        InputError: too few or too many: readers would fill in what they like.
    """
    across, down = width, (_numbers(data, first, _ROWS) or (height,))[0]
    if sides := _numbers(data, first, _TILE_WIDTH):
        across, down = sides[0], (_numbers(data, first, _TILE_HEIGHT) or (0,))[0]
    if not width or not height:
        return  # refused for that
    if across < 1 or down < 1:
        raise damaged("TIFF")
    expected = -(-width // across) * -(-height // down)
    if len(_picture(data, first)) != expected:
        raise damaged("TIFF")


def idle(data: bytes, parts: list[Part]) -> bytes:
    """Return the bytes that nothing points to."""
    known = _ranges(data, _first(data))
    return b"".join(data[a:b] for a, b in _gaps(known, parts[-1].end))


def _gaps(known: Iterable[tuple[int, int]], end: int) -> Iterator[tuple[int, int]]:
    """Yield the ranges behind the header that none of these covers."""
    place = _HEAD_BYTES
    for start, stop in sorted(known):
        if start > place:
            yield place, start
        place = max(place, stop)
    if place < end:
        yield place, end


def carried(data: bytes, _: list[Part]) -> Carried:
    """Return what is beside the pixels; a TIFF that tells something is Exif itself."""
    first = _first(data)
    tags = {entry.tag for entry in first.entries}
    packet = first.find(_XMP)
    return Carried(
        exif=data if tags & _TELLING else b"",
        xmp=data[packet.start : packet.end] if packet else b"",
        iptc=bool(tags & _IPTC),
        comment=_DESCRIPTION in tags,
        profile=_PROFILE in tags,
    )


def with_xmp(data: bytes, parts: list[Part], packet: bytes) -> bytes:
    """Return the picture with this XMP packet in the place of the one it had."""
    first, end = _first(data), parts[-1].end
    old = first.find(_XMP)
    kept = [entry for entry in first.entries if entry.tag != _XMP]
    gone = [(first.start, first.end)]
    if old and old.end - old.start > _INLINE_BYTES:
        gone.append((old.start, old.end))
    erased = _without(data, gone, [*_outside(kept), *_picture(data, first)])
    place = end + end % 2
    body = packet + bytes(len(packet) % 2)
    entry = struct.pack(first.order + "HHII", _XMP, _BYTE, len(packet), place)
    entries = [one.raw for one in kept]
    new = _table(first.order, [*entries, entry])
    head = _head(first, place + len(body))
    return head + erased[_HEAD_BYTES:end] + bytes(end % 2) + body + new + data[end:]


def bare(data: bytes, _: list[Part], __: bytes) -> bytes:
    """Return the picture with what is needed to show it; all else becomes zeros."""
    first = _first(data)
    kept = [entry for entry in first.entries if entry.tag in _NEEDED]
    known = [*_outside(kept), *_picture(data, first)]
    end = max(stop for _, stop in known)
    place = end + end % 2
    gone = [*_gaps(known, end)]
    rest = _without(data, gone, [])[_HEAD_BYTES:end] + bytes(end % 2)
    return _head(first, place) + rest + _table(first.order, [one.raw for one in kept])


def _without(
    data: bytes, gone: list[tuple[int, int]], kept: list[tuple[int, int]]
) -> bytes:
    """Return the data with ranges made zeros, but for what others share."""
    out = bytearray(data)
    for start, end in gone:
        if not any(at < end and start < stop for at, stop in kept if at < stop):
            out[start:end] = bytes(end - start)
    return bytes(out)


def _head(first: _Directory, place: int) -> bytes:
    mark = next(mark for mark, order in _ORDERS.items() if order == first.order)
    return mark + struct.pack(first.order + "I", place)


def _table(order: str, entries: list[bytes]) -> bytes:
    """Return a directory; readers expect its entries in the order of their tags."""
    ordered = sorted(entries, key=lambda raw: struct.unpack_from(order + "H", raw))
    return struct.pack(order + "H", len(entries)) + b"".join(ordered) + bytes(4)
