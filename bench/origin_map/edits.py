"""Edits of photographs with the truth about each: what was changed, what can be seen.

Truth is *visible*: where the edit had a part in the pixel and moved it by at least
2 dE before the picture was saved.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from colophon.originmap.blame import Does, Kind
from colophon.originmap.picture import Field, Mask, Pixels, lab

FONT = "DejaVuSans.ttf"
TAKES_PART, SEEN_DE = 0.02, 2.0
SIZES = {"0.5-2 %": (0.005, 0.02), "2-10 %": (0.02, 0.10), "over 10 %": (0.10, 0.30)}
WORDS = ("harbor", "for sale", "No. 4", "printed in spring", "do not copy", "Ada L.")


@dataclass(frozen=True)
class Edit:
    """A picture after an edit, and what of it can be seen."""

    pixels: Pixels
    visible: Mask


@dataclass(frozen=True)
class Local:
    """A kind of local edit: who does it and what the step says."""

    kind: Kind
    does: Does
    make: Callable[[Pixels, Pixels, float, np.random.Generator], Edit]


def _mixed(before: Pixels, over: NDArray[np.floating], alpha: Field) -> Edit:
    """Lay something over a picture; alpha from 0 to 1."""
    part = alpha[..., None]
    after = np.clip(before * (1 - part) + over * part, 0, 255).round().astype(np.uint8)
    far = np.linalg.norm(lab(after) - lab(before), axis=-1) >= SEEN_DE
    return Edit(after, far & (alpha > TAKES_PART))


def _blob(shape: tuple[int, int], share: float, rng: np.random.Generator) -> Field:
    """A bent disk of about that share of the frame, 0 or 1."""
    height, width = shape
    area = share * width * height
    stretch = rng.uniform(0.6, 1.7)
    radius = math.sqrt(area / math.pi)
    across = min(radius * stretch, width * 0.49)
    down = min(area / (math.pi * across), height * 0.49)
    middle = rng.uniform((across, down), (width - across, height - down))
    waves, phase = int(rng.integers(3, 7)), rng.uniform(0, 6.28)
    angle = np.linspace(0, 2 * math.pi, 90, endpoint=False)
    bend = 1 + 0.12 * np.sin(waves * angle + phase)
    points = np.stack(
        [
            middle[0] + across * bend * np.cos(angle),
            middle[1] + down * bend * np.sin(angle),
        ],
        -1,
    )
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [points.round().astype(np.int32)], 1)
    return mask.astype(np.float32)


def _soft(mask: Field, reach: float) -> Field:
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), max(reach, 0.3)), np.float32)


def _like(size: tuple[int, int], other: Pixels, rng: np.random.Generator) -> Pixels:
    """A part of another photograph at a wanted size (height, width)."""
    height, width = size
    scale = max(height / other.shape[0], width / other.shape[1]) * rng.uniform(1, 1.4)
    grown = cv2.resize(other, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    top = int(rng.integers(0, max(1, grown.shape[0] - height + 1)))
    left = int(rng.integers(0, max(1, grown.shape[1] - width + 1)))
    return np.asarray(grown[top : top + height, left : left + width], np.uint8)


def inpaint(
    before: Pixels, other: Pixels, share: float, rng: np.random.Generator
) -> Edit:
    """Stand-in for a model's fill: other content in the place's mean color."""
    shape = before.shape[:2]
    mask = _blob((shape[0], shape[1]), share, rng)
    fill = _like((shape[0], shape[1]), other, rng).astype(np.float32)
    inside = mask > 0
    moved = before[inside].mean(0) - fill[inside].mean(0)
    return _mixed(before, fill + moved, _soft(mask, rng.uniform(1, 4)))


def redrawn(
    before: Pixels, other: Pixels, share: float, rng: np.random.Generator
) -> Edit:
    """The same by a model that passes the whole picture through its own coder."""
    made = inpaint(before, other, share, rng)
    size = (before.shape[1], before.shape[0])
    pixels = cv2.GaussianBlur(made.pixels, (0, 0), 0.6).astype(np.float32)
    pixels += 0.6 * (pixels - cv2.GaussianBlur(pixels, (0, 0), 1.2))
    grain = rng.normal(0, 2, (max(2, size[1] // 2), max(2, size[0] // 2), 1))
    fine = cv2.resize(grain.astype(np.float32), size, interpolation=cv2.INTER_CUBIC)
    pixels = (pixels - 127.5) * 1.01 + 127.5 + fine[..., None]
    return Edit(np.clip(pixels, 0, 255).round().astype(np.uint8), made.visible)


def _strokes(shape: tuple[int, int], share: float, rng: np.random.Generator) -> Field:
    height, width = shape
    mask = np.zeros(shape, np.uint8)
    thick = max(3, round(math.sqrt(share * height * width) * rng.uniform(0.25, 0.5)))
    while mask.mean() < share:
        start = rng.uniform((0, 0), (width, height))
        points, heading = [start], rng.uniform(0, 6.28)
        for _ in range(4):
            heading += rng.normal(0, 0.6)
            step = thick * rng.uniform(0.7, 1.5)
            points.append(
                points[-1] + step * np.array([np.cos(heading), np.sin(heading)])
            )
        line = np.round(points).astype(np.int32)
        cv2.polylines(mask, [line], False, 1, thick, cv2.LINE_8)
    return mask.astype(np.float32)


def brush(before: Pixels, _: Pixels, share: float, rng: np.random.Generator) -> Edit:
    """Strokes of one color with a hard edge."""
    shape = (before.shape[0], before.shape[1])
    color = rng.integers(0, 256, 3).astype(np.float32)
    return _mixed(
        before, np.broadcast_to(color, before.shape), _strokes(shape, share, rng)
    )


def airbrush(before: Pixels, _: Pixels, share: float, rng: np.random.Generator) -> Edit:
    """Strokes of one color that fade at the edge and let something through."""
    shape = (before.shape[0], before.shape[1])
    mask = _strokes(shape, share, rng)
    soft = _soft(mask, 0.006 * max(shape)) * np.float32(rng.uniform(0.7, 1))
    color = rng.integers(0, 256, 3).astype(np.float32)
    return _mixed(before, np.broadcast_to(color, before.shape), soft)


def clone(before: Pixels, _: Pixels, share: float, rng: np.random.Generator) -> Edit:
    """A part of the picture itself, moved elsewhere."""
    shape = (before.shape[0], before.shape[1])
    mask = _blob(shape, share, rng)
    down, across = (int(side * rng.uniform(0.15, 0.5)) for side in shape)
    moved = np.roll(before, (down, across), (0, 1)).astype(np.float32)
    return _mixed(before, moved, _soft(mask, rng.uniform(0.5, 3)))


def composite(
    before: Pixels, other: Pixels, share: float, rng: np.random.Generator
) -> Edit:
    """A part of another photograph in a frame."""
    height, width = before.shape[:2]
    stretch = rng.uniform(0.7, 1.4)
    tall = min(height - 2, max(4, round(math.sqrt(share * height * width) * stretch)))
    wide = min(width - 2, max(4, round(share * height * width / tall)))
    top = int(rng.integers(0, height - tall))
    left = int(rng.integers(0, width - wide))
    over = before.astype(np.float32)
    over[top : top + tall, left : left + wide] = _like((tall, wide), other, rng)
    mask = np.zeros((height, width), np.float32)
    mask[top : top + tall, left : left + wide] = 1
    return _mixed(before, over, mask)


def text(before: Pixels, _: Pixels, share: float, rng: np.random.Generator) -> Edit:
    """Words in one color; the share is that of their box, more or less."""
    height, width = before.shape[:2]
    words = WORDS[int(rng.integers(len(WORDS)))]
    size = max(10, round(math.sqrt(share * height * width / len(words)) * 1.6))
    image = Image.new("L", (width, height))
    pen, font = ImageDraw.Draw(image), ImageFont.truetype(FONT, size)
    _, _, wide, tall = pen.textbbox((0, 0), words, font=font)
    place = (
        float(rng.uniform(0, max(1, width - wide))),
        float(rng.uniform(0, max(1, height - tall))),
    )
    pen.text(place, words, fill=255, font=font)
    alpha = np.asarray(image, np.float32) / 255
    color = rng.integers(0, 256, 3).astype(np.float32)
    return _mixed(before, np.broadcast_to(color, before.shape), alpha)


LOCAL = {
    "in-paint": Local(Kind.AI, Does.ANY, inpaint),
    "in-paint, redrawn": Local(Kind.AI, Does.ANY, redrawn),
    "brush": Local(Kind.HUMAN, Does.LOCAL, brush),
    "airbrush": Local(Kind.HUMAN, Does.LOCAL, airbrush),
    "clone": Local(Kind.HUMAN, Does.LOCAL, clone),
    "composite": Local(Kind.HUMAN, Does.LOCAL, composite),
    "text": Local(Kind.HUMAN, Does.LOCAL, text),
}


def toned(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """A change of tone: exposure, contrast, curve, saturation or white balance."""
    way = int(rng.integers(5))
    value = pixels.astype(np.float32) / 255
    strength = float(rng.choice([-1, 1]) * rng.uniform(0.10, 0.30))
    if way == 0:
        value = value * (1 + strength)
    elif way == 1:
        value = (value - 0.5) * (1 + strength) + 0.5
    elif way == 2:
        value = value ** (1 + strength)
    elif way == 3:
        gray = value.mean(-1, keepdims=True)
        value = gray + (value - gray) * (1 + 2 * strength)
    else:
        value = value * (1 + strength * np.array([1, 0, -1], np.float32) * 0.6)
    return np.asarray((np.clip(value, 0, 1) * 255).round(), np.uint8)
