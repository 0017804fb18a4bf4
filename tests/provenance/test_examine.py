"""Examination: what a file says of itself, kept once; or a draft with the reason."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import IntegrityError
from PIL import Image

from accounts.models import User
from colophon.errors import CouldNotCheck, InputError
from colophon.formats import FORMATS
from outbox.claims import Claim, LostClaim
from outbox.inline import drain
from outbox.models import Job
from provenance import examine
from provenance.examine import ask_for_prints, examine_asset, remake_prints
from provenance.models import Asset, Findings, Rendition
from tests.cast import party_of
from tests.factories import examined_asset
from tests.loop import SOON, Person, picture, saved, upload

pytestmark = pytest.mark.django_db
GPS_IFD = 0x8825


def located(data: bytes) -> bytes:
    """The picture with a camera's name, a comment and a place in its EXIF."""
    with Image.open(io.BytesIO(data)) as image:
        exif = image.getexif()
        exif[0x010F] = "Colophon Cameraworks"
        exif.get_ifd(GPS_IFD).update(
            {1: "N", 2: (59.0, 54.0, 41.5), 3: "E", 4: (10.0, 44.0, 26.5)}
        )
        return saved(image, exif=exif, comment=b"<script>alert(1)</script>")


def bytes_of(asset: Asset, kind: str) -> bytes:
    with default_storage.open(asset.renditions.get(kind=kind).path) as file:
        return bytes(file.read())


@pytest.mark.parametrize("form", [one.decoder for one in FORMATS.values()])
def test_findings_copies_and_the_next_job_are_kept(maker: Person, form: str) -> None:
    asset = upload(maker, picture(1, size=(500, 300), form=form))
    found = examine_asset(asset=asset)
    assert found is not None
    assert Asset.objects.get(pk=asset.pk).stage == "examined"
    assert found.iscc.startswith("ISCC:")
    assert found.pdq is not None
    assert len(found.pdq) == len(found.pixels_digest) == 32
    assert found.inspection["c2pa"]["present"] is False
    original = asset.renditions.get(kind="uploaded")
    assert (original.width, original.height) == (500, 300)
    preview = asset.renditions.get(kind="preview")
    assert (preview.mime, preview.width, preview.height) == ("image/jpeg", 500, 300)
    small = asset.renditions.get(kind="thumbnail")
    assert (small.width, small.height) == (400, 240)
    assert Job.objects.get(kind="asset.sign").payload == {"asset": asset.pk}


def test_examining_twice_makes_one_row(maker: Person) -> None:
    asset = upload(maker, picture())
    first = examine_asset(asset=asset)
    assert examine_asset(asset=Asset.objects.get(pk=asset.pk)) == first
    assert (
        Findings.objects.count(),
        Job.objects.filter(kind="asset.sign").count(),
    ) == (
        1,
        1,
    )


def test_a_place_in_the_exif_is_in_no_copy(maker: Person) -> None:
    data = located(picture())
    assert b"Colophon Cameraworks" in data
    asset = upload(maker, data)
    found = examine_asset(asset=asset)
    assert found is not None
    assert found.metadata["findings"]["gps"]
    assert bytes_of(asset, "uploaded") == data  # the original is the maker's own
    for kind in ("preview", "thumbnail"):
        copy = bytes_of(asset, kind)
        with Image.open(io.BytesIO(copy)) as image:
            assert not image.getexif()
            assert not image.getexif().get_ifd(GPS_IFD)
            assert "comment" not in image.info
        assert b"Cameraworks" not in copy
        assert b"<script>" not in copy
        assert b"Exif" not in copy


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (picture()[:900], "damaged"),
        (picture() + b"<html><script>alert(1)</script>", "hangs behind"),
        (picture() + b"PK\x03\x04" + bytes(40), "hangs behind"),
        (b"\xff\xd8\xff" + bytes(200), ""),
    ],
    ids=["cut off", "html behind", "zip behind", "only a start"],
)
def test_a_file_that_is_refused_leaves_a_draft_with_the_reason(
    maker: Person, data: bytes, words: str
) -> None:
    asset = upload(maker, data)
    assert examine_asset(asset=asset) is None
    asset = Asset.objects.get(pk=asset.pk)
    assert asset.stage == "refused"
    assert words in asset.refused_reason
    assert not asset.refused_reason.startswith("file:")
    assert not Findings.objects.exists()
    assert [one.kind for one in asset.renditions.all()] == ["uploaded"]
    assert not Job.objects.filter(kind="asset.sign").exists()
    said = maker.api.ask("GET", f"/api/v1/assets/{asset.code}")
    assert (said["stage"], said["refused_reason"]) == ("refused", asset.refused_reason)


