"""A picture of the chain: its samples, and how its file was saved."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, JpegImagePlugin

Pixels = NDArray[np.uint8]  # rows x columns x RGB
Mask = NDArray[np.bool_]
Field = NDArray[np.float32]
Size = tuple[int, int]  # width, height
WORK_PIXELS = 2_000_000
SEEN = 255  # of a mask that went through a resampling


@dataclass(frozen=True)
class Picture:
    """One output of a step, decoded.

    Attributes:
        pixels: RGB samples; of the proxy when there is only that.
        proxy: whether these are the samples of a smaller copy.
        tables: the quantization tables of a JPEG, else None.
        sampling: Pillow's number of its chroma sampling.
    """

    pixels: Pixels
    proxy: bool = False
    tables: dict[int, list[int]] | None = None
    sampling: int = 0

    @property
    def size(self) -> Size:
        """Width and height of the samples at hand."""
        return size_of(self.pixels)


def picture_of(
    image: Image.Image, pixels: Image.Image, *, proxy: bool = False
) -> Picture:
    """A picture from what the decoder made of its file.

    Args:
        image: as opened, which knows how the file was saved.
        pixels: RGB, upright.
        proxy: whether it is a smaller copy of the step's own file.
    """
    tables: Any = getattr(image, "quantization", None)
    if image.format != "JPEG" or not tables:
        return Picture(np.asarray(pixels), proxy)
    sampling = JpegImagePlugin.get_sampling(image)
    known = {key: list(value) for key, value in tables.items()}
    return Picture(np.asarray(pixels), proxy, known, max(sampling, 0))


def saved_like(pixels: Pixels, other: Picture) -> Pixels:
    """The same samples after a save as the other file was saved; as is, if no JPEG.

    Untouched blocks then equal the other's where its writer rounds as libjpeg does.
    """
    if other.tables is None:
        return pixels
    out = io.BytesIO()
    image = Image.fromarray(pixels)
    image.save(out, "JPEG", qtables=other.tables, subsampling=other.sampling)
    out.seek(0)
    return np.asarray(Image.open(out).convert("RGB"))


def size_of(pixels: NDArray[Any]) -> Size:
    """Width and height of an array of rows."""
    return pixels.shape[1], pixels.shape[0]


def work_size(size: Size) -> Size:
    """The size at which differences are judged: at most two megapixels."""
    width, height = size
    scale = min(1.0, (WORK_PIXELS / (width * height)) ** 0.5)
    return max(1, round(width * scale)), max(1, round(height * scale))


def shrunk(pixels: Pixels, size: Size) -> Pixels:
    """The samples at another, smaller size, averaged."""
    if size_of(pixels) == size:
        return pixels
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def lab(pixels: Pixels) -> Field:
    """CIE Lab of sRGB samples: L from 0 to 100."""
    return np.asarray(
        cv2.cvtColor(pixels.astype(np.float32) / 255, cv2.COLOR_RGB2Lab), np.float32
    )
