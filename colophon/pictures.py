r"""Decode a stranger's picture within limits, and reduce it to what we keep.

Limits are checked on bytes and headers before any decoder sees the file. Runs
inside the child process; numpy and Pillow load only when a picture is decoded.

`pixels-v1`, the digest of the decoded picture: SHA-256 over the ASCII header
"mode,width,height\n" and the samples in rows, where mode is RGB, or RGBA when the
picture has transparency; orientation is applied, 16-bit samples keep their high
byte, color profiles are not applied. Two files that a viewer shows alike have one
digest, whatever their metadata. Samples of a lossy format depend on its decoder:
compare digests made by the same decoder only (docs/evidence-format.md, section 12).
"""

from __future__ import annotations

import hashlib
import io
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from colophon.containers import idle_of, is_moving, parts_of, size_of
from colophon.errors import InputError
from colophon.formats import ANY_OF, FORMATS
from colophon.sniff import HEAD_BYTES, sniff

if TYPE_CHECKING:
    from PIL import Image

MIB = 1024 * 1024
MAX_BYTES = 50 * MIB
MAX_PIXELS = 50_000_000
MAX_SIDE = 16_384
PREVIEW_SIDE = 1600
THUMBNAIL_SIDE = 400
PROXY_SIDE = 512
PREVIEW_QUALITY = 86
PROXY_QUALITY = 95
DIGEST_RULE = "pixels-v1"
# Rows hashed at a time: bounds the copy to a few megabytes.
_BAND_ROWS = 256
# Shrink by whole factors first, to 1.2 times the target: at 50 megapixels five
# times faster than the filter alone, and the picture looks the same.
_REDUCING_GAP = 1.2
# What must not hang behind a picture: a browser or a shell could take it for itself.
_ACTIVE = (b"%pdf-", b"<html", b"<script", b"<!doctype", b"<svg")
_ACTIVE_STARTS = (b"PK\x03\x04", b"MZ", b"\x7fELF", b"#!")
# A ZIP reader finds its directory in the last 64 KiB, whatever comes before.
_ZIP_END, _ZIP_END_BYTES = b"PK\x05\x06", 65_557


@dataclass(frozen=True)
class Checked:
    """A file that may be decoded, and what its headers say."""

    data: bytes
    mime: str
    width: int  # before orientation
    height: int
    tail_bytes: int  # behind the picture's end


def check(path: Path) -> Checked:
    """Refuse what must not reach a decoder.

    Raises:
        InputError: too large, of no format that is taken, cut off, animated, or with
            active content behind the picture.
    """
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise InputError(
            f"the file has {size:,} bytes; the most is {MAX_BYTES // MIB} MB", "file"
        )
    data = path.read_bytes()
    mime = sniff(data[:HEAD_BYTES])
    if mime not in FORMATS:
        looks = f"looks like {mime}" if mime != sniff(b"") else "is none of these"
        raise InputError(f"a work must be a {ANY_OF} picture; this {looks}", "file")
    parts = parts_of(data, mime)
    if is_moving(data, mime, parts):
        raise InputError("animated pictures are not accepted; save one frame", "file")
    width, height = size_of(data, mime, parts)
    _check_size(width, height)
    if _is_active(idle_of(data, mime, parts)):
        raise InputError(
            "something else hangs behind the picture's end; save it again", "file"
        )
    return Checked(data, mime, width, height, len(data) - parts[-1].end)


def _is_active(tail: bytes) -> bool:
    """Tell whether what hangs behind a picture could act as something else."""
    if tail.lstrip().startswith(_ACTIVE_STARTS) or _ZIP_END in tail[-_ZIP_END_BYTES:]:
        return True
    lower = tail.lower()
    return any(sign in lower for sign in _ACTIVE)


def _check_size(width: int, height: int) -> None:
    if width < 1 or height < 1:
        raise InputError("the picture states a size of zero", "file")
    if max(width, height) > MAX_SIDE:
        raise InputError(
            f"the picture is {width} x {height} pixels; a side has at most"
            f" {MAX_SIDE:,}",
            "file",
        )
    if width * height > MAX_PIXELS:
        raise InputError(
            f"the picture has {width * height:,} pixels; the most is {MAX_PIXELS:,}",
            "file",
        )


