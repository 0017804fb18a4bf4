"""What Pillow does between open and save, recorded; and never in its way."""

from __future__ import annotations

import asyncio
import gc
import io
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter, ImageOps

from colophon import autolog_pillow as watching
from colophon.digest import sha256
from colophon.errors import ColophonError
from colophon.origin import IPTC
from colophon.recorder import Recording, autolog_pillow
from tests.colophon.recorded import kept, offline


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Recording]:
    made = offline(tmp_path / "home")
    yield made
    made.close()


@pytest.fixture
def strict(tmp_path: Path) -> Recording:
    return offline(tmp_path / "strict", strict=True)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    Image.radial_gradient("L").convert("RGB").save(path)
    return path


def test_a_crop_is_one_step_with_its_box_as_a_commitment(
    strict: Recording, photo: Path, tmp_path: Path
) -> None:
    with autolog_pillow(strict), Image.open(photo) as image:
        image.crop((1, 2, 30, 40)).save(tmp_path / "detail.png")
    ((step, values),) = kept(strict)
    assert step.action == "c2pa.cropped"
    assert (step.tool.name, step.actor.kind) == ("Pillow", "tool")
    assert step.source_type == IPTC + "algorithmicallyEnhanced"
    (made,), (came,) = step.outputs, step.inputs
    assert made.name == "detail.png"
    assert made.sha256 == sha256((tmp_path / "detail.png").read_bytes())
    assert (came.name, came.relation) == ("photo.png", "parentOf")
    assert came.sha256 == sha256(photo.read_bytes())
    assert values["01.cropped"] == {"method": "crop", "box": [1, 2, 30, 40]}
    assert values["save"] == {"format": "PNG"}


ACTS: dict[str, Any] = {
    "c2pa.resized": lambda i: i.resize((20, 10), Image.Resampling.LANCZOS),
    "c2pa.orientation": lambda i: i.rotate(90),
    "c2pa.filtered": lambda i: i.filter(ImageFilter.GaussianBlur(2)),
    "c2pa.adjustedColor": lambda i: ImageEnhance.Brightness(i).enhance(1.5),
    "c2pa.edited": lambda i: ImageOps.expand(i, 3),
    "c2pa.cropped": lambda i: ImageOps.fit(i, (20, 10)),
}


@pytest.mark.parametrize("action", ACTS)
def test_each_act_is_the_c2pa_action_of_its_kind(
    strict: Recording, photo: Path, tmp_path: Path, action: str
) -> None:
    with autolog_pillow(strict), Image.open(photo) as image:
        ACTS[action](image).save(tmp_path / "made.png")
    ((step, values),) = kept(strict)
    assert step.action == action
    assert f"01.{action[5:]}" in values
    assert "02." not in str(values)  # what a method calls inside is not an act


def test_several_acts_are_one_step_in_their_order(
    strict: Recording, photo: Path, tmp_path: Path
) -> None:
    with autolog_pillow(strict), Image.open(photo) as image:
        small = image.resize((64, 64)).rotate(30, expand=True)
        small.thumbnail((32, 32))
        small.filter(ImageFilter.SHARPEN).save(tmp_path / "made.jpg", quality=91)
    ((step, values),) = kept(strict)
    assert step.action == "c2pa.edited"
    assert list(values) == [
        "01.resized",
        "02.orientation",
        "03.resized",
        "04.filtered",
        "save",
    ]
    assert values["02.orientation"] == {"method": "rotate", "angle": 30, "expand": True}
    assert values["04.filtered"]["filter"]["kind"] == "SHARPEN"
    assert values["save"] == {"format": "JPEG", "quality": 91}


