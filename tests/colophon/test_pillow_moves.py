"""What Pillow did to the geometry: declared as the map reads it, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps

from colophon.autolog_pillow import autolog_pillow
from colophon.originmap.moves import Replay, read_geometry
from tests.colophon.originmap.scenes import scene
from tests.colophon.recorded import kept, offline

SIZE = (48, 36)
CUBIC = Image.Resampling.BICUBIC
Transpose = Image.Transpose
Do = Callable[[Image.Image], Image.Image]


def values_of(folder: Path, do: Do, exif: bytes = b"") -> dict[str, Any]:
    """What the step commits to after something was done to a photograph."""
    run, photo = offline(folder / "home", strict=True), folder / "photo.png"
    scene(1, SIZE).save(photo, exif=exif)
    with autolog_pillow(run), Image.open(photo) as image:
        do(image).save(folder / "made.png")
    ((_, values),) = kept(run)
    return values


def drawn_on(image: Image.Image) -> Image.Image:
    made = image.crop((4, 2, 40, 30))
    ImageDraw.Draw(made).rectangle((1, 1, 3, 3), "red")
    return made


@pytest.mark.parametrize(
    ("do", "moves"),
    [
        (lambda i: i.crop((4, 2, 40, 30)), [{"crop": [4, 2, 40, 30]}]),
        (lambda i: i.resize((20, 10), CUBIC), [{"resize": [20, 10]}]),
        (lambda i: i.transpose(Transpose.ROTATE_90), [{"turn": 90}]),
        (ImageOps.mirror, [{"flip": "horizontal"}]),
        (lambda i: i.rotate(-270, expand=True), [{"turn": 90}]),
        (lambda i: i.rotate(3.5, CUBIC), [{"rotate": 3.5}]),
        (
            lambda i: i.crop((4, 2, 40, 30)).transpose(1).resize((18, 14), CUBIC),
            [{"crop": [4, 2, 40, 30]}, {"flip": "vertical"}, {"resize": [18, 14]}],
        ),
    ],
    ids=["crop", "resize", "turn", "mirror", "turn with room", "rotate", "all"],
)
def test_what_is_declared_leads_to_what_was_saved(
    tmp_path: Path, do: Do, moves: list[dict[str, Any]]
) -> None:
    told = values_of(tmp_path, do)["geometry"]
    assert told == {"of": list(SIZE), "moves": moves}
    way = Replay(read_geometry(told), CUBIC)
    with Image.open(tmp_path / "made.png") as made:
        after, size = np.asarray(made), made.size
    again = way(np.asarray(scene(1, SIZE)), size)
    # A crop that is resized next is replayed at once, with what lay beside it.
    assert np.abs(again.astype(int) - after).mean() <= 1


def test_drawing_moves_nothing(tmp_path: Path) -> None:
    told = values_of(tmp_path, drawn_on)["geometry"]
    assert told["moves"] == [{"crop": [4, 2, 40, 30]}]


def pasted(image: Image.Image) -> Image.Image:
    made = image.copy()
    made.paste(image.resize((10, 10)), (2, 2))
    return made


def small(image: Image.Image) -> Image.Image:
    made = image.copy()
    made.thumbnail((20, 20))
    return made


@pytest.mark.parametrize(
    "do",
    [
        lambda i: i.copy(),
        lambda i: i.crop((-2, 0, 20, 20)),
        lambda i: i.crop((0, 0, 49, 36)),
        lambda i: i.resize((20, 10), box=(0, 0, 24, 18)),
        lambda i: i.rotate(20, expand=True),
        lambda i: i.rotate(20, center=(1, 1)),
        lambda i: i.transpose(Transpose.TRANSVERSE),
        lambda i: ImageOps.fit(i, (20, 10)),
        lambda i: ImageOps.expand(i.crop((0, 0, 20, 20)), 3),
        pasted,
        small,
    ],
)
def test_what_cannot_be_declared_whole_is_not_declared(tmp_path: Path, do: Do) -> None:
    def saved(image: Image.Image) -> Image.Image:
        return do(image).point(lambda value: value // 2)

    assert "geometry" not in values_of(tmp_path, saved)


def test_a_picture_on_its_side_declares_nothing(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    do: Do = lambda i: i.crop((4, 2, 40, 30))  # noqa: E731 - as above
    assert "geometry" not in values_of(tmp_path, do, exif.tobytes())
