from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from colophon.originmap.blame import UNKNOWN, Does, Kind, Link, blame
from colophon.originmap.moves import Geometry, Move
from colophon.originmap.picture import Picture
from tests.colophon.originmap.scenes import overlap, painted, read, saved, scene

BOX = (120, 90, 260, 220)
RED = (200, 30, 40)


def opened(data: bytes) -> Image.Image:
    return Image.fromarray(read(data).pixels)


def begin(data: bytes, kind: Kind = Kind.AI) -> Link:
    return Link(read(data), kind, Does.BEGIN)


def codes(links: list[Link]) -> set[str]:
    return {one.code for one in blame(links).findings}


def test_a_painted_part_belongs_to_whoever_painted_it() -> None:
    start = saved(scene())
    edited, truth = painted(opened(start), BOX, RED)
    made = blame([begin(start), Link(read(saved(edited)), Kind.HUMAN, Does.LOCAL)])
    assert overlap(made.labels == 1, truth) > 0.95
    assert made.findings == []
    shares = made.shares()
    assert shares[Kind.HUMAN] == pytest.approx(truth.mean(), abs=0.005)
    assert sum(shares.values()) == pytest.approx(1)


@pytest.mark.parametrize("quality", [60, 75, 85, 95])
def test_saving_again_changes_nothing(quality: int) -> None:
    start = saved(scene(2), quality=92)
    again = saved(opened(start), quality=quality)
    made = blame([begin(start), Link(read(again), Kind.PROGRAM, Does.SAVE)])
    assert (made.labels == 0).mean() > 0.999
    assert made.findings == []


def test_another_writers_file_changes_next_to_nothing() -> None:
    start = saved(scene(3))
    again = saved(opened(start), "WEBP")
    made = blame([begin(start), Link(read(again), Kind.PROGRAM, Does.SAVE)])
    assert (made.labels == 0).mean() > 0.99
    assert made.findings == []


def test_what_no_step_says_is_named_and_unknown() -> None:
    start = saved(scene(4))
    edited, truth = painted(opened(start), BOX, RED)
    links = [begin(start), Link(read(saved(edited)), Kind.HUMAN, Does.SAVE)]
    made = blame(links)
    assert codes(links) == {"local"}
    assert overlap(made.labels == UNKNOWN, truth) > 0.95
    assert made.shares()[Kind.HUMAN] == 0


@pytest.mark.parametrize(
    ("move", "change"),
    [
        (
            Move("crop", (30.0, 20.0, 430.0, 330.0)),
            lambda one: one.crop((30, 20, 430, 330)),
        ),
        (
            Move("resize", (360.0, 270.0)),
            lambda one: one.resize((360, 270), Image.Resampling.LANCZOS),
        ),
        (Move("turn", 90), lambda one: one.transpose(Image.Transpose.ROTATE_90)),
        (
            Move("flip", "horizontal"),
            lambda one: one.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        ),
        (Move("rotate", 3.0), lambda one: one.rotate(3, Image.Resampling.BICUBIC)),
    ],
    ids=lambda one: getattr(one, "name", ""),
)
def test_geometry_that_is_declared_is_replayed_and_else_named(
    move: Move, change: Callable[[Image.Image], Image.Image]
) -> None:
    start = saved(scene(5))
    edited, truth = painted(opened(start), BOX, RED)
    middle = saved(edited)
    last = saved(change(opened(middle)))
    first = [begin(start), Link(read(middle), Kind.HUMAN, Does.LOCAL)]
    told = Geometry((480, 360), (move,))
    honest = [*first, Link(read(last), Kind.HUMAN, Does.GEOMETRY, told)]
    made = blame(honest)
    moved = np.asarray(change(Image.fromarray(truth.astype(np.uint8) * 255))) > 127
    assert overlap(made.labels == 1, moved) > 0.93
    assert made.findings == []
    assert move.name in [word for _, word in made.whole]
    silent = [*first, Link(read(last), Kind.HUMAN, Does.LOCAL)]
    assert "geometry" in codes(silent)
    assert overlap(blame(silent).labels == 1, moved) > 0.9  # found all the same


def test_a_declared_crop_that_does_not_lead_here_is_named() -> None:
    start = saved(scene(6))
    last = saved(opened(start).crop((30, 20, 430, 330)))
    lie = Geometry((480, 360), (Move("crop", (80.0, 50.0, 480.0, 360.0)),))
    links = [begin(start), Link(read(last), Kind.HUMAN, Does.GEOMETRY, lie)]
    assert codes(links) == {"misfit"}


def test_a_step_that_says_geometry_without_numbers_is_believed() -> None:
    start = saved(scene(6))
    last = saved(opened(start).crop((30, 20, 430, 330)))
    made = blame([begin(start), Link(read(last), Kind.HUMAN, Does.GEOMETRY)])
    assert made.findings == []
    assert (made.labels == 0).mean() > 0.99


