"""Walk, read and write the items of an AVIF picture.

Coded data is never touched. Metadata are items beside the picture: one is added by
writing the table of items again and moving the offsets by what the table grew.

Source: AV1 Image File Format 1.1; ISO/IEC 23008-12 (HEIF), section 6 and annex A.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, replace

from colophon import av1, bmff
from colophon.bmff import Item, Place
from colophon.errors import InputError
from colophon.parts import Carried, Part, damaged, one_size, splice

_TYPE, _META, _DATA, _MOVIE = b"ftyp", b"meta", b"mdat", b"moov"
_IDLE = frozenset({b"free", b"skip"})
_TOP = frozenset({_TYPE, _META, _DATA, _MOVIE, b"uuid", *_IDLE})
_SEQUENCE = b"avis"
_CODED, _EXTENT = b"av01", struct.Struct(">4xII")
_EXIF, _MIME, _XMP = b"Exif", b"mime", b"application/rdf+xml"
_PROFILES = frozenset({b"prof", b"rICC"})
# So that hostile tables stay cheap; a picture in tiles has a few hundred.
_MOST_TABLE_BYTES, _MOST_EXTENTS = 4 << 20, 4096
# Items that are metadata, and no picture or part of one.
_METADATA = frozenset({_EXIF, _MIME, b"uri "})


@dataclass(frozen=True)
class _Meta:
    """The `meta` box, read."""

    part: Part
    boxes: dict[int | bytes, Part]
    primary: int
    items: dict[int, Item]
    places: dict[int, Place]


def parts(data: bytes) -> list[Part]:
    """Return the boxes of an AVIF up to the first that is none of its kinds.

    Raises:
        InputError: it is not an AVIF, or a box does not fit into the file.
    """
    found: list[Part] = []
    place = 0
    while data[place + 4 : place + 8] in _TOP:
        found.append(bmff.box_at(data, place, len(data)))
        place = found[-1].end
    kinds = [part.kind for part in found]
    if not found or kinds[0] != _TYPE or kinds.count(_META) != 1:
        raise damaged(bmff.NAME)
    return found


def is_moving(data: bytes, parts: list[Part]) -> bool:
    """Tell whether there is a movie, or the file says so."""
    brands = data[parts[0].body : parts[0].end]
    return _SEQUENCE in brands or any(part.kind == _MOVIE for part in parts)


def idle(data: bytes, parts: list[Part]) -> bytes:
    """Return the bytes that no reader of pictures looks at."""
    return b"".join(data[p.body : p.end] for p in parts if p.kind in _IDLE)


def size(data: bytes, parts: list[Part]) -> tuple[int, int]:
    """Return width and height of the primary item, before it is turned.

    Raises:
        InputError: none or several, a cut-out of it, data outside of the file, or an
            item that states another size than its coded data.
    """
    meta = _read(data, parts)
    properties = _properties(data, meta)
    for number, item in meta.items.items():
        if item.kind == _CODED:
            stated = _stated(data, properties.get(number, []))
            coded = _content(data, meta, number)
            if av1.frame_sizes(coded) != set(stated):
                raise InputError("the picture states more than one size", "file")
    mine = properties.get(meta.primary, [])
    if any(part.kind == b"clap" for part in mine):
        raise InputError("the picture shows a cut-out of itself; save it again", "file")
    return one_size(_stated(data, mine))


def _stated(data: bytes, properties: list[Part]) -> list[tuple[int, int]]:
    """Return the sizes that an item's properties state."""
    bodies = [data[p.body : p.end] for p in properties if p.kind == b"ispe"]
    if any(len(body) != _EXTENT.size for body in bodies):
        raise damaged(bmff.NAME)
    return [(width, height) for width, height in map(_EXTENT.unpack, bodies)]


def carried(data: bytes, parts: list[Part]) -> Carried:
    """Return Exif and XMP, and whether there is a profile.

    Exif does not turn an AVIF, its own properties do: the tag is no orientation.
    """
    meta = _read(data, parts)
    exif = _find(data, meta, lambda item: item.kind == _EXIF)
    start = 4 + int.from_bytes(exif[:4])
    colors = [part for part in _all_properties(data, meta) if part.kind == b"colr"]
    return Carried(
        exif=exif[start:],
        xmp=_find(data, meta, _is_xmp),
        comment=any(i.kind == b"uri " for i in meta.items.values()),
        profile=any(data[p.body : p.body + 4] in _PROFILES for p in colors),
    )


