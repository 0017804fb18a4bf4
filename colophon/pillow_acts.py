"""Which method of Pillow is which C2PA action, and what a picture went through.

Tables and values only: `colophon.autolog_pillow` watches the methods and records.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from colophon.acts import CREATED
from colophon.drafts import plain_value

ADDED_TEXT = "c2pa.addedText"
ADJUSTED = "c2pa.adjustedColor"
CONVERTED = "c2pa.converted"
CROPPED = "c2pa.cropped"
DRAWING = "c2pa.drawing"
EDITED = "c2pa.edited"
FILTERED = "c2pa.filtered"
ORIENTATION = "c2pa.orientation"
PLACED = "c2pa.placed"
RESIZED = "c2pa.resized"
TRANSCODED = "c2pa.transcoded"
NOTHING = ""  # the picture is handed on as it is

# What other parts of Pillow do with a picture, by the module or class that has it.
IMAGE = {
    "alpha_composite": PLACED,
    "convert": ADJUSTED,
    "copy": NOTHING,
    "crop": CROPPED,
    "effect_spread": FILTERED,
    "filter": FILTERED,
    "getchannel": EDITED,
    "paste": PLACED,
    "point": ADJUSTED,
    "putalpha": EDITED,
    "putpalette": ADJUSTED,
    "putpixel": DRAWING,
    "quantize": ADJUSTED,
    "reduce": RESIZED,
    "remap_palette": ADJUSTED,
    "resize": RESIZED,
    "rotate": ORIENTATION,
    "split": EDITED,
    "thumbnail": RESIZED,
    "transform": EDITED,
    "transpose": ORIENTATION,
}
# These put pixels of any origin into a picture: nothing can be said of it then.
FILLED = ("frombytes", "putdata")
FILLED_NEW = ("fromarray", "fromarrow", "frombuffer", "frombytes")
MODULE = {
    "alpha_composite": PLACED,
    "blend": PLACED,
    "composite": PLACED,
    "merge": EDITED,
}
OPS = {
    "autocontrast": ADJUSTED,
    "colorize": ADJUSTED,
    "contain": RESIZED,
    "cover": RESIZED,
    "crop": CROPPED,
    "deform": EDITED,
    "equalize": ADJUSTED,
    "exif_transpose": ORIENTATION,
    "expand": EDITED,
    "fit": CROPPED,
    "flip": ORIENTATION,
    "grayscale": ADJUSTED,
    "invert": ADJUSTED,
    "mirror": ORIENTATION,
    "pad": EDITED,
    "posterize": ADJUSTED,
    "scale": RESIZED,
    "solarize": ADJUSTED,
}
CHOPS = dict.fromkeys(
    (
        "add",
        "add_modulo",
        "darker",
        "difference",
        "hard_light",
        "invert",
        "lighter",
        "multiply",
        "offset",
        "overlay",
        "screen",
        "soft_light",
        "subtract",
        "subtract_modulo",
    ),
    EDITED,
)
DRAW = {
    "arc": DRAWING,
    "bitmap": DRAWING,
    "chord": DRAWING,
    "circle": DRAWING,
    "ellipse": DRAWING,
    "line": DRAWING,
    "multiline_text": ADDED_TEXT,
    "pieslice": DRAWING,
    "point": DRAWING,
    "polygon": DRAWING,
    "rectangle": DRAWING,
    "regular_polygon": DRAWING,
    "rounded_rectangle": DRAWING,
    "text": ADDED_TEXT,
}
MOST_ACTS = 60  # a step has 64 parameters
MOST_ITEMS = 64
MOST_TEXT = 2_000
MOST_DEPTH = 4


@dataclass(frozen=True)
class Act:
    """One call, with what it was told; `times` counts equal ones in a row."""

    action: str
    method: str
    told: Mapping[str, Any]
    times: int = 1

    @property
    def value(self) -> dict[str, Any]:
        """The act as a parameter of the step."""
        again = {"times": self.times} if self.times > 1 else {}
        return {"method": self.method, **self.told, **again}


@dataclass(frozen=True)
class Known:
    """A file that a picture came from, with its smaller copy where one was made.

    Attributes:
        size: width and height; None where it is not known, or the file lies on its
            side and viewers turn it.
    """

    name: str
    digest: bytes
    form: str = ""
    size: tuple[int, int] | None = field(default=None, compare=False)
    copy: bytes | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class History:
    """Where a picture came from and what it went through.

    Attributes:
        parent: the file that was opened; None for one that began empty.
        parts: files of other pictures that came in.
        mixed: acts of another picture are among these.
        problem: why nothing true can be said of it.
    """

    parent: Known | None = None
    parts: tuple[Known, ...] = ()
    acts: tuple[Act, ...] = ()
    problem: str = ""
    mixed: bool = False

    def after(self, act: Act) -> History:
        """This picture once more has happened to it."""
        if not act.action:
            return self
        last = self.acts[-1] if self.acts else None
        drawn = act.action in {DRAWING, ADDED_TEXT}
        if last and drawn and (last.action, last.method) == (act.action, act.method):
            # A drawing may have a hundred thousand strokes: the first, and how many.
            return self._with_last(replace(last, times=last.times + 1))
        if len(self.acts) < MOST_ACTS:
            return replace(self, acts=(*self.acts, act))
        last = self.acts[-1]
        if last.method != "more":
            last = Act(EDITED, "more", {"methods": [last.method]})
        methods = sorted({*last.told["methods"], act.method})
        more = replace(last, told={"methods": methods}, times=last.times + 1)
        return self._with_last(more)

    def joined(self, other: History) -> History:
        """This picture with another one in it, and what that one went through."""
        came = () if other.parent is None else (other.parent,)
        parts = [
            one
            for one in (*came, *other.parts)
            if one != self.parent and one not in self.parts
        ]
        made = replace(
            self,
            parts=(*self.parts, *dict.fromkeys(parts)),
            problem=self.problem or other.problem,
            mixed=self.mixed or bool(other.acts),
        )
        for act in other.acts:
            if act not in self.acts:
                made = made.after(act)
        return made

    def _with_last(self, act: Act) -> History:
        return replace(self, acts=(*self.acts[:-1], act))

    def action(self, form: str) -> str:
        """The one action that a step says for all of it.

        Args:
            form: Pillow's name of the format that is saved.
        """
        if self.parent is None:
            return CREATED
        found = {act.action for act in self.acts}
        if len(found) == 1:
            return found.pop()
        if found:
            return EDITED
        return TRANSCODED if form == self.parent.form else CONVERTED

    @property
    def composed(self) -> bool:
        """Whether something came in that was not in the parent."""
        added = {DRAWING, ADDED_TEXT, PLACED}
        return bool(self.parts) or any(act.action in added for act in self.acts)


def described(value: Any, depth: int = 0) -> Any:
    """What a method was told, as JSON of bounded size.

    Pictures are told by their size, enumerations by their names, filters and fonts by
    their kind and plain attributes; of functions and raw bytes only the type is told.
    """
    if isinstance(value, enum.Enum):
        return value.name
    if value is None or isinstance(value, (str, int, float)):
        return plain_value(value[:MOST_TEXT] if isinstance(value, str) else value)
    if depth >= MOST_DEPTH or isinstance(value, (bytes, bytearray)):
        return type(value).__name__
    if isinstance(value, Mapping):
        pairs = list(value.items())[:MOST_ITEMS]
        return {str(k)[:64]: described(one, depth + 1) for k, one in pairs}
    if isinstance(value, Sequence):
        items = [described(one, depth + 1) for one in value[:MOST_ITEMS]]
        left = len(value) - MOST_ITEMS
        return [*items, f"and {left} more"] if left > 0 else items
    return _of_kind(value)


def _of_kind(value: Any) -> Any:
    """An object by its kind, with the plain numbers and words that it carries."""
    if getattr(value, "shape", None) == () and hasattr(value, "item"):
        return plain_value(value)
    kind = value.__name__ if isinstance(value, type) else type(value).__name__
    if hasattr(value, "getbands") and hasattr(value, "size"):
        return {"picture": plain_value(list(value.size))}
    simple = (bool, int, float, str, tuple)
    carried = getattr(value, "__dict__", {})
    plain = {
        name: described(one, MOST_DEPTH - 2)
        for name, one in list(carried.items())[:MOST_ITEMS]
        if isinstance(one, simple) and name[:1] != "_" and name not in {"name", "path"}
    }
    return {"kind": kind, **plain}
