"""Take everything out of a picture that is not needed to show it.

For an uploader who chose to remove what the metadata gives away. Pixels are not
decoded; orientation and color profile stay, because the picture would look different
without them. An older credential goes too (it would not hold any more): sign the
result with the original as parent, and nothing of its history is lost.

Source: ITU-T T.81 annex B; W3C PNG third edition, section 11; CIPA DC-008.
"""

from __future__ import annotations

import struct

from colophon.containers import JPEG, Part, parts_of, png_chunk, splice
from colophon.findings import APP1, APP2, COM, EXIF_HEAD, ORIENTATION_TAG, orientation

# JFIF and Adobe segments say how to decode; profiles say how to show.
_APP0, _APP14, _LAST_APP = 0xE0, 0xEE, 0xEF
_PROFILE_HEAD = b"ICC_PROFILE\0"
_NEEDED_CHUNKS = frozenset(
    {
        *(b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS"),
        *(b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"cICP", b"sBIT", b"pHYs"),
    }
)
_SHORT = 3  # Exif type of a 16-bit number


def strip_metadata(data: bytes, mime: str) -> bytes:
    """Return a JPEG or PNG with its pixels, orientation and profile alone.

    What hangs behind the picture's end goes as well.

    Raises:
        InputError: the picture is damaged.
    """
    parts = parts_of(data, mime)
    turned = orientation(data, mime, parts)
    needed = _needed_in_jpeg if mime == JPEG else _needed_in_png
    changes = [(p.start, p.end, b"") for p in parts if not needed(data, p)]
    if turned != 1:
        place = parts[0].end
        changes.append((place, place, _orientation_part(turned, mime)))
    changes.append((parts[-1].end, len(data), b""))
    return splice(data, changes)


def _needed_in_jpeg(data: bytes, part: Part) -> bool:
    if part.kind == APP2:
        return data[part.body : part.end].startswith(_PROFILE_HEAD)
    if part.kind in (_APP0, _APP14):
        return True
    assert isinstance(part.kind, int)
    return not (APP1 <= part.kind <= _LAST_APP or part.kind == COM)


def _needed_in_png(_: bytes, part: Part) -> bool:
    return part.kind in _NEEDED_CHUNKS


def _orientation_part(turned: int, mime: str) -> bytes:
    """Return Exif that says nothing but how to turn the picture."""
    entry = struct.pack(">HHIHH", ORIENTATION_TAG, _SHORT, 1, turned, 0)
    exif = b"MM\0*" + struct.pack(">IH", 8, 1) + entry + bytes(4)
    if mime != JPEG:
        return png_chunk(b"eXIf", exif)
    body = EXIF_HEAD + exif
    return b"\xff\xe1" + (len(body) + 2).to_bytes(2) + body
