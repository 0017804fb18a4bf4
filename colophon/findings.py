"""What a picture's metadata gives away, for the report its uploader sees.

Says that something is there, not what it says: a position or a name is never
copied into our records. Works on bytes, without decoding the picture.

Source: CIPA DC-008 (Exif), PNG section 11.3, XMP part 3, RFC 9649 (WebP).
"""

from __future__ import annotations

import re
import struct
import zlib
from typing import Any

from colophon import avif, gif, tiff, webp
from colophon.containers import application
from colophon.formats import AVIF, GIF, JPEG, PNG, TIFF, WEBP
from colophon.parts import Carried, Part
from colophon.plaintext import plain

APP1, APP2, APP13, COM = 0xE1, 0xE2, 0xED, 0xFE
EXIF_HEAD = b"Exif\0\0"
XMP_HEAD = b"http://ns.adobe.com/xap/1.0/\0"
XMP_MORE_HEAD = b"http://ns.adobe.com/xmp/extension/\0"
PROFILE_HEAD = b"ICC_PROFILE\0"
GPS_TAG = 0x8825
ORIENTATION_TAG = 0x0112
ASCII = 2  # Exif type of a text
INLINE_BYTES = 4  # a longer value lies elsewhere
MAX_TEXT_BYTES = 1 << 20
_TEXTS = (b"tEXt", b"zTXt", b"iTXt")
_TOOL = re.compile(rb'CreatorTool(?:="|>)([^"<]{1,200})')
_NAMES = {0x010F: "camera_make", 0x0110: "camera_model", 0x0131: "software"}


def findings(data: bytes, mime: str, parts: list[Part]) -> dict[str, Any]:
    """List what a picture carries beside its pixels.

    Returns:
        `exif`, `gps`, `xmp`, `iptc`, `comment`, `color_profile` (yes or no);
        `camera_make`, `camera_model`, `software`, `xmp_generator` (text or None);
        `generators` (AI tools whose settings are embedded: "comfyui", "a1111").
    """
    found = carried(data, mime, parts)
    exif, xmp, texts = found.exif, found.xmp, found.texts
    tags = _exif_tags(exif)
    tool = _TOOL.search(xmp)
    generators = []
    if {"prompt", "workflow"} & texts.keys():
        generators.append("comfyui")
    if b"Steps: " in texts.get("parameters", b"") or b"Steps: " in _plain(exif):
        generators.append("a1111")
    named = {name: tags.get(tag) for tag, name in _NAMES.items()}
    return {
        "exif": bool(exif),
        "gps": bool(tags.get(GPS_TAG)) or b"GPSLatitude" in xmp,
        "xmp": bool(xmp),
        "iptc": found.iptc,
        "xmp_generator": plain(tool[1].decode("utf-8", "replace")) if tool else None,
        "comment": found.comment,
        "color_profile": found.profile,
        "generators": generators,
        **named,
    }


def orientation(data: bytes, mime: str, parts: list[Part]) -> int:
    """Return how the picture must be turned for showing: 1 (as it is) to 8."""
    exif = carried(data, mime, parts).exif
    found = _exif_tags(exif).get(ORIENTATION_TAG, 1)
    return found if found in range(1, 9) else 1


def carried(data: bytes, mime: str, parts: list[Part]) -> Carried:
    """Return what a picture carries beside its pixels."""
    return _READERS[mime](data, parts)


def _in_jpeg(data: bytes, parts: list[Part]) -> Carried:
    blocks = list(application(data, parts, APP1))
    profiles = application(data, parts, APP2)
    return Carried(
        exif=next((b[6:] for b in blocks if b.startswith(EXIF_HEAD)), b""),
        xmp=b"".join(b for b in blocks if b.startswith((XMP_HEAD, XMP_MORE_HEAD))),
        iptc=any(part.kind == APP13 for part in parts),
        comment=any(part.kind == COM for part in parts),
        profile=any(b.startswith(PROFILE_HEAD) for b in profiles),
    )


def _in_png(data: bytes, parts: list[Part]) -> Carried:
    exif, texts = b"", {}
    for part in parts:
        body = data[part.body : part.end - 4]
        if part.kind == b"eXIf":
            exif = body
        elif part.kind in _TEXTS:
            keyword, text = png_text(bytes(part.kind), body)
            texts[keyword] = text
    return Carried(
        exif=exif,
        xmp=texts.pop("XML:com.adobe.xmp", b""),
        texts=texts,
        comment=any(part.kind in _TEXTS for part in parts),
        profile=any(part.kind == b"iCCP" for part in parts),
    )


_READERS = {
    JPEG: _in_jpeg,
    PNG: _in_png,
    WEBP: webp.carried,
    AVIF: avif.carried,
    GIF: gif.carried,
    TIFF: tiff.carried,
}


def png_text(kind: bytes, body: bytes) -> tuple[str, bytes]:
    """Return keyword and text of a tEXt, zTXt or iTXt chunk; text at most 1 MiB."""
    keyword, _, rest = body.partition(b"\0")
    if kind == b"zTXt":
        rest = _inflate(rest[1:])
    elif kind == b"iTXt":
        packed = rest[:1] == b"\1"
        rest = rest[2:].partition(b"\0")[2].partition(b"\0")[2]
        rest = _inflate(rest) if packed else rest
    return keyword.decode("latin-1"), rest[:MAX_TEXT_BYTES]


def _inflate(packed: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(packed, MAX_TEXT_BYTES)
    except zlib.error:
        return b""


def _plain(exif: bytes) -> bytes:
    """Return Exif with the zero bytes of UTF-16 comments taken out."""
    return exif.replace(b"\0", b"")


def _exif_tags(exif: bytes) -> dict[int, Any]:
    """Read the few tags of the first directory that we name; {} when malformed."""
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    found: dict[int, Any] = {}
    if order is None:
        return found
    try:
        (place,) = struct.unpack_from(order + "I", exif, 4)
        (count,) = struct.unpack_from(order + "H", exif, place)
        for index in range(min(count, 200)):
            at = place + 2 + 12 * index
            tag, kind, size, value = struct.unpack_from(order + "HHII", exif, at)
            if tag == ORIENTATION_TAG:
                found[tag] = struct.unpack_from(order + "H", exif, at + 8)[0]
            elif tag == GPS_TAG:
                found[tag] = struct.unpack_from(order + "H", exif, value)[0] > 0
            elif tag in _NAMES and kind == ASCII:
                start = value if size > INLINE_BYTES else at + 8
                text = exif[start : start + min(size, 200)].rstrip(b"\0 ")
                found[tag] = plain(text.decode("utf-8", "replace")) or None
    except struct.error:
        return found
    return found
