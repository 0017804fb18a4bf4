"""The picture formats that are taken: one row each, and how texts name them.

Everything that depends on a format asks this table or one that is keyed by it;
what a file is, its bytes alone say (`colophon.sniff`).
"""

from __future__ import annotations

from dataclasses import dataclass

JPEG = "image/jpeg"
PNG = "image/png"
WEBP = "image/webp"
AVIF = "image/avif"
GIF = "image/gif"
TIFF = "image/tiff"


@dataclass(frozen=True)
class Format:
    """A format that is decoded, signed and delivered as it came."""

    name: str
    suffix: str
    decoder: str  # of Pillow
    reads_as: frozenset[str]  # what Pillow may then call it


FORMATS = {
    # A JPEG with further pictures behind it (phones do this) reads as MPO.
    JPEG: Format("JPEG", ".jpg", "JPEG", frozenset({"JPEG", "MPO"})),
    PNG: Format("PNG", ".png", "PNG", frozenset({"PNG"})),
    WEBP: Format("WebP", ".webp", "WEBP", frozenset({"WEBP"})),
    AVIF: Format("AVIF", ".avif", "AVIF", frozenset({"AVIF"})),
    GIF: Format("GIF", ".gif", "GIF", frozenset({"GIF"})),
    TIFF: Format("TIFF", ".tif", "TIFF", frozenset({"TIFF"})),
}
_NAMES = [one.name for one in FORMATS.values()]
# For sentences: "JPEG, PNG or WebP".
ANY_OF = f"{', '.join(_NAMES[:-1])} or {_NAMES[-1]}"
# For the accept attribute of a file field.
ACCEPT = ",".join(FORMATS)