def decode(checked: Checked) -> Image.Image:
    """Decode to RGB or RGBA, upright.

    Raises:
        InputError: the decoder disagrees with the magic bytes or fails.
    """
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    decoder = FORMATS[checked.mime].decoder
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(checked.data), formats=[decoder])
            _check_agreement(image, checked)
            image.load()
            ImageOps.exif_transpose(image, in_place=True)
            return _eight_bit(image)
    except (InputError, MemoryError):
        raise
    except Exception as error:  # decoders raise anything on damaged input
        raise InputError(
            "the picture is damaged; save it again and upload that", "file"
        ) from error


def pixel_digest(image: Image.Image) -> str:
    """Return the hex digest of decoded pixels by rule pixels-v1."""
    width, height = image.size
    digest = hashlib.sha256(f"{image.mode},{width},{height}\n".encode())
    for top in range(0, height, _BAND_ROWS):
        band = image.crop((0, top, width, min(top + _BAND_ROWS, height)))
        digest.update(band.tobytes())
    return digest.hexdigest()


def opaque(image: Image.Image, icc: bytes | None = None) -> Image.Image:
    """Return RGB on white, in sRGB when the picture brought a color profile."""
    from PIL import Image

    flat = image
    if image.mode == "RGBA":
        flat = Image.new("RGB", image.size, (255, 255, 255))
        flat.paste(image, mask=image.getchannel("A"))
    return _to_srgb(flat, icc) if icc else flat


def reduced(image: Image.Image, side: int) -> Image.Image:
    """Return a picture that fits in a square of `side` pixels; never enlarged."""
    from PIL import Image

    if max(image.size) <= side:
        return image
    scale = side / max(image.size)
    width, height = (max(1, round(length * scale)) for length in image.size)
    return image.resize(
        (width, height), Image.Resampling.LANCZOS, reducing_gap=_REDUCING_GAP
    )


def reduction(image: Image.Image) -> Image.Image:
    """The small picture that fingerprints are made of (`fingerprints.REDUCTION`)."""
    return reduced(reduced(opaque(image), PREVIEW_SIDE), PROXY_SIDE)


def jpeg(image: Image.Image, *, quality: int, full_color: bool = False) -> bytes:
    """Encode RGB pixels, and nothing else of the picture, as JPEG.

    Args:
        image: RGB.
        quality: 1 to 95.
        full_color: 4:4:4 instead of 4:2:0.
    """
    from PIL import Image

    # From raw samples: comments and profiles travel in an image's info.
    bare = Image.frombytes("RGB", image.size, image.tobytes())
    out = io.BytesIO()
    bare.save(
        out,
        "JPEG",
        quality=quality,
        subsampling=0 if full_color else 2,
        progressive=not full_color,
    )
    return out.getvalue()


def _check_agreement(image: Image.Image, checked: Checked) -> None:
    """Refuse a picture that decoder and header see differently."""
    if image.format not in FORMATS[checked.mime].reads_as:
        raise InputError(f"the picture turned out to be {image.format}", "file")
    if image.size != (checked.width, checked.height):
        raise InputError("the picture states two different sizes", "file")


def _eight_bit(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16") or image.mode == "I":
        # Sixteen-bit gray: keep the high byte, as for sixteen-bit color.
        if image.mode != "I;16":  # the byte order of some TIFFs
            image = image.convert("I")
        image = image.point(lambda value: value / 256).convert("L")
    if image.mode == "La":
        image = image.convert("LA")
    transparent = image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info
    mode = "RGBA" if transparent else "RGB"
    return image if image.mode == mode else image.convert(mode)


def _to_srgb(image: Image.Image, icc: bytes) -> Image.Image:
    """Apply a color profile; a broken one is passed over, as viewers do."""
    from PIL import ImageCms

    try:
        given: Any = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        target = ImageCms.createProfile("sRGB")
        result = ImageCms.profileToProfile(image, given, target, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image
    return result or image
