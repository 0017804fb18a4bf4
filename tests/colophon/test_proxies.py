"""Smaller copies of pictures: made by the recorder when asked, and sent once."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from colophon import recorder
from colophon.autolog_pillow import autolog_pillow
from colophon.digest import sha256
from colophon.errors import ColophonError
from colophon.origin import IPTC
from colophon.pipeline import ApiError, Pipeline
from colophon.proxies import proxy_of
from colophon.recorder import Recording, begin, flush_all
from tests.colophon.originmap.scenes import saved, scene
from tests.colophon.recorded import NOWHERE, kept

HAND = IPTC + "humanEdits"
OPTIONS: dict[str, Any] = {"site": NOWHERE, "api_key": "clp_x"}


def offline(home: Path, *, proxies: bool = True) -> Recording:
    """A recording that keeps its steps here."""
    run = begin("offline", home=home, proxies=proxies, **OPTIONS)
    run.strict, run.pipeline = True, None
    return run


def one_step(run: Recording, data: bytes) -> None:
    with run.step("c2pa.drawing", source_type=HAND, kind="human") as step:
        step.input(b"no picture", name="notes.txt")
        step.intermediate(data)
        step.output(data)


def test_a_copy_is_small_upright_and_made_of_pixels_alone(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side
    exif[0x010E] = "Ada's holiday"
    data = saved(scene(1, (1200, 800)), exif=exif)
    path = tmp_path / "photo.jpg"
    path.write_bytes(data)
    made = proxy_of(path)
    assert made is not None
    assert proxy_of(data) == made
    with Image.open(io.BytesIO(made)) as image:
        assert (image.format, image.size) == ("JPEG", (341, 512))
        assert not image.getexif()
    assert b"holiday" not in made


@pytest.mark.parametrize("content", [b"words", b"", b"\xff\xd8\xff\xe0 cut off"])
def test_what_is_no_picture_has_no_copy(content: bytes) -> None:
    assert proxy_of(content) is None


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"nothing\.jpg"):
        proxy_of(tmp_path / "nothing.jpg")


def test_a_step_names_the_copies_that_wait_beside_it(tmp_path: Path) -> None:
    run, data = offline(tmp_path), saved(scene(1))
    one_step(run, data)
    ((step, _),) = kept(run)
    copy = proxy_of(data)
    assert copy is not None
    assert step.proxy is not None
    assert step.proxy.inputs == ()
    assert step.proxy.outputs == ((sha256(data), sha256(copy)),)
    assert step.proxy.intermediates == (sha256(copy),)
    assert [one for _, one in run.spool.copies(run.id)] == [copy]


def test_without_being_asked_no_copy_is_made(tmp_path: Path) -> None:
    run = offline(tmp_path, proxies=False)
    one_step(run, saved(scene(1)))
    ((step, _),) = kept(run)
    assert step.proxy is not None  # the file in progress, by its digest
    assert step.proxy.outputs == ()
    assert list(run.spool.copies(run.id)) == []


class Site(Pipeline):
    """A site that takes steps, and copies as it is told to."""

    def __init__(self, answer: Exception | None = None) -> None:
        super().__init__(NOWHERE, "clp_x")
        self.answer, self.steps, self.copies = answer, 0, []

    def enroll(self, *_: Any, **__: Any) -> None:
        pass

    def open_run(self, *_: Any, **__: Any) -> Any:
        pass

    def send_step(self, *_: Any) -> dict[str, Any]:
        self.steps += 1
        return {}

    def send_proxy(self, run_id: str, digest: bytes, copy: bytes) -> dict[str, Any]:
        if self.answer:
            raise self.answer
        assert sha256(copy) == digest
        self.copies.append(digest)
        return {}


@pytest.mark.parametrize(
    ("answer", "left"),
    [
        (None, 0),
        (ApiError(422, "invalid", "is one too many"), 0),
        (ApiError(401, "not-authenticated", "wrong key"), 1),
        (recorder.Unreachable("gone"), 1),
    ],
)
def test_a_copy_follows_its_step_and_waits_only_where_waiting_helps(
    tmp_path: Path, answer: ColophonError | None, left: int
) -> None:
    run = offline(tmp_path)
    one_step(run, saved(scene(1)))
    site = Site(answer)
    failed = False
    try:
        recorder.send_waiting(site, run.spool, run.id, run.key)
    except ColophonError:
        failed = True
    assert failed == bool(left)
    assert site.steps == 1
    assert len(list(run.spool.copies(run.id))) == left
    assert run.spool.runs() == [run.id] * left


def test_a_copy_that_waits_alone_is_sent_by_a_flush(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = offline(tmp_path)
    one_step(run, saved(scene(1)))
    with pytest.raises(recorder.Unreachable):
        recorder.send_waiting(
            Site(recorder.Unreachable("gone")), run.spool, run.id, run.key
        )
    again = Site()
    monkeypatch.setattr(recorder, "_connect", lambda *_: again)
    found = flush_all(home=tmp_path, **OPTIONS)
    assert (found.sent, found.waiting, found.problems) == (0, 0, ())
    assert len(again.copies) == 1
    assert run.spool.runs() == []


def test_copies_of_watched_pictures_are_no_acts(tmp_path: Path) -> None:
    run, photo = offline(tmp_path / "home"), tmp_path / "photo.jpg"
    photo.write_bytes(saved(scene(1)))
    with autolog_pillow(run), Image.open(photo) as opened:
        opened.crop((0, 0, 300, 200)).save(tmp_path / "detail.png")
    ((step, _),) = kept(run)
    names = {proxy_of(photo), proxy_of(tmp_path / "detail.png")}
    assert {one for _, one in run.spool.copies(run.id)} == names
    assert step.proxy is not None
    assert len(step.proxy.inputs) == len(step.proxy.outputs) == 1


def test_a_copy_that_cannot_be_made_leaves_the_step_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: object) -> bytes:
        raise MemoryError("too little")

    run = offline(tmp_path)
    run.strict = False
    monkeypatch.setattr(recorder, "proxy_of", fails)
    data = saved(scene(1))
    with run.step("c2pa.drawing", source_type=HAND, kind="human") as step:
        step.output(data)
    ((made, _),) = kept(run)
    assert (made.outputs[0].sha256, made.proxy) == (sha256(data), None)