def with_xmp(data: bytes, parts: list[Part], packet: bytes) -> bytes:
    """Return the picture with this XMP packet in the place of the one it had."""
    meta = _read(data, parts)
    gone = {number for number, item in meta.items.items() if _is_xmp(item)}
    return _changed(data, parts, gone, [], packet)


def bare(data: bytes, parts: list[Part], _: bytes) -> bytes:
    """Return the picture alone; what turns it is a property and stays."""
    meta = _read(data, parts)
    gone = {n for n, item in meta.items.items() if item.kind in _METADATA}
    needed = (_TYPE, _META, _DATA)
    cuts = [(p.start, p.end, b"") for p in parts if p.kind not in needed]
    return _changed(data, parts, gone, [*cuts, (parts[-1].end, len(data), b"")], b"")


def _is_xmp(item: Item) -> bool:
    return item.kind == _MIME and item.content == _XMP


def _read(data: bytes, parts: list[Part]) -> _Meta:
    part = next(part for part in parts if part.kind == _META)
    if part.end - part.start > _MOST_TABLE_BYTES:
        raise damaged(bmff.NAME)
    inside = bmff.boxes(data, part.body + 4, part.end)
    boxes = {one.kind: one for one in inside}
    if len(boxes) != len(inside) or not boxes.keys() >= {b"iinf", b"iloc", b"pitm"}:
        raise damaged(bmff.NAME)
    primary = bmff.Cursor(data, boxes[b"pitm"])
    meta = _Meta(
        part,
        boxes,
        primary.number(4 if primary.number(4) >> 24 else 2),
        bmff.items(data, boxes[b"iinf"]),
        bmff.places(data, boxes[b"iloc"]),
    )
    _check_places(data, parts, meta)
    return meta


def _check_places(data: bytes, parts: list[Part], meta: _Meta) -> None:
    """Refuse data outside of the file, and data that is told again and again."""
    total, idat = 0, meta.boxes.get(b"idat")
    count = sum(1 + len(place.extents) for place in meta.places.values())
    if count + len(meta.items) > 2 * _MOST_EXTENTS:
        raise InputError("the AVIF picture is in too many pieces", "file")
    for place in meta.places.values():
        end = parts[-1].end
        if not place.in_file:
            end = idat.end - idat.body if idat else 0
        if any(offset + length > end for offset, length in place.extents):
            raise damaged(bmff.NAME)
        total += sum(length for _, length in place.extents)
    if total > len(data):
        raise damaged(bmff.NAME)


def _find(data: bytes, meta: _Meta, wanted: Callable[[Item], bool]) -> bytes:
    """Return the bytes of the first item that is wanted."""
    for number, item in meta.items.items():
        if wanted(item):
            return _content(data, meta, number)
    return b""


def _content(data: bytes, meta: _Meta, number: int) -> bytes:
    place = meta.places.get(number, Place(0, ()))
    start = 0 if place.in_file else meta.boxes[b"idat"].body
    ranges = [(start + offset, length) for offset, length in place.extents]
    return b"".join(data[at : at + length] for at, length in ranges)


def _all_properties(data: bytes, meta: _Meta) -> list[Part]:
    if b"iprp" not in meta.boxes:
        raise damaged(bmff.NAME)
    iprp = meta.boxes[b"iprp"]
    inside = bmff.boxes(data, iprp.body, iprp.end)
    if [part.kind for part in inside] != [b"ipco", b"ipma"]:
        raise damaged(bmff.NAME)
    return [*bmff.boxes(data, inside[0].body, inside[0].end), inside[1]]


def _properties(data: bytes, meta: _Meta) -> dict[int, list[Part]]:
    """Return the properties of each item."""
    *known, table = _all_properties(data, meta)
    cursor = bmff.Cursor(data, table)
    flags = cursor.number(4)
    found: dict[int, list[Part]] = {}
    for _ in range(cursor.number(4)):
        mine = found.setdefault(cursor.number(4 if flags >> 24 else 2), [])
        for _ in range(cursor.number(1)):
            index = cursor.number(2) & 0x7FFF if flags & 1 else cursor.number(1) & 0x7F
            if 0 < index <= len(known):
                mine.append(known[index - 1])
    return found


