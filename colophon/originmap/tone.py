"""Match a color change over the whole picture: a polynomial, curves, or both.

Neither model does it alone: a cubic polynomial cannot follow clipped contrast, curves
by channel cannot follow a change of saturation. All of them are fitted on a small
copy, and the one that leaves most pixels alike is taken. Source: docs/origin-map.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from colophon.originmap.picture import SEEN, Field, Mask, Pixels, lab, size_of

SIDE = 96  # small enough that an edit in place of a tone change does not fit
SAME_DE = 1.5
SETTLED = 0.99  # of the pixels alike: there is nothing left to match
PER_STAGE = 0.005  # a simpler model wins where two are equally good
TABLE = 17
MOST_SAMPLES = 3_000
_TUKEY = 4.0
PLAIN_TURNS, TUKEY_TURNS = 6, 6
_LEVELS = 256
_FEWEST = 64

Tone = Callable[[Pixels], Pixels]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Matched:
    """How the colors moved.

    Attributes:
        apply: to samples of the picture before.
        gain: by how much the share of pixels that look the same grew, 0 to 1.
        moved: mean distance in dE that the colors moved.
    """

    apply: Tone
    gain: float
    moved: float


def match_tone(before: Pixels, after: Pixels, valid: Mask) -> Matched | None:
    """The change of color that explains most; None when none helps.

    Args:
        before: in the frame of the picture after, of its size.
        after: the picture after.
        valid: where the two can be compared.
    """
    small = _small(size_of(after))
    area = cv2.INTER_AREA
    a = np.asarray(cv2.resize(before, small, interpolation=area), np.uint8)
    b = np.asarray(cv2.resize(after, small, interpolation=area), np.uint8)
    seen = cv2.resize(valid.astype(np.uint8) * 255, small, interpolation=area) == SEEN
    if seen.sum() < _FEWEST:
        return None
    target, start = lab(b)[seen], lab(a)[seen]
    base = _same(start, target)
    if base > SETTLED:
        return None
    best: tuple[float, Tone] | None = None
    for stages, tone in _candidates(a, b, seen):
        share = _same(lab(tone(a))[seen], target) - PER_STAGE * stages
        if best is None or share > best[0]:
            best = share, tone
    if best is None or best[0] <= base:
        return None
    moved = float(np.linalg.norm(lab(best[1](a))[seen] - start, axis=1).mean())
    return Matched(best[1], best[0] - base, moved)


def _candidates(a: Pixels, b: Pixels, seen: Mask) -> list[tuple[int, Tone]]:
    polynomial = _polynomial(a[seen], b[seen])
    curves = _curves(a[seen], b[seen])
    late = _curves(polynomial(a)[seen], b[seen])
    early = _polynomial(curves(a)[seen], b[seen])
    return [
        (1, polynomial),
        (1, curves),
        (2, lambda pixels: late(polynomial(pixels))),
        (2, lambda pixels: early(curves(pixels))),
    ]


def _small(size: tuple[int, int]) -> tuple[int, int]:
    scale = min(1.0, SIDE / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _same(one: Field, other: Field) -> float:
    """The share of pixels that look the same."""
    return float((np.linalg.norm(one - other, axis=1) < SAME_DE).mean())


# --- polynomial ---------------------------------------------------------------------


def _terms(colors: Floats) -> Floats:
    """Thirteen terms up to the third degree."""
    r, g, b = colors.T
    one = np.ones_like(r)
    return np.stack(
        [one, r, g, b, r * r, g * g, b * b, r * g, r * b, g * b, r**3, g**3, b**3], 1
    )


def _polynomial(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> Tone:
    """Fit robustly: absolute distances first, then Tukey's weights."""
    every = max(1, len(a) // MOST_SAMPLES)
    x, y = _terms(a[::every] / 255.0), b[::every] / 255.0
    weights = np.ones(len(x))
    fit: NDArray[Any] = np.zeros((x.shape[1], 3))
    for turn in range(PLAIN_TURNS + TUKEY_TURNS):
        root = np.sqrt(weights)[:, None]
        ridge = 1e-4 * np.eye(x.shape[1])
        fit = np.linalg.solve(
            (x * root).T @ (x * root) + ridge, (x * root).T @ (y * root)
        )
        away = np.linalg.norm(x @ fit - y, axis=1)
        if turn < PLAIN_TURNS:
            weights = 1 / np.maximum(away, 1e-3)
        else:
            scale = _TUKEY * max(1.4826 * float(np.median(away)), 1e-3)
            weights = np.square(np.maximum(0.0, 1 - np.square(away / scale))) + 1e-6
    steps = np.linspace(0, 1, TABLE)
    blue, green, red = np.meshgrid(steps, steps, steps, indexing="ij")
    grid = np.stack([red.ravel(), green.ravel(), blue.ravel()], 1)
    table = np.clip(_terms(grid) @ fit, 0, 1).ravel().tolist()
    cube = ImageFilter.Color3DLUT(TABLE, table)

    def apply(pixels: Pixels) -> Pixels:
        return np.asarray(Image.fromarray(pixels).filter(cube))

    return apply


# --- curves -------------------------------------------------------------------------


def _curves(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> Tone:
    """One rising curve for each channel: what a level became, by the median."""
    tables = np.stack([_curve(a[:, one], b[:, one]) for one in range(3)], 1)

    def apply(pixels: Pixels) -> Pixels:
        return np.asarray(cv2.LUT(pixels, tables[None]), np.uint8)

    return apply


def _curve(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> NDArray[np.uint8]:
    order = np.argsort(a, kind="stable")
    levels, first = np.unique(a[order].astype(np.int64), return_index=True)
    parts = np.split(b[order].astype(np.float64), first[1:])
    medians = np.array([np.median(part) for part in parts])
    rising = _rising(medians, np.array([len(part) for part in parts], np.float64))
    # Outside what was seen: go on with the slope one, as most editors do.
    low = rising[0] - levels[0] + np.arange(levels[0])
    high = rising[-1] + np.arange(1, _LEVELS - levels[-1])
    middle = np.interp(np.arange(levels[0], int(levels[-1]) + 1), levels, rising)
    table = np.concatenate([low, middle, high])
    found: NDArray[np.uint8] = np.clip(np.round(table), 0, 255).astype(np.uint8)
    return found


def _rising(values: Floats, weights: Floats) -> Floats:
    """The nearest sequence that never falls (pool adjacent violators)."""
    pools: list[list[float]] = []  # value, weight, count
    for value, weight in zip(values, weights, strict=True):
        pools.append([float(value), float(weight), 1.0])
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            last, before = pools.pop(), pools[-1]
            total = before[1] + last[1]
            before[0] = (before[0] * before[1] + last[0] * last[1]) / total
            before[1], before[2] = total, before[2] + last[2]
    return np.concatenate([np.full(int(count), value) for value, _, count in pools])
