"""Perceptual fingerprints: find look-alikes, never prove that two are one work.

All are made from one fixed reduction of the picture (`reduction-v1`: RGB on white,
upright, by Lanczos to at most 1600 and from there to at most 512 pixels a side,
each with a reducing gap of 1.2), because PDQ changes with the size it starts
from. PDQ needs a compiled package; where it is missing, ISCC alone is given and the
record says so.

Source: Meta's PDQ paper; ISO 24138:2024 (ISCC Image-Code).
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from colophon.errors import InputError

if TYPE_CHECKING:
    from PIL import Image

REDUCTION = "reduction-v1"
# Which prints are made of it; a new one makes those of all works anew.
PRINTS = "prints-v2"
# Share cut from every side; most crops seen in the wild lie near one of these.
CROPS = (0.025, 0.05, 0.075, 0.10, 0.15, 0.20)
# Share cut from the left, the top, the right and the bottom: one side or two.
ONE_SIDED = (
    (0.1, 0.0, 0.0, 0.0),
    (0.0, 0.1, 0.0, 0.0),
    (0.0, 0.0, 0.1, 0.0),
    (0.0, 0.0, 0.0, 0.1),
    (0.1, 0.1, 0.0, 0.0),
    (0.0, 0.1, 0.1, 0.0),
    (0.0, 0.0, 0.1, 0.1),
    (0.1, 0.0, 0.0, 0.1),
)
ISCC_BITS = 256
ISCC_SIDE = 32
ISCC_HEADER = 2


def pdq(reduction: Image.Image) -> dict[str, Any] | None:
    """Return PDQ hashes of a reduction, None where pdqhash is not installed.

    A picture that was cropped is found by the stored crops of the whole one; one that
    got a border or a logo near its edge, by its own crops.

    Returns:
        All hex: `hash` with its `quality` (0 to 100; below 50 says little); `crops`,
        to store beside it; `asked`, to search with: the eight turns and mirrors of the
        picture (`turned`, the first of them) and of its centered crops.
    """
    try:
        import pdqhash
    except ImportError:
        return None
    import numpy as np

    pixels = np.asarray(reduction)
    centered = [_cut(pixels, (share,) * 4) for share in CROPS]
    turned, quality = pdqhash.compute_dihedral(pixels)
    asked = [turned, *(pdqhash.compute_dihedral(one)[0] for one in centered)]
    sides = [pdqhash.compute(_cut(pixels, shares))[0] for shares in ONE_SIDED]
    return {
        "reduction": REDUCTION,
        "hash": _hex(turned[0]),
        "quality": int(quality),
        "turned": [_hex(each) for each in turned],
        # The first of the eight is the crop as it is.
        "crops": [_hex(each) for each in [*(one[0] for one in asked[1:]), *sides]],
        "asked": [_hex(each) for turns in asked for each in turns],
    }


def _cut(pixels: Any, shares: tuple[float, ...]) -> Any:
    """The picture without these shares of its left, top, right and bottom."""
    import numpy as np

    height, width = pixels.shape[:2]
    left, top, right, bottom = shares
    inner = pixels[
        int(height * top) : height - int(height * bottom),
        int(width * left) : width - int(width * right),
    ]
    return np.ascontiguousarray(inner)


def iscc(reduction: Image.Image) -> str:
    """Return the 256-bit ISCC Image-Code of a reduction, "ISCC:…"."""
    return _iscc(_small_gray(reduction))


def iscc_turned(reduction: Image.Image) -> list[str]:
    """The ISCC Image-Codes of its turns and mirrors: their bits, hex, to search by."""
    from PIL import Image

    gray = _small_gray(reduction)
    turns = [gray, *(gray.transpose(each) for each in Image.Transpose)]
    return [iscc_bits(_iscc(each)) for each in turns]


def iscc_bits(code: str) -> str:
    """The 256 bits of an ISCC Image-Code, hex.

    Raises:
        InputError: no such code.
    """
    text = code.removeprefix("ISCC:")
    try:
        raw = base64.b32decode(text + "=" * (-len(text) % 8))
    except ValueError as error:
        raise InputError("is no ISCC code", "iscc") from error
    if len(raw) != ISCC_HEADER + ISCC_BITS // 8:
        raise InputError("is no ISCC Image-Code of 256 bits", "iscc")
    return raw[ISCC_HEADER:].hex()


def _small_gray(reduction: Image.Image) -> Image.Image:
    from PIL import Image

    return reduction.convert("L").resize(
        (ISCC_SIDE, ISCC_SIDE), Image.Resampling.BICUBIC
    )


def _iscc(gray: Image.Image) -> str:
    import iscc_lib

    return str(iscc_lib.gen_image_code_v0(gray.tobytes(), bits=ISCC_BITS)["iscc"])


def hamming(first: str, second: str) -> int:
    """Count the bits in which two hex hashes of one length differ.

    Raises:
        InputError: not hex, or of different lengths.
    """
    if len(first) != len(second):
        raise InputError("the two hashes have different lengths")
    try:
        return (int(first, 16) ^ int(second, 16)).bit_count()
    except ValueError as error:
        raise InputError("a hash must be hexadecimal") from error


def _hex(vector: Any) -> str:
    bits = "".join(str(int(bit)) for bit in vector)
    return f"{int(bits, 2):0{len(bits) // 4}x}"
