"""The geometry that a step declares: crops, resizes, turns, flips and rotations.

Told as JSON in the step's parameter `geometry`: the size of the picture before, and
the acts in their order, in pixels of the step's own files:

    {"of": [3000, 2000],
     "moves": [{"crop": [left, top, right, bottom]}, {"resize": [width, height]},
               {"turn": 90}, {"flip": "horizontal"}, {"rotate": -2.5}]}

Turns and rotations are counter-clockwise; a rotation keeps the size of the picture.
Source: docs/origin-map.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from colophon.errors import InputError
from colophon.originmap.picture import SEEN, Size

PARAMETER = "geometry"
MAX_MOVES = 64
MAX_SIDE = 65_535
HALF_TURN = 180
TURNS = {
    90: Image.Transpose.ROTATE_90,
    180: Image.Transpose.ROTATE_180,
    270: Image.Transpose.ROTATE_270,
}
FLIPS = {
    "horizontal": Image.Transpose.FLIP_LEFT_RIGHT,
    "vertical": Image.Transpose.FLIP_TOP_BOTTOM,
}
_CLOSE = 1e-6


@dataclass(frozen=True)
class Move:
    """One act of geometry: its name and what it was told."""

    name: str
    told: Any


@dataclass(frozen=True)
class Geometry:
    """What a step declares: moves of a picture of some size."""

    of: Size
    moves: tuple[Move, ...] = ()

    def size_after(self) -> tuple[float, float]:
        """The size in pixels that the picture has after its moves."""
        width, height = float(self.of[0]), float(self.of[1])
        for move in self.moves:
            if move.name == "crop":
                left, top, right, bottom = move.told
                width, height = min(right, width) - left, min(bottom, height) - top
            elif move.name == "resize":
                width, height = move.told
            elif move.name == "turn" and move.told != HALF_TURN:
                width, height = height, width
        return width, height


def read_geometry(value: Any) -> Geometry:
    """The declared geometry of a step from JSON.

    Raises:
        InputError: not as docs/origin-map.md has it; the place is named.
    """
    if not isinstance(value, dict) or set(value) != {"of", "moves"}:
        raise InputError("is not an object of `of` and `moves`", PARAMETER)
    width, height = _numbers(value["of"], 2, f"{PARAMETER}/of")
    if min(width, height) < 1:
        raise InputError("is not a width and a height", f"{PARAMETER}/of")
    moves = value["moves"]
    if not isinstance(moves, list) or len(moves) > MAX_MOVES:
        raise InputError(f"is not a list of at most {MAX_MOVES} moves", PARAMETER)
    made = tuple(_move(one, f"{PARAMETER}/moves/{at}") for at, one in enumerate(moves))
    return Geometry((round(width), round(height)), made)


def _move(value: Any, where: str) -> Move:
    if not isinstance(value, dict) or len(value) != 1:
        raise InputError("is not an object with one move", where)
    ((name, told),) = value.items()
    if name == "crop":
        left, top, right, bottom = _numbers(told, 4, where)
        if not (0 <= left < right and 0 <= top < bottom):
            raise InputError("is not left, top, right, bottom inside", where)
        return Move(name, (left, top, right, bottom))
    if name == "resize":
        size = _numbers(told, 2, where)
        if min(size) < 1:
            raise InputError("is not a width and a height", where)
        return Move(name, size)
    if name == "turn" and told in list(TURNS):
        return Move(name, int(told))
    if name == "flip" and told in list(FLIPS):
        return Move(name, told)
    if name == "rotate":
        return Move(name, _numbers([told], 1, where)[0])
    raise InputError("is none of crop, resize, turn, flip, rotate", where)


def _numbers(value: Any, count: int, where: str) -> tuple[float, ...]:
    """So many finite numbers of a sane size."""
    if not isinstance(value, (list, tuple)) or len(value) != count:
        raise InputError(f"is not {count} numbers", where)
    for one in value:
        number = isinstance(one, (int, float)) and not isinstance(one, bool)
        if not number or not math.isfinite(one) or abs(one) > MAX_SIDE:
            raise InputError(f"is not {count} numbers", where)
    return tuple(float(one) for one in value)


@dataclass(frozen=True)
class _Frame:
    """Samples at any scale, the part of them that is left, and its size in pixels."""

    image: Image.Image
    box: tuple[float, float, float, float]
    size: tuple[float, float]


@dataclass(frozen=True)
class Replay:
    """Declared moves as a way from the picture before to the picture after.

    Attributes:
        geometry: as the step declares it.
        kernel: how samples are made where the grid changes.
    """

    geometry: Geometry
    kernel: Image.Resampling = Image.Resampling.BICUBIC

    def __call__(
        self, pixels: NDArray[Any], size: Size, *, nearest: bool = False
    ) -> NDArray[Any]:
        """Samples of the picture before (any scale) as they lie in the one after."""
        kernel = Image.Resampling.NEAREST if nearest else self.kernel
        image = Image.fromarray(pixels)
        frame = _Frame(image, _whole(image), _floats(self.geometry.of))
        for move in self.geometry.moves:
            frame = _moved(frame, move, kernel)
        return np.asarray(_realized(frame, size, kernel))

    def seen(self, size_before: Size, size: Size) -> NDArray[np.bool_]:
        """Where the picture after shows something of the picture before."""
        whole = np.full((size_before[1], size_before[0]), SEEN, np.uint8)
        found: NDArray[np.bool_] = self(whole, size, nearest=True) == SEEN
        return found

    @property
    def resamples(self) -> bool:
        """Whether samples fall between those of the picture before."""
        return any(move.name in {"resize", "rotate"} for move in self.geometry.moves)

    def with_kernel(self, kernel: Image.Resampling) -> Replay:
        """The same moves with another kernel."""
        return replace(self, kernel=kernel)


def _moved(frame: _Frame, move: Move, kernel: Image.Resampling) -> _Frame:
    if move.name == "crop":
        return _cropped(frame, move.told)
    if move.name == "resize":
        return replace(frame, size=move.told)
    if move.name == "rotate":
        scale = min(1.0, _scale(frame))
        size = (
            max(1, round(frame.size[0] * scale)),
            max(1, round(frame.size[1] * scale)),
        )
        flat = _realized(frame, size, kernel)
        smooth = Image.Resampling.BICUBIC
        way = kernel if kernel == Image.Resampling.NEAREST else smooth
        if kernel == Image.Resampling.BILINEAR:
            way = kernel
        turned = flat.rotate(move.told, way)
        return _Frame(turned, _whole(turned), frame.size)
    way_ = FLIPS[move.told] if move.name == "flip" else TURNS[move.told]
    return _transposed(frame, way_)


def _scale(frame: _Frame) -> float:
    left, top, right, bottom = frame.box
    return max((right - left) / frame.size[0], (bottom - top) / frame.size[1])


def _cropped(frame: _Frame, told: tuple[float, ...]) -> _Frame:
    left, top, right, bottom = frame.box
    across = (right - left) / frame.size[0]
    down = (bottom - top) / frame.size[1]
    box = (
        left + told[0] * across,
        top + told[1] * down,
        min(right, left + told[2] * across),
        min(bottom, top + told[3] * down),
    )
    if box[2] - box[0] < 1 or box[3] - box[1] < 1:
        raise InputError("crops to nothing", PARAMETER)
    size = (
        min(told[2], frame.size[0]) - told[0],
        min(told[3], frame.size[1]) - told[1],
    )
    return _Frame(frame.image, box, size)


def _transposed(frame: _Frame, way: Image.Transpose) -> _Frame:
    """Turn or flip the samples, and the box with them."""
    width, height = frame.image.size
    left, top, right, bottom = frame.box
    box, size = frame.box, frame.size
    if way == Image.Transpose.FLIP_LEFT_RIGHT:
        box = (width - right, top, width - left, bottom)
    elif way == Image.Transpose.FLIP_TOP_BOTTOM:
        box = (left, height - bottom, right, height - top)
    elif way == Image.Transpose.ROTATE_180:
        box = (width - right, height - bottom, width - left, height - top)
    elif way == Image.Transpose.ROTATE_90:
        box, size = (top, width - right, bottom, width - left), size[::-1]
    else:
        box, size = (height - bottom, left, height - top, right), size[::-1]
    return _Frame(frame.image.transpose(way), box, (size[0], size[1]))


def _realized(frame: _Frame, size: Size, kernel: Image.Resampling) -> Image.Image:
    """The part that is left, at the size that is wanted; exact where it can be."""
    box = tuple(round(edge) for edge in frame.box)
    exact = all(
        abs(a - b) < _CLOSE * max(frame.image.size)
        for a, b in zip(box, frame.box, strict=True)
    )
    if exact and (box[2] - box[0], box[3] - box[1]) == size:
        return frame.image.crop((box[0], box[1], box[2], box[3]))
    return frame.image.resize(size, kernel, box=frame.box)


def _floats(size: Size) -> tuple[float, float]:
    return float(size[0]), float(size[1])


def _whole(image: Image.Image) -> tuple[float, float, float, float]:
    return 0.0, 0.0, float(image.width), float(image.height)
