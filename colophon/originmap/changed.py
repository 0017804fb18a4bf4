"""Where two pictures differ to the eye, beyond what saving made of them.

The noise that is tolerated is measured on the pictures themselves: it is nothing
where the save could be repeated exactly, and rises by itself for another encoder's
files and for resampled ones. Source: docs/origin-map.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from colophon.originmap.picture import Field, Mask, Pixels, lab

_BLUR = 0.6
_NOISE_SIDE = 9
_LEAK_SIDE = 17
_QUANTILE = 0.4
_FLAT, _EDGE = 0.5, 0.8  # quantiles of the gradient
_MOVED = 0.3
_CLOSE_PER_SIDE = 1200
_HOLE_SHARE = 0.0006
_DETAIL_FLOOR = 0.25
_BUSY = 0.05


@dataclass(frozen=True)
class Limits:
    """From when on a difference counts; distances in dE, area in pixels."""

    low: float
    seed: float
    fewest: int


FILE = Limits(low=2.0, seed=4.0, fewest=24)
PROXY = Limits(low=3.0, seed=6.0, fewest=8)
# Against a picture that was saved several times since.
DRIFT = Limits(low=4.0, seed=8.0, fewest=64)


@dataclass(frozen=True)
class Changed:
    """What differs.

    Attributes:
        mask: visible changes, cleaned up.
        weak: differences without a visible core; they count as unknown.
        distance: dE per pixel.
        detail: log of how much fine detail the picture gained (0: as before).
    """

    mask: Mask
    weak: Mask
    distance: Field
    detail: float


def changed(
    before: Pixels,
    saved: Pixels,
    after: Pixels,
    valid: Mask,
    limits: Limits,
    *,
    blocks: bool,
) -> Changed:
    """Compare the picture before, as it would look saved again, with the one after.

    Args:
        before: aligned and tone-matched.
        saved: the same, saved as the picture after was.
        after: the picture after.
        valid: where they can be compared.
        limits: FILE, or PROXY for smaller copies.
        blocks: whether changes leak over blocks, as they do in JPEG.
    """
    old, new = _smooth(lab(saved)), _smooth(lab(after))
    distance = np.asarray(np.linalg.norm(old - new, axis=2), np.float32)
    sigma = _noise(lab(before), old, distance, valid)
    low = np.maximum(limits.low, 2.5 * sigma)
    if blocks:
        near = cv2.dilate(distance, np.ones((_LEAK_SIDE, _LEAK_SIDE), np.uint8))
        low = np.maximum(low, 0.2 * np.asarray(near))
    faint = (distance > low) & valid
    seeds = (distance > np.maximum(limits.seed, 6 * sigma)) & valid
    mask, weak = _grown(faint, seeds, limits.fewest)
    return Changed(
        _cleaned(mask) & valid, weak, distance, _detail(old, new, valid & ~mask)
    )


def _smooth(values: Field) -> Field:
    return np.asarray(cv2.GaussianBlur(values, (0, 0), _BLUR), np.float32)


def _noise(before: Field, old: Field, distance: Field, valid: Mask) -> Field:
    """The tolerated noise of each pixel, as one standard deviation in dE."""
    moved = np.square(_smooth(before) - old).sum(2)
    local = np.sqrt(np.maximum(cv2.blur(moved, (_NOISE_SIDE, _NOISE_SIDE)), 0))
    light = old[:, :, 0]
    across = cv2.Sobel(light, cv2.CV_32F, 1, 0, scale=0.125)
    down = cv2.Sobel(light, cv2.CV_32F, 0, 1, scale=0.125)
    slope = np.sqrt(np.square(across) + np.square(down))
    if not valid.any():
        return np.full(distance.shape, 0.25, np.float32)
    flat = valid & (slope <= np.quantile(slope[valid], _FLAT))
    edge = valid & (slope >= max(float(np.quantile(slope[valid], _EDGE)), 0.5))
    touched = valid & (local > _MOVED)
    base = np.clip(_low(distance[flat]), 0.25, 1.2)
    kappa = np.clip(_low(distance[touched] / local[touched]), 0.0, 1.5)
    steep = np.clip(_low(distance[edge] / slope[edge]), 0.0, 0.6)
    total = base**2 + np.square(kappa * local) + np.square(steep * slope)
    return np.asarray(np.sqrt(total), np.float32)


def _low(values: NDArray[np.float32]) -> float:
    """A low quantile: what is changed must not make itself tolerated."""
    return float(np.quantile(values, _QUANTILE)) if values.size else 0.0


def _grown(faint: Mask, seeds: Mask, fewest: int) -> tuple[Mask, Mask]:
    """Parts of the faint mask with and without a seed; specks are dropped."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        faint.astype(np.uint8), connectivity=8
    )
    large = stats[:, cv2.CC_STAT_AREA] >= fewest
    seeded = np.bincount(labels[seeds], minlength=count) > 0
    keep = large & seeded
    keep[0] = False
    weak = large & ~seeded
    weak[0] = False
    return keep[labels], weak[labels]


def _cleaned(mask: Mask) -> Mask:
    """Close small gaps and fill small holes."""
    if not mask.any():
        return mask
    radius = round(max(mask.shape) / _CLOSE_PER_SIDE)
    flat = mask.astype(np.uint8)
    if radius:
        disk = cv2.getStructuringElement(
            cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)
        )
        flat = np.asarray(cv2.morphologyEx(flat, cv2.MORPH_CLOSE, disk), np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(1 - flat, connectivity=4)
    small = stats[:, cv2.CC_STAT_AREA] < _HOLE_SHARE * mask.size
    small[0] = False
    filled = small[labels] if count > 1 else np.zeros_like(mask)
    return np.asarray((flat == 1) | filled, np.bool_)


def _detail(old: Field, new: Field, valid: Mask) -> float:
    """Log ratio of the median fine detail, after to before."""
    if valid.mean() < _BUSY:
        return 0.0
    before, after = (
        float(np.median(np.abs(cv2.Laplacian(one[:, :, 0], cv2.CV_32F))[valid]))
        for one in (old, new)
    )
    return float(np.log((after + _DETAIL_FLOOR) / (before + _DETAIL_FLOOR)))
