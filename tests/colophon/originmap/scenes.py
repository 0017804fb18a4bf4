"""Textured scenes for the origin map, drawn by seed, and ways to save them."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageFilter

from colophon.originmap.picture import Picture, picture_of

SIZE = (480, 360)


def scene(seed: int = 1, size: tuple[int, int] = SIZE) -> Image.Image:
    """Soft shapes with fine grain: something to lay on each other at every scale."""
    rng = np.random.default_rng(seed)
    picture = np.zeros((size[1], size[0], 3), np.float32)
    for cells, weight in ((5, 0.5), (17, 0.3), (60, 0.2)):
        coarse = rng.integers(0, 256, (cells, cells, 3), dtype=np.uint8)
        layer = Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)
        picture += weight * np.asarray(layer, np.float32)
    grain = rng.normal(0, 3, picture.shape[:2])[..., None]
    pixels = np.clip(picture + grain, 0, 255).astype(np.uint8)
    return Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(0.5))


def saved(image: Image.Image, form: str = "JPEG", **options: object) -> bytes:
    """The file of a picture; JPEG at quality 85 unless told otherwise."""
    out = io.BytesIO()
    image.save(out, form, **({"quality": 85} | options))
    return out.getvalue()


def read(data: bytes, *, proxy: bool = False) -> Picture:
    """A file as the map reads it."""
    image = Image.open(io.BytesIO(data))
    return picture_of(image, image.convert("RGB"), proxy=proxy)


def painted(
    image: Image.Image, box: tuple[int, int, int, int], color: tuple[int, int, int]
) -> tuple[Image.Image, np.ndarray]:
    """The picture with a box painted over, and where that is."""
    made = image.copy()
    made.paste(color, box)
    truth = np.zeros((image.height, image.width), np.bool_)
    truth[box[1] : box[3], box[0] : box[2]] = True
    return made, truth


def overlap(found: np.ndarray, truth: np.ndarray) -> float:
    """Intersection over union."""
    return float((found & truth).sum() / max(1, (found | truth).sum()))
