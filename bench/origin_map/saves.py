"""Ways to save a picture, among them encoders that are not Pillow's."""

from __future__ import annotations

import io
from collections.abc import Callable
from fractions import Fraction

import numpy as np
from PIL import Image

from colophon import pictures
from colophon.originmap.picture import Picture, Pixels, picture_of


def pillow(
    form: str, quality: int = 0, subsampling: int = 2
) -> Callable[[Pixels], bytes]:
    """Pillow's writer of a format."""
    options = {"quality": quality} if quality else {}
    if form == "JPEG":
        options["subsampling"] = subsampling

    def save(pixels: Pixels) -> bytes:
        out = io.BytesIO()
        Image.fromarray(pixels).save(out, form, **options)
        return out.getvalue()

    return save


def foreign(pixels: Pixels) -> bytes:
    """FFmpeg's JPEG encoder, which rounds and quantizes in its own way."""
    import av

    height, width = pixels.shape[:2]  # even: `run.py` sees to it
    codec = av.CodecContext.create("mjpeg", "w")
    codec.width, codec.height = width, height
    codec.pix_fmt = "yuvj420p"
    codec.time_base = Fraction(1)
    codec.options = {"qmin": "3", "qmax": "3"}
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
    frame = frame.reformat(format="yuvj420p", src_color_range=2, dst_color_range=2)
    frame.pts = 0
    packets = [*codec.encode(frame), *codec.encode(None)]
    return b"".join(bytes(one) for one in packets)


SAVES: dict[str, Callable[[Pixels], bytes]] = {
    "PNG": pillow("PNG"),
    "JPEG q95 4:4:4": pillow("JPEG", 95, 0),
    "JPEG q85": pillow("JPEG", 85),
    "JPEG q75": pillow("JPEG", 75),
    "foreign JPEG": foreign,
    "WebP q85": pillow("WEBP", 85),
}
# How often each is drawn between two steps.
WEIGHTS = (0.12, 0.25, 0.28, 0.20, 0.10, 0.05)


def drawn_save(rng: np.random.Generator) -> str:
    """The name of one of them."""
    return str(rng.choice(list(SAVES), p=WEIGHTS))


def read(data: bytes, *, proxy: bool) -> Picture:
    """A file as the map reads it: itself, or through the copy that is made of it."""
    with Image.open(io.BytesIO(data)) as image:
        if not proxy:
            return picture_of(image, image.convert("RGB"))
        small = pictures.reduction(image.convert("RGB"))
    copy = pictures.jpeg(small, quality=pictures.PROXY_QUALITY, full_color=True)
    with Image.open(io.BytesIO(copy)) as image:
        return picture_of(image, image.convert("RGB"), proxy=True)
