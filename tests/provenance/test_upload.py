"""Uploads: a picture becomes one draft; anything else leaves nothing behind."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from accounts.models import User
from colophon.digest import sha256
from colophon.formats import ANY_OF, FORMATS
from log.models import Entry
from outbox.models import Job
from provenance import upload
from provenance.errors import UploadError
from provenance.intake import Draft, take_in
from provenance.models import Asset, Rendition, Run, Step
from provenance.upload import accept_file, check_file
from tests import factories
from tests.cast import party_of
from tests.loop import picture

pytestmark = pytest.mark.django_db
HUMAN = Draft("Night current", origin="human")


def rows() -> dict[str, int]:
    """How many rows there are of everything that an upload writes."""
    kinds = (Asset, Rendition, Run, Step, Entry, Job)
    return {kind.__name__: kind.objects.count() for kind in kinds}


def stored(settings: Any) -> list[Path]:
    """The files of this test's storage."""
    folder = Path(settings.STORAGES["default"]["OPTIONS"]["location"])
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("form", "mime"), [(one.decoder, mime) for mime, one in FORMATS.items()]
)
def test_a_picture_becomes_a_draft_with_its_bytes_and_a_job(
    ada: User, form: str, mime: str
) -> None:
    data = picture(form=form)
    asset = take_in(io.BytesIO(data), "work", party_of(ada), HUMAN)
    assert (asset.stage, asset.title) == ("received", "Night current")
    assert bytes(asset.uploaded_digest) == sha256(data)
    kept = asset.renditions.get()
    assert (kept.kind, kept.mime, kept.size_bytes) == ("uploaded", mime, len(data))
    job = Job.objects.get(kind="asset.examine")
    assert job.payload == {"asset": asset.pk}
    assert asset.run is not None
    assert asset.run.steps.count() == 1


def test_what_the_uploader_says_is_kept(ada: User) -> None:
    draft = Draft(
        title="Night current",
        description="Long soft lines",
        alt_text="Lines",
        creator_name="Ada Lindqvist",
        origin="ai",
        training={"ai_generative_training": "notAllowed"},
    )
    asset = take_in(io.BytesIO(picture()), "work.jpg", party_of(ada), draft)
    for name in ("description", "alt_text", "creator_name", "training"):
        assert getattr(asset, name) == getattr(draft, name)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"BM" + bytes(60), "image/bmp"),
        (b"%PDF-1.7\n", "application/pdf"),
        (b"<!doctype html><script>alert(1)</script>", ANY_OF),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", ANY_OF),
        (b"PK\x03\x04", ANY_OF),
        (bytes(64), ANY_OF),
    ],
    ids=["empty", "bmp", "pdf", "html", "svg", "zip", "zeros"],
)
def test_anything_else_is_refused_and_nothing_is_written(
    ada: User, settings: Any, data: bytes, words: str
) -> None:
    before = rows()
    with pytest.raises(UploadError, match=words) as caught:
        take_in(io.BytesIO(data), "work.jpg", party_of(ada), HUMAN)
    assert caught.value.field == "file"
    assert rows() == before
    assert stored(settings) == []


def test_a_file_that_is_too_large_is_refused_and_nothing_is_written(
    ada: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, before = picture(), rows()
    monkeypatch.setattr(upload, "MAX_BYTES", len(data) - 1)
    with pytest.raises(UploadError, match=f"at most {len(data) - 1:,}"):
        take_in(io.BytesIO(data), "work.jpg", party_of(ada), HUMAN)
    assert rows() == before
    assert stored(settings) == []
    monkeypatch.setattr(upload, "MAX_BYTES", len(data))
    assert take_in(io.BytesIO(data), "work.jpg", party_of(ada), HUMAN).pk


@pytest.mark.parametrize("origin", ["", "robot"])
def test_an_origin_that_says_nothing_is_refused_and_nothing_is_written(
    ada: User, settings: Any, origin: str
) -> None:
    before = rows()
    with pytest.raises(UploadError, match="human, photo, ai") as caught:
        take_in(
            io.BytesIO(picture()), "a.jpg", party_of(ada), Draft("T", origin=origin)
        )
    assert caught.value.field == "origin"
    assert rows() == before
    assert stored(settings) == []


def test_a_run_without_steps_is_refused(ada: User) -> None:
    run = factories.open_run(party=party_of(ada), name="empty")
    before = rows()
    with pytest.raises(UploadError, match="has no steps"):
        take_in(io.BytesIO(picture()), "a.jpg", party_of(ada), Draft("T"), run)
    assert rows() == before


def test_a_recorded_run_needs_no_answer_about_the_origin(ada: User) -> None:
    party, data = party_of(ada), picture()
    run = factories.declared_run(party, data)
    asset = take_in(io.BytesIO(data), "a.jpg", party, Draft("T"), run)
    assert asset.run == run
    assert Run.objects.count() == 1


def test_the_same_bytes_by_the_same_party_are_the_same_asset(ada: User) -> None:
    data, party = picture(), party_of(ada)
    first = take_in(io.BytesIO(data), "a.jpg", party, HUMAN)
    before = rows()
    again = take_in(io.BytesIO(data), "b.jpg", party, Draft("Other", origin="ai"))
    assert again == first
    assert again.title == "Night current"
    assert rows() == before


def test_the_same_bytes_by_another_party_are_an_asset_of_their_own(
    ada: User, eve: User, settings: Any
) -> None:
    data = picture()
    first = take_in(io.BytesIO(data), "a.jpg", party_of(ada), HUMAN)
    second = take_in(io.BytesIO(data), "a.jpg", party_of(eve), HUMAN)
    assert first != second
    assert first.renditions.get().path == second.renditions.get().path
    assert len(stored(settings)) == 1


def test_the_name_says_nothing_about_the_kind(ada: User) -> None:
    party = party_of(ada)
    asset = take_in(io.BytesIO(picture()), "evil.html", party, HUMAN)
    assert asset.renditions.get().mime == "image/jpeg"
    long = take_in(io.BytesIO(picture(2)), "x" * 300 + ".jpg", party, HUMAN)
    assert len(long.uploaded_name) == 160
    assert long.uploaded_name.endswith(".jpg")


def test_a_race_for_the_same_bytes_makes_one_row(
    ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other request commits between our look and our write."""
    data, party = picture(), party_of(ada)
    first = take_in(io.BytesIO(data), "a.jpg", party, HUMAN)
    run = first.run
    assert run is not None
    nobody = Asset.objects.none()
    real = Asset.objects.filter
    monkeypatch.setattr(
        Asset.objects, "filter", lambda **given: nobody if given else real()
    )
    second = accept_file(
        file=io.BytesIO(data), name="a.jpg", party=party, run=run, title="T"
    )
    assert second == first


def test_checking_leaves_the_file_at_its_start(ada: User) -> None:
    data = picture()
    file = io.BytesIO(data)
    assert check_file(file) == (sha256(data), len(data), "image/jpeg")
    assert file.tell() == 0
