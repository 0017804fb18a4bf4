"""Walk, read and write the blocks of a GIF picture.

One frame that fills the screen is a picture; several are a film, and a smaller one
leaves open what surrounds it.

Source: GIF89a specification; XMP part 3, section 1.1.2 (GIF).
"""

from __future__ import annotations

import struct

from colophon.errors import InputError
from colophon.parts import Carried, Part, damaged, one_size, splice

_STARTS = (b"GIF87a", b"GIF89a")
_SCREEN, _FRAME = struct.Struct("<HHBBB"), struct.Struct("<HHHHB")
_HEAD, _IMAGE, _END, _EXTENSION = b"GIF", b",", b";", 0x21
_CONTROL, _TEXT, _COMMENT, _APP = b"\xf9", b"\x01", b"\xfe", b"\xff"
# Applications: the name of eleven bytes belongs to the kind.
_NAME_BYTES = 11
_XMP, _PROFILE = b"\xffXMP DataXMP", b"\xffICCRGBG1012"
_KNOWN_APPS = frozenset({_XMP, _PROFILE, b"\xffNETSCAPE2.0", b"\xffC2PA_GIF\x01\0\0"})
# Whatever length a reader takes a byte of the packet for, it lands on the last zero.
_XMP_TRAILER = b"\x01" + bytes(range(255, -1, -1)) + b"\0"
_BLOCK_HEAD = 3  # introducer, label and the length of the first sub-block


def parts(data: bytes) -> list[Part]:
    """Return the header with its palette, and the blocks up to the end mark.

    Raises:
        InputError: it is not a GIF, or ends before its end mark.
    """
    if not data.startswith(_STARTS):
        raise InputError("not a GIF picture", "file")
    try:
        flags = _SCREEN.unpack_from(data, 6)[2]
        place = 6 + _SCREEN.size + _palette_bytes(flags)
        found = [Part(_HEAD, 0, 6, place)]
        while found[-1].kind != _END:
            found.append(_block(data, found[-1].end))
    except (struct.error, IndexError) as error:
        raise damaged("GIF") from error
    return found


def _block(data: bytes, place: int) -> Part:
    if data[place] == _END[0]:
        return Part(_END, place, place + 1, place + 1)
    if data[place] == _IMAGE[0]:
        flags = _FRAME.unpack_from(data, place + 1)[4]
        coded = place + 1 + _FRAME.size + _palette_bytes(flags) + 1
        return Part(_IMAGE, place, place + 1, _sub_blocks(data, coded))
    if data[place] != _EXTENSION:
        raise damaged("GIF")
    kind, body = data[place + 1 : place + 2], place + _BLOCK_HEAD
    if kind == _APP:
        kind += data[body : body + _NAME_BYTES]
        body += _NAME_BYTES
    return Part(kind, place, body, _sub_blocks(data, place + 2))


def _sub_blocks(data: bytes, place: int) -> int:
    """Return the place behind the sub-blocks that begin here."""
    while data[place]:
        place += 1 + data[place]
    return place + 1


def _palette_bytes(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def is_moving(_: bytes, parts: list[Part]) -> bool:
    """Tell whether there is more than one frame."""
    return sum(part.kind == _IMAGE for part in parts) > 1


def size(data: bytes, parts: list[Part]) -> tuple[int, int]:
    """Return width and height, of the screen and of the frame that fills it.

    Raises:
        InputError: there is no frame, or it does not fill the screen.
    """
    width, height, *_ = _SCREEN.unpack_from(data, 6)
    frames = [_FRAME.unpack_from(data, p.body)[:4] for p in parts if p.kind == _IMAGE]
    stated = one_size([(right, bottom) for _, _, right, bottom in frames])
    if frames[0] != (0, 0, width, height):
        raise InputError("the picture does not fill its frame; save it again", "file")
    return stated


def idle(data: bytes, parts: list[Part]) -> bytes:
    """Return what is there for applications that nobody knows."""
    return b"".join(data[p.body : p.end] for p in parts if _is_odd(p))


def _is_odd(part: Part) -> bool:
    kind = part.kind
    return isinstance(kind, bytes) and kind[:1] == _APP and kind not in _KNOWN_APPS


def carried(data: bytes, parts: list[Part]) -> Carried:
    """Return the XMP, and whether there are comments or a profile."""
    packets = [data[p.body : p.end] for p in parts if p.kind == _XMP]
    return Carried(
        xmp=packets[0].removesuffix(_XMP_TRAILER) if packets else b"",
        comment=any(p.kind in (_COMMENT, _TEXT) or _is_odd(p) for p in parts),
        profile=any(part.kind == _PROFILE for part in parts),
    )


def with_xmp(data: bytes, parts: list[Part], packet: bytes) -> bytes:
    """Return the picture with this XMP packet in the place of the one it had.

    Raises:
        InputError: the packet holds a zero byte, which would end the block.
    """
    if b"\0" in packet:
        raise InputError("the picture's own XMP is damaged; save it again", "file")
    cuts = [(p.start, p.end, b"") for p in parts if p.kind == _XMP]
    place = parts[0].end
    new = bytes([_EXTENSION]) + _XMP[:1] + bytes([_NAME_BYTES]) + _XMP[1:]
    block = new + packet + _XMP_TRAILER
    # Extensions came with the second version.
    return splice(data, [(0, 6, _STARTS[1]), *cuts, (place, place, block)])


def bare(data: bytes, parts: list[Part], _: bytes) -> bytes:
    """Return the picture with its frame, transparency and profile alone."""
    needed = {_HEAD, _CONTROL, _IMAGE, _PROFILE, _END}
    cuts = [(p.start, p.end, b"") for p in parts if p.kind not in needed]
    return splice(data, [*cuts, (parts[-1].end, len(data), b"")])
