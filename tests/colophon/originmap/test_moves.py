import numpy as np
import pytest
from PIL import Image

from colophon.errors import InputError
from colophon.originmap.moves import Geometry, Move, Replay, read_geometry
from tests.colophon.originmap.scenes import scene

MOVES = [
    {"crop": [10, 20, 410, 320]},
    {"turn": 90},
    {"flip": "vertical"},
    {"resize": [150, 200]},
    {"rotate": -2.5},
]


def test_moves_are_read_as_they_are_told() -> None:
    geometry = read_geometry({"of": [480, 360], "moves": MOVES})
    assert geometry.of == (480, 360)
    assert [one.name for one in geometry.moves] == [
        "crop",
        "turn",
        "flip",
        "resize",
        "rotate",
    ]
    assert geometry.size_after() == (150, 200)


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        [],
        {"of": [480, 360]},
        {"of": [480], "moves": []},
        {"of": [0, 360], "moves": []},
        {"of": [480, 360], "moves": "crop"},
        {"of": [480, 360], "moves": [{"flip": "vertical"}] * 65},
        {"of": [480, 360], "moves": [{"crop": [10, 10, 10, 20]}]},
        {"of": [480, 360], "moves": [{"crop": [1, 2, 3]}]},
        {"of": [480, 360], "moves": [{"resize": [0, 5]}]},
        {"of": [480, 360], "moves": [{"resize": [1e9, 5]}]},
        {"of": [480, 360], "moves": [{"turn": 45}]},
        {"of": [480, 360], "moves": [{"turn": [90]}]},
        {"of": [480, 360], "moves": [{"flip": "both"}]},
        {"of": [480, 360], "moves": [{"rotate": float("nan")}]},
        {"of": [480, 360], "moves": [{"rotate": True}]},
        {"of": [480, 360], "moves": [{"shear": 3}]},
        {"of": [480, 360], "moves": [{"turn": 90, "flip": "vertical"}]},
    ],
)
def test_what_is_no_geometry_is_refused(wrong: object) -> None:
    with pytest.raises(InputError):
        read_geometry(wrong)


def test_exact_moves_are_replayed_exactly() -> None:
    image = scene()
    pixels = np.asarray(image)
    told = read_geometry({"of": [480, 360], "moves": MOVES[:3]})
    by_hand = image.crop((10, 20, 410, 320)).transpose(Image.Transpose.ROTATE_90)
    by_hand = by_hand.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    assert np.array_equal(Replay(told)(pixels, by_hand.size), np.asarray(by_hand))


@pytest.mark.parametrize("turn", [90, 180, 270])
@pytest.mark.parametrize("flip", ["horizontal", "vertical"])
def test_crops_stay_in_place_under_turns_and_flips(turn: int, flip: str) -> None:
    """A crop before equals the same crop of the turned picture."""
    image = scene()
    told = Geometry(
        (480, 360),
        (
            Move("crop", (40.0, 30.0, 200.0, 330.0)),
            Move("turn", turn),
            Move("flip", flip),
        ),
    )
    by_hand = image.crop((40, 30, 200, 330)).transpose(
        getattr(Image.Transpose, f"ROTATE_{turn}")
    )
    ways = {"horizontal": "FLIP_LEFT_RIGHT", "vertical": "FLIP_TOP_BOTTOM"}
    by_hand = by_hand.transpose(getattr(Image.Transpose, ways[flip]))
    made = Replay(told)(np.asarray(image), by_hand.size)
    assert np.array_equal(made, np.asarray(by_hand))


def test_moves_are_replayed_at_any_scale() -> None:
    """Told in pixels of the file, laid on a copy of half the size."""
    image = scene()
    small = np.asarray(image.resize((240, 180), Image.Resampling.BOX))
    told = Geometry((480, 360), (Move("crop", (40.0, 40.0, 440.0, 340.0)),))
    made = Replay(told)(small, (200, 150))
    assert np.array_equal(made, small[20:170, 20:220])


def test_what_a_rotation_brings_in_is_not_seen() -> None:
    told = Geometry((480, 360), (Move("rotate", 10.0),))
    seen = Replay(told).seen((480, 360), (480, 360))
    assert not seen[0, 0]
    assert not seen[-1, -1]
    assert seen[180, 240]


def test_a_crop_to_nothing_is_refused() -> None:
    told = Geometry((480, 360), (Move("crop", (479.9, 0.0, 600.0, 10.0)),))
    with pytest.raises(InputError, match="nothing"):
        Replay(told)(np.asarray(scene()), (10, 10))