def _changed(
    data: bytes,
    parts: list[Part],
    gone: set[int],
    cuts: list[tuple[int, int, bytes]],
    packet: bytes,
) -> bytes:
    """Take items and ranges out, add an XMP packet if any, and move the offsets."""
    meta, end = _read(data, parts), parts[-1].end
    changes = [*cuts, *_erased(parts, meta, gone)]
    added = bmff.box(_DATA, packet) if packet else b""
    places = {n: place for n, place in meta.places.items() if n not in gone}
    new = max([*meta.items, *meta.places]) + 1 if packet else None
    if new:
        places[new] = Place(0, ((end, len(added)),))
    # The size of the table does not depend on the offsets in it.
    head = (meta.part.start, meta.part.end)
    changes.append((*head, _table(data, meta, gone, new, places)))
    moved = {number: _moved(place, changes) for number, place in places.items()}
    if new:
        start = _moved(places[new], changes).extents[0][0]
        moved[new] = Place(0, ((start + 8, len(packet)),))
    changes[-1] = (*head, _table(data, meta, gone, new, moved))
    return splice(data, [*changes, (end, end, added)])


def _erased(
    parts: list[Part], meta: _Meta, gone: set[int]
) -> list[tuple[int, int, bytes]]:
    """Return the changes that erase the data of items: a box of its own goes whole."""
    alone = {(part.body, part.end): part for part in parts if part.kind == _DATA}
    kept = [place for number, place in meta.places.items() if number not in gone]
    changes = {}
    for number in gone & meta.places.keys():
        place = meta.places[number]
        start = 0 if place.in_file else meta.boxes[b"idat"].body
        for offset, length in place.extents:
            piece = (offset + start, offset + start + length)
            part = alone.get(piece)
            if part:
                changes[piece] = (part.start, part.end, b"")
            elif place.in_file and not _is_shared(kept, *piece):
                changes[piece] = (*piece, bytes(length))
    return list(changes.values())


def _is_shared(kept: list[Place], start: int, end: int) -> bool:
    return any(
        place.in_file and offset < end and start < offset + length
        for place in kept
        for offset, length in place.extents
    )


def _moved(place: Place, changes: list[tuple[int, int, bytes]]) -> Place:
    """Return where an item lies after the changes."""
    if not place.in_file:
        return place

    def after(offset: int) -> int:
        before = [c for c in changes if c[1] <= offset]
        return offset + sum(len(piece) - (end - start) for start, end, piece in before)

    extents = tuple((after(offset), length) for offset, length in place.extents)
    return replace(place, extents=extents)


def _table(
    data: bytes, meta: _Meta, gone: set[int], new: int | None, places: dict[int, Place]
) -> bytes:
    """Return the `meta` box with some items gone and one new."""
    entries = [item.entry for n, item in meta.items.items() if n not in gone]
    refs, version = [], 0
    if b"iref" in meta.boxes:
        refs = bmff.references(data, meta.boxes[b"iref"])
        version = data[meta.boxes[b"iref"].body]
    told = [whole for number, whole in refs if number not in gone]
    if new:
        if new > bmff.MAX_ITEM:
            raise damaged(bmff.NAME)
        entries.append(bmff.infe(new, _XMP))
        form = ">IHI" if version else ">HHH"
        told.append(bmff.box(b"cdsc", struct.pack(form, new, 1, meta.primary)))
    written = {
        b"iinf": bmff.iinf(entries),
        b"iloc": bmff.iloc(places),
        b"iref": bmff.box(b"iref", bytes([version, 0, 0, 0]) + b"".join(told)),
    }
    if not told:
        written[b"iref"] = b""
    kept = [
        written.pop(kind, data[part.start : part.end])
        for kind, part in meta.boxes.items()
        if isinstance(kind, bytes)
    ]
    version_and_flags = data[meta.part.body : meta.part.body + 4]
    return bmff.box(_META, version_and_flags + b"".join([*kept, *written.values()]))