def test_what_is_pasted_is_a_component_and_words_stay_secret(
    strict: Recording, photo: Path, tmp_path: Path
) -> None:
    logo = tmp_path / "logo.png"
    Image.new("RGB", (5, 5), "red").save(logo)
    with autolog_pillow(strict), Image.open(photo) as image:
        with Image.open(logo) as mark:
            image.paste(mark.resize((9, 9)), (3, 4))
        ImageDraw.Draw(image).text((1, 1), "a secret name")
        image.save(tmp_path / "made.png")
    ((step, values),) = kept(strict)
    assert [(one.name, one.relation) for one in step.inputs] == [
        ("photo.png", "parentOf"),
        ("logo.png", "componentOf"),
    ]
    assert step.source_type == IPTC + "composite"
    assert {one["method"] for one in list(values.values())[:-1]} == {
        "resize",
        "paste",
        "text",
    }
    ((_, body),) = strict.spool.waiting(strict.id)
    assert values["03.addedText"]["text"] == "a secret name"
    assert "secret" not in json.dumps(body["envelope"])


def test_a_drawing_from_nothing_is_created(strict: Recording, tmp_path: Path) -> None:
    with autolog_pillow(strict):
        image = Image.new("RGB", (40, 40))
        pen = ImageDraw.Draw(image)
        for at in range(5_000):
            pen.line((0, at % 40, 39, 0))
        image.save(tmp_path / "made.png")
    ((step, values),) = kept(strict)
    assert (step.action, step.inputs) == ("c2pa.created", ())
    assert step.source_type == IPTC + "algorithmicMedia"
    assert values["01.drawing"]["times"] == 5_000


def test_another_format_is_a_conversion_and_the_same_bytes_are_no_step(
    strict: Recording, photo: Path, tmp_path: Path
) -> None:
    with autolog_pillow(strict):
        with Image.open(photo) as image:
            image.save(tmp_path / "made.webp")
        with Image.open(photo) as image:
            image.save(tmp_path / "copy.png")
        with Image.open(photo) as image:
            image.save(tmp_path / "small.png", optimize=True)
    assert (tmp_path / "copy.png").read_bytes() == photo.read_bytes()
    first, second = kept(strict)
    assert (first[0].action, second[0].action) == ("c2pa.converted", "c2pa.transcoded")


def test_a_file_saved_over_itself_keeps_both_digests(
    strict: Recording, photo: Path
) -> None:
    before = sha256(photo.read_bytes())
    with autolog_pillow(strict), Image.open(photo) as image:
        image.transpose(Image.Transpose.FLIP_LEFT_RIGHT).crop((0, 0, 9, 9)).save(photo)
    ((step, _),) = kept(strict)
    assert step.inputs[0].sha256 == before
    assert step.outputs[0].sha256 == sha256(photo.read_bytes()) != before


def test_files_in_memory_are_followed_too(strict: Recording, photo: Path) -> None:
    given, made = io.BytesIO(photo.read_bytes()), io.BytesIO()
    made.write(b"head")
    with autolog_pillow(strict), Image.open(given) as image:
        image.crop((0, 0, 9, 9)).save(made, "PNG")
    ((step, _),) = kept(strict)
    assert step.inputs[0].sha256 == sha256(photo.read_bytes())
    assert step.outputs[0].sha256 == sha256(made.getvalue()[4:])


def test_channels_and_blends_keep_their_beginning(
    strict: Recording, photo: Path, tmp_path: Path
) -> None:
    with autolog_pillow(strict), Image.open(photo) as image:
        red, green, blue = image.split()
        turned = Image.merge("RGB", (blue, green, red))
        ImageChops.multiply(turned, image).save(tmp_path / "made.png")
    ((step, values),) = kept(strict)
    assert [one.relation for one in step.inputs] == ["parentOf"]
    methods = [one["method"] for one in list(values.values())[:-1]]
    assert methods == ["split", "merge", "multiply"]


def test_more_acts_than_a_step_has_room_for_are_counted(
    strict: Recording, photo: Path, tmp_path: Path
) -> None:
    with autolog_pillow(strict), Image.open(photo) as image:
        made: Image.Image = image
        for _ in range(50):
            made = made.rotate(90).crop((0, 0, 20, 20))
        made.save(tmp_path / "made.png")
    ((step, values),) = kept(strict)
    assert len(step.commitments) == 61
    assert values["60.edited"]["times"] + 59 == 100
    assert values["60.edited"]["methods"] == ["crop", "rotate"]


