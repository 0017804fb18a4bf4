from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from colophon.errors import InputError
from colophon.originmap.blame import Does, Kind
from colophon.originmap.chain import Place
from colophon.originmap.interest import region_of_interest
from colophon.originmap.moves import Geometry, Move
from colophon.originmap.work import Source, _parts, compute
from tests.colophon.originmap.scenes import painted, saved, scene

Chain = tuple[list[Place], list[Source]]


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    folder = tmp_path_factory.mktemp("chain")
    start = scene()
    edited, _ = painted(start, (120, 90, 264, 216), (200, 30, 40))
    flipped = edited.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    sources = []
    for name, image in (("a", start), ("b", edited), ("c", flipped)):
        (folder / f"{name}.jpg").write_bytes(saved(image))
        sources.append(Source(folder / f"{name}.jpg", proxy=False))
    flip = Geometry((480, 360), (Move("flip", "horizontal"),))
    places = [
        Place(b"a", Kind.AI, Does.BEGIN, None, 0),
        Place(b"b", Kind.HUMAN, Does.LOCAL, None, 1),
        Place(b"c", Kind.HUMAN, Does.GEOMETRY, flip, 2),
    ]
    return places, sources


def test_the_child_computes_shares_regions_and_a_picture(
    chain: Chain, tmp_path: Path
) -> None:
    places, sources = chain
    made = compute(places, sources, tmp_path / "map.png")
    assert sum(made["shares"].values()) == 1_000_000
    assert made["shares"]["human"] == pytest.approx(105_000, abs=3_000)
    assert made["findings"] == []
    assert made["whole"] == [{"step": 2, "words": "flip"}]
    (region,) = made["regions"]
    assert region["step"] == 1
    assert region["box"] == pytest.approx(
        [450_000, 250_000, 300_000, 350_000], abs=8_000
    )
    with Image.open(tmp_path / "map.png") as overlay:
        assert overlay.size == (480, 360)
        assert overlay.mode == "RGBA"
        assert overlay.getpixel((288, 153))[:3] != overlay.getpixel((10, 10))[:3]


def test_a_picture_that_is_none_is_refused_by_its_number(
    chain: Chain, tmp_path: Path
) -> None:
    places, sources = chain
    (tmp_path / "b.jpg").write_bytes(b"\xff\xd8\xff no picture")
    wrong = [sources[0], Source(tmp_path / "b.jpg", proxy=True), sources[2]]
    with pytest.raises(InputError, match="picture 2"):
        compute(places, wrong, tmp_path / "map.png")


def test_a_region_is_one_of_c2pa() -> None:
    box = (250_000, 500_000, 125_000, 250_000)
    assert region_of_interest(box, "Drawn on") == {
        "name": "Drawn on",
        "region": [
            {
                "type": "spatial",
                "shape": {
                    "type": "rectangle",
                    "unit": "percent",
                    "origin": {"x": 25.0, "y": 50.0},
                    "width": 12.5,
                    "height": 25.0,
                },
            }
        ],
    }


@given(st.lists(st.integers(0, 5_000), min_size=1, max_size=12).filter(any))
def test_parts_sum_to_the_whole_and_nothing_stays_nothing(counts: list[int]) -> None:
    total = sum(counts)
    parts = _parts([one / total for one in counts])
    assert sum(parts) == 1_000_000
    for count, part in zip(counts, parts, strict=True):
        assert abs(part - count * 1_000_000 / total) <= 1
        assert (part == 0) >= (count == 0)
