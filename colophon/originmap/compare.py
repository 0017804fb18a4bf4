"""One step: how the picture before it became the picture after it.

In this order, since each makes the next one possible: lay the one on the other, match
colors, save alike, compare. Source: docs/origin-map.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from colophon.errors import InputError
from colophon.originmap import register
from colophon.originmap.changed import DRIFT, FILE, PROXY, Changed, changed
from colophon.originmap.moves import Geometry, Move, Replay
from colophon.originmap.picture import (
    SEEN,
    Field,
    Mask,
    Picture,
    Pixels,
    Size,
    saved_like,
    shrunk,
    work_size,
)
from colophon.originmap.tone import Matched, match_tone

KERNELS = (
    Image.Resampling.BICUBIC,
    Image.Resampling.BILINEAR,
    Image.Resampling.LANCZOS,
    Image.Resampling.HAMMING,
    Image.Resampling.BOX,
)
EDGE = 4  # pixels next to what lies outside the frame, where kernels differ
DECLARED_GAIN, OTHER_GAIN, OTHER_MOVED = 0.02, 0.12, 0.6
REPORTED_MOVED = 2.0  # below, it is usually an encoder's shift of colors
THIN = 7  # a rim this thin is the soft edge of an edit, and no drift
NEAR = 0.015  # by which the proportions of proxies may differ, of rounding


class Way(Protocol):
    """A way to lay the picture before on the one after, at any scale of either."""

    def __call__(
        self, pixels: NDArray[Any], size: Size, *, nearest: bool = False
    ) -> NDArray[Any]: ...

    def seen(self, size_before: Size, size: Size) -> Mask: ...


@dataclass(frozen=True)
class Compared:
    """What a step did to the whole picture and to parts of it.

    Attributes:
        way: how the picture before lies on the one after.
        geometry: undeclared geometry in words; "" when there is none.
        misfit: the declared geometry does not lead from one picture to the other.
        matched: the change of color; None when there was none.
        valid: where the two could be compared, at the size of the work.
        changed: what differs.
        carry: the step's whole-picture changes, applied to another picture that has
            the frame of the one before.
    """

    way: Way
    geometry: str
    misfit: bool
    matched: Matched | None
    valid: Mask
    changed: Changed
    after: Pixels
    carry: Callable[[Pixels], Pixels]


def compare(
    before: Picture,
    after: Picture,
    *,
    geometry: Geometry | None = None,
    tone_declared: bool = False,
) -> Compared:
    """Compare two pictures of a chain.

    Args:
        before: the output of the step before.
        after: the output of this step.
        geometry: as declared; None when the step tells none.
        tone_declared: whether the step declares a change of color.
    """
    way, found_geometry, misfit = _way(before, after, geometry)
    laid = np.asarray(way(before.pixels, after.size), np.uint8)
    seen = way.seen(before.size, after.size)
    seen = _inner(seen)
    matched = _tone(laid, after.pixels, seen, declared=tone_declared)
    toned = matched.apply(laid) if matched else laid
    size = work_size(after.size)
    saved = shrunk(saved_like(toned, after), size)
    shown = shrunk(after.pixels, size)
    proxy = before.proxy or after.proxy
    valid = _shrunk_mask(seen, size)
    found = changed(
        shrunk(toned, size),
        saved,
        shown,
        valid,
        PROXY if proxy else FILE,
        blocks=after.tables is not None,
    )

    def carry(pixels: Pixels) -> Pixels:
        moved = np.asarray(way(pixels, size), np.uint8)
        return matched.apply(moved) if matched else moved

    return Compared(way, found_geometry, misfit, matched, valid, found, shown, carry)


def _way(
    before: Picture, after: Picture, declared: Geometry | None
) -> tuple[Way, str, bool]:
    """The way, undeclared geometry in words, and whether a declared one is wrong."""
    told = declared or Geometry(before.size)
    try:
        fits = _fits(told, before, after)
        replay = _nearest_kernel(Replay(told), before, after)
        laid = np.asarray(replay(before.pixels, after.size), np.uint8)
    except InputError:
        fits, replay, laid = False, Replay(Geometry(before.size)), before.pixels
    if fits and register.lies_on(laid, after.pixels):
        return replay, "", False
    found = register.find(before.pixels, after.pixels)
    if found is not None:
        return found, found.words, bool(told.moves)
    if fits:
        return replay, "", False
    # Nothing lies on the other: their frames are all that can be compared.
    stretch = Move("resize", (float(after.size[0]), float(after.size[1])))
    stretched = Replay(Geometry(before.size, (stretch,)))
    return stretched, "changed beyond recognition", bool(told.moves)


def _fits(told: Geometry, before: Picture, after: Picture) -> bool:
    """Whether a declared size is the one that is there, rounding aside.

    Of a proxy only the proportions are known.
    """
    width, height = told.size_after()
    if before.proxy or after.proxy:
        aspect = width * after.size[1] / (height * after.size[0])
        return abs(aspect - 1) <= NEAR
    pairs = zip((width, height), after.size, strict=True)
    return before.size == told.of and all(abs(a - b) <= 1 for a, b in pairs)


def _nearest_kernel(replay: Replay, before: Picture, after: Picture) -> Replay:
    """The kernel that comes nearest to what the step used."""
    if not replay.resamples or before.proxy:
        return replay
    size = work_size(after.size)
    target = shrunk(after.pixels, size).astype(np.int16)

    def away(kernel: Image.Resampling) -> float:
        laid = np.asarray(
            replay.with_kernel(kernel)(before.pixels, after.size), np.uint8
        )
        return float(
            np.median(np.abs(shrunk(laid, size).astype(np.int16) - target).sum(2))
        )

    return replay.with_kernel(min(KERNELS, key=away))


def _tone(laid: Pixels, after: Pixels, seen: Mask, *, declared: bool) -> Matched | None:
    """The change of color that is worth matching."""
    found = match_tone(laid, after, seen)
    if found is None:
        return None
    if declared:
        return found if found.gain > DECLARED_GAIN else None
    worth = found.gain > OTHER_GAIN and found.moved > OTHER_MOVED
    return found if worth else None


def _inner(seen: Mask) -> Mask:
    """Without the pixels next to what lies outside; the frame's own edge stays."""
    if seen.all():
        return seen
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * EDGE + 1, 2 * EDGE + 1))
    inner = cv2.erode(seen.astype(np.uint8), disk, borderValue=1)
    return np.asarray(np.asarray(inner) == 1, np.bool_)


def _shrunk_mask(mask: Mask, size: Size) -> Mask:
    flat = cv2.resize(mask.astype(np.uint8) * 255, size, interpolation=cv2.INTER_AREA)
    return np.asarray(np.asarray(flat) == SEEN, np.bool_)


def drift(compared: Compared, attributed: Pixels, after: Picture) -> tuple[Mask, Field]:
    """Where the picture differs from the one whose pixels were last attributed.

    Many steps below what the eye sees add up; each alone changes nothing.

    Args:
        compared: of the step.
        attributed: in the frame of the picture before.
        after: the output of the step.

    Returns:
        The mask without thin rims, and the distance in dE per pixel.
    """
    carried = compared.carry(attributed)
    small = replace(after, pixels=compared.after)
    found = changed(
        carried,
        saved_like(carried, small),
        compared.after,
        compared.valid,
        DRIFT,
        blocks=after.tables is not None,
    )
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (THIN, THIN))
    broad = cv2.morphologyEx(found.mask.astype(np.uint8), cv2.MORPH_OPEN, disk)
    return np.asarray(broad, np.uint8) == 1, found.distance
