"""Perceptual fingerprints: find look-alikes, never prove that two are one work.

All are made from one fixed reduction of the picture (`reduction-v1`: RGB on white,
upright, by Lanczos to at most 1600 and from there to at most 512 pixels a side,
each with a reducing gap of 1.2), because PDQ changes with the size it starts
from. PDQ needs a compiled package; where it is missing, ISCC alone is given and the
record says so.

Source: Meta's PDQ paper; ISO 24138:2024 (ISCC Image-Code).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from colophon.errors import InputError

if TYPE_CHECKING:
    from PIL import Image

REDUCTION = "reduction-v1"
# Share cut from each side; most crops seen in the wild lie near one of these.
CROPS = (0.025, 0.05, 0.075, 0.10, 0.15, 0.20)
ISCC_BITS = 256
ISCC_SIDE = 32


def pdq(reduction: Image.Image) -> dict[str, Any] | None:
    """Return PDQ hashes of a reduction, None where pdqhash is not installed.

    Returns:
        `hash` and `quality` (0 to 100; below 50 says little), `turned` (the eight
        turns and mirrors, to query with) and `crops` (to store), all hex.
    """
    try:
        import pdqhash
    except ImportError:
        return None
    import numpy as np

    pixels = np.asarray(reduction)
    vector, quality = pdqhash.compute(pixels)
    turned, _ = pdqhash.compute_dihedral(pixels)
    height, width = pixels.shape[:2]
    crops = []
    for share in CROPS:
        top, left = int(height * share), int(width * share)
        inner = pixels[top : height - top, left : width - left]
        crops.append(pdqhash.compute(np.ascontiguousarray(inner))[0])
    return {
        "reduction": REDUCTION,
        "hash": _hex(vector),
        "quality": int(quality),
        "turned": [_hex(each) for each in turned],
        "crops": [_hex(each) for each in crops],
    }


def iscc(reduction: Image.Image) -> str:
    """Return the 256-bit ISCC Image-Code of a reduction, "ISCC:…"."""
    import iscc_lib
    from PIL import Image

    gray = reduction.convert("L").resize(
        (ISCC_SIDE, ISCC_SIDE), Image.Resampling.BICUBIC
    )
    code = iscc_lib.gen_image_code_v0(gray.tobytes(), bits=ISCC_BITS)
    return str(code["iscc"])


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