def test_no_reason_tells_a_path_of_this_machine(maker: Person) -> None:
    asset = upload(maker, picture()[:900])
    examine_asset(asset=asset)
    reason = Asset.objects.get(pk=asset.pk).refused_reason
    assert "/" not in reason.replace("JPEG/PNG", "")


def test_a_child_that_died_leaves_the_draft_as_it_was(
    maker: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    asset = upload(maker, picture())
    real = examine.examine_file

    def die(*_: Any) -> Any:
        raise CouldNotCheck("file", "the child died")

    monkeypatch.setattr(examine, "examine_file", die)
    with pytest.raises(CouldNotCheck):
        drain(kinds={"asset.examine"}, ahead=SOON)
    job = Job.objects.get(kind="asset.examine")
    assert (job.done_at, job.parked_at) == (None, None)
    assert "the child died" in job.last_error
    assert asset.renditions.count() == 1
    monkeypatch.setattr(examine, "examine_file", real)
    Job.objects.update(due_at=job.created_at)
    assert drain(kinds={"asset.examine"}, ahead=SOON) == 1
    assert Asset.objects.get(pk=asset.pk).stage == "examined"


def test_a_lost_claim_writes_nothing(maker: Person) -> None:
    asset = upload(maker, picture())
    job = Job.objects.get(kind="asset.examine")
    claim = Claim.take(job)
    assert claim is not None
    Job.objects.filter(pk=job.pk).update(token=job.token + 5)  # taken over
    with pytest.raises(LostClaim):
        examine_asset(asset=asset, claim=claim)
    assert not Findings.objects.exists()
    assert not Rendition.objects.exclude(kind="uploaded").exists()


def test_one_row_of_findings_per_asset_is_a_constraint(ada: User) -> None:
    asset = examined_asset(party_of(ada))
    found = asset.findings
    found.pk = None
    with pytest.raises(IntegrityError):
        found.save(force_insert=True)


def test_no_copy_of_an_unpublished_work_is_public(
    maker: Person, client: Any, eve: User, tmp_path: Path
) -> None:
    asset = upload(maker, picture())
    examine_asset(asset=asset)
    url = f"/media/preview/{asset.code}.jpg"
    assert client.get(url).status_code == 404
    client.force_login(eve)
    assert client.get(url).status_code == 404
    client.force_login(maker.user)
    answer = client.get(url)
    assert answer.status_code == 200
    assert b"".join(answer.streaming_content) == bytes_of(asset, "preview")
    assert client.get(f"/media/uploaded/{asset.code}.jpg").status_code == 404


def test_prints_of_an_older_version_are_made_anew_in_the_child(maker: Person) -> None:
    asset = upload(maker, picture(1))
    found = examine_asset(asset=asset)
    assert found is not None
    made = set(asset.prints.values_list("kind", "variant", "value"))
    assert len(made) == 16
    older = {"pdq": found.metadata["pdq"], "findings": {}}
    Findings.objects.filter(asset=asset).update(metadata=older, iscc="")
    asset.prints.all().delete()
    out = io.StringIO()
    call_command("remake_prints", stdout=out)
    call_command("remake_prints", stdout=out)  # asking twice is asking once
    assert out.getvalue().startswith("1 works asked for")
    assert drain(kinds={"prints.make"}, ahead=SOON) == 1
    assert set(asset.prints.values_list("kind", "variant", "value")) == made
    findings = Findings.objects.get(asset=asset)
    assert findings.iscc == found.iscc
    assert len(findings.metadata["pdq"]["asked"]) == 56
    assert "findings" in findings.metadata
    assert ask_for_prints() == 0


def test_a_file_that_the_child_refuses_gets_no_prints(maker: Person) -> None:
    asset = upload(maker, picture(1))
    examine_asset(asset=asset)
    upload_ = asset.renditions.get(kind="uploaded")
    Findings.objects.filter(asset=asset).update(metadata={"pdq": None})
    asset.prints.all().delete()
    with default_storage.open(upload_.path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\nnot a picture at all")
    with pytest.raises(InputError):
        remake_prints(asset=Asset.objects.get(pk=asset.pk))
    assert not asset.prints.exists()
