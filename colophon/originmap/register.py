"""Find geometry that was not declared: turns, flips, crops, resizes, rotations.

First a cheap check at 384 pixels whether two pictures lie on each other at all; only
when they do not, the eight ways to lay a picture, then features, then a fit of the
samples. What does not lower the difference clearly is not believed. Source:
docs/origin-map.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from colophon.originmap.picture import SEEN, Field, Mask, Pixels, Size, size_of

CHECK_SIDE, FEATURE_SIDE, FIT_SIDE = 384, 700, 512
SHIFT, RESPONSE, ALIKE, UNLIKE = 0.8, 0.05, 0.8, 0.35
POINTS, RATIO, RANSAC = 1500, 0.75, 2.0
MIN_INLIERS, MIN_SHARE = 20, 0.30
BETTER = 0.8
ASPECT = 0.01
_PAIR = 2

Matrix = NDArray[np.float64]  # 3 x 3, between frames of width 1 and height 1


@dataclass(frozen=True)
class Warp:
    """A way found from the picture before to the one after.

    Attributes:
        matrix: from the unit square of the one to that of the other.
        words: what it is, for people.
    """

    matrix: Matrix
    words: str

    def __call__(
        self, pixels: NDArray[Any], size: Size, *, nearest: bool = False
    ) -> NDArray[Any]:
        """Samples of the picture before (any scale) as they lie in the one after."""
        return self._laid(pixels, size, nearest=nearest)

    def seen(self, size_before: Size, size: Size) -> Mask:
        """Where the picture after shows something of the picture before."""
        whole = np.full((size_before[1], size_before[0]), SEEN, np.uint8)
        found: Mask = self._laid(whole, size, nearest=True) == SEEN
        return found

    def _laid(self, pixels: NDArray[Any], size: Size, *, nearest: bool) -> NDArray[Any]:
        before = size_of(pixels)
        matrix = _scaled(self.matrix, before, size)
        scale = math.sqrt(abs(float(np.linalg.det(matrix[:2, :2]))))
        if scale < ALIKE and not nearest:
            # Shrink first, averaging: a warp takes single samples.
            small = (
                max(1, round(before[0] * scale)),
                max(1, round(before[1] * scale)),
            )
            pixels = cv2.resize(pixels, small, interpolation=cv2.INTER_AREA)
            matrix = _scaled(self.matrix, small, size)
        way = cv2.INTER_NEAREST if nearest else cv2.INTER_CUBIC
        return np.asarray(
            cv2.warpAffine(
                pixels,
                matrix[:2],
                size,
                flags=way,
                borderMode=cv2.BORDER_CONSTANT,
                borderValue=(0,) * 4,
            )
        )


def lies_on(before: Pixels, after: Pixels) -> bool:
    """Whether two pictures lie on each other without any geometry.

    Pictures of other proportions do not; of other sizes they may.
    """
    if not _same_shape(size_of(before), size_of(after)):
        return False
    size = _fit(size_of(after), CHECK_SIDE)
    one, other = _gray(before, size), _gray(after, size)
    alike = _alike(one, other)
    if alike < UNLIKE:
        return False
    window = cv2.createHanningWindow(size, cv2.CV_32F)
    (x, y), response = cv2.phaseCorrelate(_slope(one), _slope(other), window)
    moved = math.hypot(x, y) > SHIFT and response > RESPONSE
    return not (moved and alike < ALIKE)


def find(before: Pixels, after: Pixels) -> Warp | None:
    """The geometry between two pictures, or None when none can be shown."""
    best = _laid_otherwise(before, after)
    if best is None:
        best = _by_features(before, after)
        best = best and _fitted(best, before, after)
    if best is None or not _helps(best, before, after):
        return None
    return best


def _laid_otherwise(before: Pixels, after: Pixels) -> Warp | None:
    """The same picture turned, flipped or only of another size."""
    size = _fit(size_of(after), CHECK_SIDE)
    other = _gray(after, size)
    found: tuple[float, Warp] | None = None
    for turn in range(4):
        for flip in (False, True):
            matrix = _turned(turn, flip=flip)
            width, height = size_of(before)
            shape = (height, width) if turn % 2 else (width, height)
            if not _same_shape(shape, size_of(after)):
                continue
            warp = Warp(matrix, _words_of(turn, flip=flip))
            alike = _alike(_gray(np.asarray(warp(before, size)), size), other)
            if alike > ALIKE and (found is None or alike > found[0]):
                found = alike, warp
    return found and found[1]


def _by_features(before: Pixels, after: Pixels) -> Warp | None:
    """A similarity between matching points, tried mirrored as well."""
    end = _fit(size_of(after), FEATURE_SIDE)
    start = _fit(size_of(before), FEATURE_SIDE)
    target = _points(_gray(after, end).astype(np.uint8))
    found: tuple[int, Matrix, bool] | None = None
    for flip in (False, True):
        image = _gray(before, start).astype(np.uint8)
        source = _points(image[:, ::-1].copy() if flip else image)
        counted = _similar(source, target)
        if counted and (found is None or counted[0] > found[0]):
            found = counted[0], counted[1], flip
    if found is None:
        return None
    matrix = np.vstack([found[1], [0.0, 0.0, 1.0]])
    unit = _unscaled(matrix, start, end)
    if found[2]:
        unit = unit @ _turned(0, flip=True)
    return Warp(unit, _words(unit, size_of(before), size_of(after), flip=found[2]))


def _points(image: NDArray[np.uint8]) -> tuple[Any, Any]:
    keys, words = cv2.SIFT.create(POINTS).detectAndCompute(image, None)
    return np.array([one.pt for one in keys], np.float32), words


def _similar(
    source: tuple[Any, Any], target: tuple[Any, Any]
) -> tuple[int, Matrix] | None:
    """Inliers and the similarity between two sets of points."""
    if (
        source[1] is None
        or target[1] is None
        or min(map(len, (source[0], target[0]))) < _PAIR
    ):
        return None
    pairs = cv2.BFMatcher(cv2.NORM_L2).knnMatch(source[1], target[1], k=_PAIR)
    good = [
        one[0]
        for one in pairs
        if len(one) == _PAIR and one[0].distance < RATIO * one[1].distance
    ]
    if len(good) < MIN_INLIERS:
        return None
    start = source[0][[one.queryIdx for one in good]]
    end = target[0][[one.trainIdx for one in good]]
    cv2.setRNGSeed(1)  # the same pictures give the same answer
    matrix, inliers = cv2.estimateAffinePartial2D(
        start, end, method=cv2.RANSAC, ransacReprojThreshold=RANSAC
    )
    if matrix is None or inliers is None:
        return None
    count = int(inliers.sum())
    if count < MIN_INLIERS or count < MIN_SHARE * len(good):
        return None
    return count, np.asarray(matrix, np.float64)


def _fitted(warp: Warp, before: Pixels, after: Pixels) -> Warp:
    """The same, fitted to the samples; as it was when that does not converge."""
    size = _fit(size_of(after), FIT_SIDE)
    laid = _gray(np.asarray(warp(before, size)), size)
    seen = warp.seen(_fit(size_of(before), FIT_SIDE), size).astype(np.uint8)
    more: NDArray[Any] = np.eye(2, 3, dtype=np.float32)
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 60, 1e-6)
    try:
        # The map from the picture after to the one laid: inverted below.
        _, fitted = cv2.findTransformECC(
            _gray(after, size), laid, more, cv2.MOTION_AFFINE, criteria, seen, 5
        )
    except cv2.error:
        return warp
    more = np.asarray(fitted)
    step = np.linalg.inv(np.vstack([more, [0.0, 0.0, 1.0]]))
    return Warp(_unscaled(step, size, size) @ warp.matrix, warp.words)


def _helps(warp: Warp, before: Pixels, after: Pixels) -> bool:
    """Whether the warp lowers the median difference clearly."""
    size = _fit(size_of(after), CHECK_SIDE)
    target = _gray(after, size)
    seen = warp.seen(_fit(size_of(before), CHECK_SIDE), size)
    if seen.mean() < 1 - ALIKE:
        return False
    plain = np.median(np.abs(_gray(before, size) - target)[seen])
    laid = np.median(np.abs(_gray(np.asarray(warp(before, size)), size) - target)[seen])
    return bool(laid <= BETTER * plain)


# --- frames -------------------------------------------------------------------------


def _scaled(unit: Matrix, before: Size, after: Size) -> Matrix:
    """From unit squares to pixel centers of two sizes."""
    return _to_pixels(after) @ unit @ np.linalg.inv(_to_pixels(before))


def _unscaled(matrix: Matrix, before: Size, after: Size) -> Matrix:
    found: Matrix = np.linalg.inv(_to_pixels(after)) @ matrix @ _to_pixels(before)
    return found


def _to_pixels(size: Size) -> Matrix:
    """Pixel centers of a unit square: u -> u * width - 0.5."""
    return np.array([[size[0], 0, -0.5], [0, size[1], -0.5], [0, 0, 1]], np.float64)


def _turned(turn: int, *, flip: bool) -> Matrix:
    """Quarter turns counter-clockwise of the unit square, after a flip."""
    matrix = np.eye(3)
    if flip:
        matrix = np.array([[-1.0, 0, 1], [0, 1, 0], [0, 0, 1]])
    quarter = np.array([[0.0, 1, 0], [-1, 0, 1], [0, 0, 1]])
    for _ in range(turn):
        matrix = quarter @ matrix
    return matrix


def _words_of(turn: int, *, flip: bool) -> str:
    said = ["flipped"] if flip else []
    if turn:
        said.append(f"turned by {90 * turn}°")
    return " and ".join(said) or "resized"


def _words(unit: Matrix, before: Size, after: Size, *, flip: bool) -> str:
    """What an affine map does, in words."""
    matrix = _scaled(unit, before, after)
    if flip:
        matrix = matrix @ np.diag([-1.0, 1.0, 1.0])
    angle = -math.degrees(math.atan2(matrix[1, 0], matrix[0, 0]))
    corners = unit @ np.array([[0, 1, 0, 1], [0, 0, 1, 1], [1, 1, 1, 1]])
    outside = max(0 - corners[:2].min(), corners[:2].max() - 1)
    said = ["flipped"] if flip else []
    if abs(angle) > 0.15:  # noqa: PLR2004
        said.append(f"rotated by {angle:.1f}°")
    if outside > ASPECT:
        said.append("cropped")
    return " and ".join(said) or "moved or resized"


# --- samples ------------------------------------------------------------------------


def _fit(size: Size, side: int) -> Size:
    scale = min(1.0, side / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _same_shape(one: Size, other: Size) -> bool:
    return abs(math.log(one[0] * other[1] / (one[1] * other[0]))) < ASPECT


def _gray(pixels: NDArray[Any], size: Size) -> Field:
    if size_of(pixels) != size:
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.float32)


def _slope(gray: Field) -> Field:
    across = cv2.Sobel(gray, cv2.CV_32F, 1, 0)
    down = cv2.Sobel(gray, cv2.CV_32F, 0, 1)
    return np.asarray(cv2.magnitude(across, down), np.float32)


def _alike(one: Field, other: Field) -> float:
    """Correlation of the fine structure, -1 to 1; 1 for two empty pictures."""
    a, b = (
        np.asarray(cv2.Laplacian(cv2.GaussianBlur(gray, (0, 0), 1.0), cv2.CV_32F))
        for gray in (one, other)
    )
    a, b = a - a.mean(), b - b.mean()
    norm = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float((a * b).sum()) / norm if norm > 1 else 1.0