@pytest.mark.parametrize(
    "tool", [ImageEnhance.Contrast, ImageEnhance.Color, ImageEnhance.Brightness]
)
def test_a_change_of_tone_makes_nobody_the_owner(
    tool: Callable[[Image.Image], Any],
) -> None:
    start = saved(scene(7))
    last = read(saved(tool(opened(start)).enhance(1.3)))
    made = blame([begin(start), Link(last, Kind.HUMAN, Does.TONE)])
    assert (made.labels == 0).mean() > 0.98
    assert made.findings == []
    assert (1, "colors changed") in made.whole
    assert codes([begin(start), Link(last, Kind.HUMAN, Does.LOCAL)]) == {"tone"}


def test_a_hidden_edit_under_a_change_of_tone_is_found() -> None:
    start = saved(scene(8))
    edited, truth = painted(opened(start), BOX, RED)
    last = read(saved(ImageEnhance.Contrast(edited).enhance(1.2)))
    links = [begin(start), Link(last, Kind.HUMAN, Does.TONE)]
    assert codes(links) == {"local"}
    assert overlap(blame(links).labels == UNKNOWN, truth) > 0.9


def test_a_picture_that_a_model_made_anew_is_the_models() -> None:
    start, last = saved(scene(9)), saved(scene(10))
    declared = blame([begin(start, Kind.HUMAN), Link(read(last), Kind.AI, Does.REMAKE)])
    assert declared.shares()[Kind.AI] == 1
    replaced = blame([begin(start, Kind.HUMAN), Link(read(last), Kind.AI, Does.ANY)])
    assert replaced.shares()[Kind.AI] == 1


def test_a_person_cannot_take_a_whole_picture_with_one_edit() -> None:
    start, last = saved(scene(9)), saved(scene(10))
    links = [begin(start), Link(read(last), Kind.HUMAN, Does.LOCAL)]
    made = blame(links)
    assert made.shares()[Kind.HUMAN] == 0
    assert made.shares()[Kind.UNKNOWN] > 0.6
    assert "unmatched" in codes(links)


def noisy(picture: Picture, strength: float) -> Picture:
    rng = np.random.default_rng(11)
    moved = picture.pixels + rng.normal(0, strength, picture.pixels.shape)
    pixels = np.clip(np.round(moved), 0, 255).astype(np.uint8)
    return read(saved(Image.fromarray(pixels), quality=95))


@pytest.mark.parametrize("strength", [0.7, 1.5])
def test_noise_that_nobody_sees_takes_nothing(strength: float) -> None:
    start = saved(scene(11))
    made = blame(
        [begin(start), Link(noisy(read(start), strength), Kind.HUMAN, Does.LOCAL)]
    )
    assert made.shares()[Kind.HUMAN] < 0.001


def test_grain_over_everything_takes_nothing_and_is_named() -> None:
    start = saved(scene(12))
    links = [begin(start), Link(noisy(read(start), 10), Kind.HUMAN, Does.LOCAL)]
    assert blame(links).shares()[Kind.HUMAN] == 0
    assert "texture" in codes(links)


def test_many_faint_changes_add_up_to_a_visible_one() -> None:
    """Ten steps of a little each, every one of them below what the eye sees."""
    image = scene(13)
    links = [Link(read(saved(image, "PNG")), Kind.AI, Does.BEGIN)]
    left, top, right, bottom = BOX
    pixels = np.asarray(image).astype(np.float32)
    for _ in range(10):
        pixels[top:bottom, left:right, 0] -= 3.5
        shown = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
        links.append(Link(read(saved(shown, "PNG")), Kind.HUMAN, Does.SAVE))
    made = blame(links)
    truth = np.zeros(made.labels.shape, np.bool_)
    truth[top:bottom, left:right] = True
    assert "drift" in {one.code for one in made.findings}
    assert overlap(made.labels == UNKNOWN, truth) > 0.9


def test_a_proxy_is_judged_more_coarsely_and_finds_the_same_part() -> None:
    start = scene(14, (960, 720))
    edited, truth = painted(start, (240, 180, 520, 440), RED)

    def proxy(image: Image.Image) -> Picture:
        small = image.resize((512, 384), Image.Resampling.LANCZOS)
        return read(saved(small, quality=95, subsampling=0), proxy=True)

    made = blame(
        [
            Link(proxy(start), Kind.AI, Does.BEGIN),
            Link(proxy(edited), Kind.HUMAN, Does.LOCAL),
        ]
    )
    small = np.asarray(Image.fromarray(truth).resize((512, 384)))
    assert made.proxies
    assert overlap(made.labels == 1, small) > 0.9


def test_the_same_pictures_give_the_same_map() -> None:
    start = saved(scene(15))
    last = saved(opened(start).rotate(2, Image.Resampling.BILINEAR))
    links = [begin(start), Link(read(last), Kind.HUMAN, Does.LOCAL)]
    one, other = blame(links), blame(links)
    assert np.array_equal(one.labels, other.labels)
    assert one.findings == other.findings


def test_a_chain_needs_a_link() -> None:
    with pytest.raises(ValueError, match="1 to"):
        blame([])
