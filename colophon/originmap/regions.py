"""The map as boxes, and as a picture to lay over. Source: docs/origin-map.md."""

from __future__ import annotations

import io
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from colophon.originmap.blame import UNKNOWN, Kind, OriginMap
from colophon.originmap.picture import Mask, size_of

MOST = 16
REACH = 0.012  # of the longer side: parts nearer than this are one region
SMALLEST = 0.0005  # of the picture
OVERLAY_SIDE = 1024
# Indigo and ochre as the pages have them; lines run one way for AI, another for people.
COLORS = {
    Kind.AI: (79, 70, 186),
    Kind.HUMAN: (176, 112, 24),
    Kind.PROGRAM: (96, 120, 112),
    Kind.UNKNOWN: (128, 128, 128),
}
STRENGTH, LINE = 120, 215
_EVERY, _WIDE = 12, 3


@dataclass(frozen=True)
class Region:
    """A part of the picture that one step changed last.

    Attributes:
        link: position of the step in the chain.
        kind: who made it.
        box: left, top, width, height as shares of the picture, 0 to 1.
        share: of the picture's pixels, 0 to 1.
    """

    link: int
    kind: Kind
    box: tuple[float, float, float, float]
    share: float


def regions_of(made: OriginMap) -> list[Region]:
    """The largest regions of all steps but the first, largest first."""
    found: list[Region] = []
    for at, kind in enumerate(made.kinds):
        mask = made.labels == at
        if at == 0 or not mask.any() or mask.all():
            continue
        found += _parts(mask, at, kind)
    found.sort(key=lambda one: (-one.share, one.link, one.box))
    return found[:MOST]


def _parts(mask: Mask, link: int, kind: Kind) -> list[Region]:
    height, width = mask.shape
    reach = 2 * round(max(mask.shape) * REACH) + 1
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    wide = cv2.dilate(mask.astype(np.uint8), disk)
    count, labels = cv2.connectedComponents(wide, connectivity=8)
    found = []
    for one in range(1, count):
        rows, columns = np.nonzero((labels == one) & mask)
        share = rows.size / mask.size
        if share < SMALLEST:
            continue
        left, right = int(columns.min()), int(columns.max()) + 1
        top, bottom = int(rows.min()), int(rows.max()) + 1
        box = (
            left / width,
            top / height,
            (right - left) / width,
            (bottom - top) / height,
        )
        found.append(Region(link, kind, box, share))
    return found


def overlay(made: OriginMap) -> bytes:
    """The map as a PNG with transparency, at most 1,024 pixels wide or high.

    Kinds differ by color and by the direction of their lines, so that nobody has to
    tell them by color alone.
    """
    width, height = size_of(made.labels)
    scale = min(1.0, OVERLAY_SIDE / max(width, height))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    labels = cv2.resize(made.labels, size, interpolation=cv2.INTER_NEAREST)
    kinds = np.full(UNKNOWN + 1, list(Kind).index(Kind.UNKNOWN), np.uint8)
    for at, kind in enumerate(made.kinds):
        kinds[at] = list(Kind).index(kind)
    shown = kinds[labels]
    down, across = np.mgrid[0 : size[1], 0 : size[0]]
    lines = {
        Kind.AI: (across + down) % _EVERY < _WIDE,
        Kind.HUMAN: (across - down) % _EVERY < _WIDE,
        Kind.PROGRAM: down % _EVERY < _WIDE,
        Kind.UNKNOWN: (across % _EVERY < _WIDE) & (down % _EVERY < _WIDE),
    }
    pixels = np.zeros((size[1], size[0], 4), np.uint8)
    for index, kind in enumerate(Kind):
        here = shown == index
        pixels[here, :3] = COLORS[kind]
        pixels[here, 3] = np.where(lines[kind], LINE, STRENGTH)[here]
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG", optimize=True)
    return out.getvalue()