# --- never in the way ---------------------------------------------------------------


def test_a_picture_from_nowhere_is_left_out_and_saved_all_the_same(
    run: Recording, photo: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    import numpy as np

    stranger = Image.fromarray(np.zeros((9, 9, 3), np.uint8))
    with autolog_pillow(run), Image.open(photo) as image:
        stranger.crop((0, 0, 5, 5)).save(tmp_path / "a.png")
        image.paste(stranger)
        image.save(tmp_path / "b.png")
    assert kept(run) == []
    assert (tmp_path / "a.png").exists()
    assert (tmp_path / "b.png").exists()
    assert "nobody saw where a picture came from" in caplog.text


def _filled(how: str) -> Image.Image:
    import numpy as np

    pixels = np.full((9, 9, 3), 7, np.uint8)
    match how:
        case "array":
            return Image.fromarray(pixels)
        case "bytes":
            return Image.frombytes("RGB", (9, 9), pixels.tobytes())
        case "buffer":
            return Image.frombuffer("RGB", (9, 9), pixels.tobytes(), "raw", "RGB", 0, 1)
    image = Image.new("RGB", (9, 9))
    if how == "bytes put in":
        image.frombytes(pixels.tobytes())
    else:
        image.putdata([(7, 7, 7)] * 81)
    return image


@pytest.mark.parametrize("how", ["array", "bytes", "buffer", "bytes put in", "data"])
def test_pixels_from_outside_are_never_called_computed(
    run: Recording, tmp_path: Path, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    with autolog_pillow(run):
        _filled(how).resize((5, 5)).save(tmp_path / "made.png")
        Image.new("RGB", (9, 9)).resize((5, 5)).save(tmp_path / "empty.png")
    names = [step.outputs[0].name for step, _ in kept(run)]
    assert names == ["empty.png"]
    assert "nobody saw where a picture came from" in caplog.text


def test_strict_says_that_a_picture_is_from_nowhere(
    strict: Recording, tmp_path: Path
) -> None:
    stranger = Image.new("RGB", (9, 9))
    with autolog_pillow(strict), pytest.raises(ColophonError, match="nobody saw"):
        stranger.save(tmp_path / "a.png")
    assert (tmp_path / "a.png").exists()


def test_pillows_own_errors_pass_through_and_are_no_step(
    run: Recording, photo: Path, tmp_path: Path
) -> None:
    with autolog_pillow(run), Image.open(photo) as image:
        with pytest.raises(ValueError, match="unknown file extension"):
            image.save(tmp_path / "made.nothing")
        with pytest.raises(ValueError, match="Coordinate"):
            image.crop((9, 9, 1, 1))
        with pytest.raises(FileNotFoundError):
            Image.open(tmp_path / "missing.png")
        with pytest.raises(TypeError):
            image.resize()  # type: ignore[call-arg]
        with pytest.raises(ZeroDivisionError):
            image.point(lambda _: 1 // 0)
    assert kept(run) == []


def test_a_file_that_cannot_be_read_back_is_saved_and_left_out(
    run: Recording, photo: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Pipe(io.RawIOBase):
        """Takes everything, gives nothing back."""

        def writable(self) -> bool:
            return True

        def write(self, data: Any) -> int:
            return len(data)

    with autolog_pillow(run), Image.open(photo) as image:
        image.crop((0, 0, 9, 9)).save(Pipe(), "JPEG")
    assert kept(run) == []
    assert "cannot be read back" in caplog.text


@pytest.mark.parametrize("place", ["_noted", "_happened", "_opened", "_record"])
def test_whatever_breaks_in_the_recording_the_pictures_are_the_same(
    run: Recording,
    photo: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("recording is broken")

    def work(folder: Path) -> bytes:
        with Image.open(photo) as image:
            image.paste("red", (0, 0, 5, 5))
            image.rotate(20).save(folder / "made.png")
        return (folder / "made.png").read_bytes()

    wanted = work(tmp_path)
    monkeypatch.setattr(watching, place, broken)
    with autolog_pillow(run):
        assert work(tmp_path) == wanted
    assert kept(run) == []
    run.strict = True
    with pytest.raises(RuntimeError, match="is broken"), autolog_pillow(run):
        work(tmp_path)


def test_without_pillow_nothing_is_recorded_and_all_goes_on(
    run: Recording, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def missing() -> None:
        raise ImportError("no Pillow")

    monkeypatch.setattr(watching, "_targets", missing)
    done = []
    with autolog_pillow(run):
        done.append(1)
    assert done
    assert "Pillow is not watched" in caplog.text
    run.strict = True
    with pytest.raises(ImportError), autolog_pillow(run):
        done.append(2)
    assert done == [1]


# --- undone -------------------------------------------------------------------------


def patched() -> dict[str, Any]:
    """Everything of Pillow that is ever wrapped, as it is now."""
    targets = watching._targets()
    return {f"{own.__name__}.{name}": vars(own).get(name) for own, name, *_ in targets}


def test_pillow_is_as_before_when_nobody_watches_any_more(
    run: Recording, photo: Path
) -> None:
    before = patched()
    assert before["Image.resize"] is Image.Image.resize
    with autolog_pillow(run):
        inside = patched()
        with autolog_pillow(run):
            assert patched() == inside
        assert patched() == inside
    assert patched() == before
    assert not [name for name in before if inside[name] is before[name]]
    with pytest.raises(ZeroDivisionError), autolog_pillow(run):
        raise ZeroDivisionError
    assert patched() == before


def test_somebody_elses_wrapper_is_left_where_it_is(
    run: Recording, photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image.Image, "crop", Image.Image.crop)  # put back by pytest
    with autolog_pillow(run):
        ours = Image.Image.crop

        def theirs(self: Any, box: Any = None) -> Any:
            return ours(self, box)

        Image.Image.crop = theirs  # type: ignore[method-assign]
    assert Image.Image.crop is theirs
    with Image.open(photo) as image:
        image.crop((0, 0, 9, 9)).save(tmp_path / "later.png")
    assert kept(run) == []


def test_histories_end_with_their_pictures(run: Recording, photo: Path) -> None:
    with autolog_pillow(run):
        session = watching._current.get()
        assert session is not None
        for _ in range(20):
            with Image.open(photo) as image:
                image.crop((0, 0, 9, 9))
        del image
        gc.collect()
        assert session._seen == {}


# --- several at once ----------------------------------------------------------------


def test_threads_record_their_own_pictures_only(tmp_path: Path, photo: Path) -> None:
    runs = [offline(tmp_path / f"home-{number}") for number in range(4)]
    ready = threading.Barrier(5)

    def work(number: int) -> None:
        with autolog_pillow(runs[number]):
            ready.wait(20)
            for at in range(5):
                with Image.open(photo) as image:
                    made = image.crop((0, 0, 5 + number, 5 + at))
                    made.save(tmp_path / f"{number}-{at}.png")
            ready.wait(20)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for one in threads:
        one.start()
    ready.wait(20)
    with Image.open(photo) as image:  # not watched: this thread did not ask
        image.crop((0, 0, 7, 7)).save(tmp_path / "mine.png")
    ready.wait(20)
    for one in threads:
        one.join()
    for number, run in enumerate(runs):
        names = [step.outputs[0].name for step, _ in kept(run)]
        assert names == [f"{number}-{at}.png" for at in range(5)]
        run.close()
    assert "colophon" not in str(Image.Image.crop.__code__.co_filename)


def test_tasks_inside_are_watched_with_their_parent(
    strict: Recording, photo: Path, tmp_path: Path
) -> None:
    def work() -> None:
        with Image.open(photo) as image:
            image.crop((0, 0, 9, 9)).save(tmp_path / "made.png")

    async def main() -> None:
        with autolog_pillow(strict):
            await asyncio.create_task(asyncio.to_thread(work))

    asyncio.run(main())
    assert len(kept(strict)) == 1
