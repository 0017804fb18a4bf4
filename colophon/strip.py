"""Take everything out of a picture that is not needed to show it.

For an uploader who chose to remove what the metadata gives away. Pixels are not
decoded; orientation and color profile stay, because the picture would look different
without them. An older credential goes too (it would not hold any more): sign the
result with the original as parent, and nothing of its history is lost.

Source: ITU-T T.81 annex B; W3C PNG third edition, section 11; CIPA DC-008; RFC 9649.
"""

from __future__ import annotations

import struct

from colophon import avif, gif, tiff, webp
from colophon.containers import parts_of, png_chunk
from colophon.findings import (
    APP1,
    APP2,
    COM,
    EXIF_HEAD,
    ORIENTATION_TAG,
    PROFILE_HEAD,
    orientation,
)
from colophon.formats import AVIF, GIF, JPEG, PNG, TIFF, WEBP
from colophon.parts import Part, splice

# JFIF and Adobe segments say how to decode; profiles say how to show.
_APP0, _APP14, _LAST_APP = 0xE0, 0xEE, 0xEF
_NEEDED_CHUNKS = frozenset(
    {
        *(b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS"),
        *(b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"cICP", b"sBIT", b"pHYs"),
    }
)
_SHORT = 3  # Exif type of a 16-bit number


def strip_metadata(data: bytes, mime: str) -> bytes:
    """Return a picture with its pixels, orientation and profile alone.

    What hangs behind the picture's end goes as well.

    Raises:
        InputError: the picture is damaged.
    """
    parts = parts_of(data, mime)
    turned = orientation(data, mime, parts)
    return _STRIPPERS[mime](data, parts, _turn(turned) if turned != 1 else b"")


def _bare_jpeg(data: bytes, parts: list[Part], exif: bytes) -> bytes:
    body = EXIF_HEAD + exif
    new = b"\xff\xe1" + (len(body) + 2).to_bytes(2) + body if exif else b""
    return _kept(data, parts, [p for p in parts if _needed_in_jpeg(data, p)], new)


def _bare_png(data: bytes, parts: list[Part], exif: bytes) -> bytes:
    new = png_chunk(b"eXIf", exif) if exif else b""
    return _kept(data, parts, [p for p in parts if p.kind in _NEEDED_CHUNKS], new)


def _kept(data: bytes, parts: list[Part], needed: list[Part], new: bytes) -> bytes:
    """Return the needed parts, with a new one behind the first."""
    place = parts[0].end
    kept = {part.start for part in needed}
    cuts = [(p.start, p.end, b"") for p in parts if p.start not in kept]
    return splice(data, [*cuts, (place, place, new), (parts[-1].end, len(data), b"")])


def _needed_in_jpeg(data: bytes, part: Part) -> bool:
    if part.kind == APP2:
        return data[part.body : part.end].startswith(PROFILE_HEAD)
    if part.kind in (_APP0, _APP14):
        return True
    assert isinstance(part.kind, int)
    return not (APP1 <= part.kind <= _LAST_APP or part.kind == COM)


def _turn(turned: int) -> bytes:
    """Return Exif that says nothing but how to turn the picture."""
    entry = struct.pack(">HHIHH", ORIENTATION_TAG, _SHORT, 1, turned, 0)
    return b"MM\0*" + struct.pack(">IH", 8, 1) + entry + bytes(4)


_STRIPPERS = {
    JPEG: _bare_jpeg,
    PNG: _bare_png,
    WEBP: webp.bare,
    AVIF: avif.bare,
    GIF: gif.bare,
    TIFF: tiff.bare,
}
