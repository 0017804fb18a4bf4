"""What watched methods of Pillow did to a picture's geometry, as a step declares it.

Said only when every act that moves pixels is one of those that can be declared: a
declaration with a hole would be worse than none, because without one the geometry is
searched for. Source: docs/origin-map.md, "Declared geometry".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from colophon.pillow_acts import (
    ADDED_TEXT,
    ADJUSTED,
    DRAWING,
    FILTERED,
    PLACED,
    TRANSCODED,
    History,
)

Size = tuple[int, int]
PARAMETER = "geometry"
# What never moves a pixel elsewhere.
STILL = {ADDED_TEXT, ADJUSTED, DRAWING, FILTERED, PLACED, TRANSCODED}
TURNED: dict[Any, dict[str, Any]] = {
    "FLIP_LEFT_RIGHT": {"flip": "horizontal"},
    "FLIP_TOP_BOTTOM": {"flip": "vertical"},
    "ROTATE_90": {"turn": 90},
    "ROTATE_180": {"turn": 180},
    "ROTATE_270": {"turn": 270},
}
# Pillow takes the numbers of its constants as well.
TURNED |= dict(enumerate(TURNED.values()))


def geometry_of(history: History) -> dict[str, Any] | None:
    """The geometry of all acts; None when there is none, or it cannot be declared."""
    size = history.parent.size if history.parent else None
    if size is None or history.mixed:
        return None
    moves, now = [], size
    for act in history.acts:
        if act.action in STILL:
            continue
        move = _move(act.method, act.told)
        if move is None or not _is_inside(move, now):
            return None
        moves.append(move)
        now = _size_after(move, now)
    return {"of": list(size), "moves": moves} if moves else None


def _is_inside(move: dict[str, Any], size: Size) -> bool:
    """Whether a crop takes a part of the picture, and nothing beside it."""
    if "crop" not in move:
        return True
    left, top, right, bottom = move["crop"]
    return bool(0 <= left < right <= size[0] and 0 <= top < bottom <= size[1])


def _size_after(move: dict[str, Any], size: Size) -> Size:
    if "crop" in move:
        left, top, right, bottom = move["crop"]
        return right - left, bottom - top
    if "resize" in move:
        return move["resize"][0], move["resize"][1]
    return (size[1], size[0]) if move.get("turn") in {90, 270} else size


def _move(method: str, told: Mapping[str, Any]) -> dict[str, Any] | None:
    if method == "crop" and told.get("box") is not None:
        return {"crop": told["box"]}
    if method == "resize" and told.get("box") is None:
        return {"resize": told["size"]}
    if method == "transpose":
        return TURNED.get(told["method"])
    if method in {"mirror", "flip"}:
        return {"flip": "horizontal" if method == "mirror" else "vertical"}
    if method == "rotate" and told.get("center") is told.get("translate") is None:
        return _rotation(told["angle"] % 360, expand=bool(told.get("expand")))
    return None


def _rotation(angle: float, *, expand: bool) -> dict[str, Any] | None:
    """A rotation keeps the size; one that makes room is told for right angles only."""
    if expand:
        return {"turn": int(angle)} if angle in {90, 180, 270} else None
    return {"rotate": angle}
