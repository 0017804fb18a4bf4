"""One examination of one upload: everything found, nothing given away."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from colophon import pictures
from colophon.child import Child
from colophon.errors import InputError
from colophon.examine import examine
from tests.colophon import hostile
from tests.colophon.conftest import MakePicture, Studio


def look(studio: Studio, reader: Child, path: Path) -> dict[str, Any]:
    return examine(path, path.parent / "out", *studio.anchors, child=reader)


def photo_with_secrets(path: Path) -> Path:
    """A phone picture: position, camera, a script in the comment, XMP."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0131] = "Acme", "Phone 9", "PhotoTool 1"
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)
    exif.get_ifd(0x8825)[1] = "N"
    xmp = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a xmp:CreatorTool="Lab 3"/></x:xmpmeta>'
    )
    Image.radial_gradient("L").resize((900, 600)).convert("RGB").save(
        path, exif=exif, comment="<script>alert(1)</script>", xmp=xmp
    )
    return path


def test_an_unsigned_picture_is_examined_whole(
    studio: Studio, reader: Child, picture: MakePicture
) -> None:
    path = picture("work.jpg", (2000, 1500))
    found = look(studio, reader, path)
    assert found["file"]["bytes"] == path.stat().st_size
    assert found["file"]["mime"] == "image/jpeg"
    assert (found["width"], found["height"]) == (2000, 1500)
    assert found["pixels"]["rule"] == pictures.DIGEST_RULE
    assert found["pixels"]["sha256"] == pictures.pixel_digest(
        pictures.decode(pictures.check(path))
    )
    assert found["inspection"]["c2pa"]["state"] == "none"
    assert len(found["pdq"]["turned"]) == 8
    assert found["iscc"].startswith("ISCC:")
    sizes = {}
    for name in ("preview", "thumbnail", "proxy"):
        with Image.open(found[name]) as image:
            sizes[name] = image.size
    assert sizes == {
        "preview": (1600, 1200),
        "thumbnail": (400, 300),
        "proxy": (512, 384),
    }
    assert json.loads(json.dumps(found)) == found


def test_a_signed_picture_brings_its_credential(
    studio: Studio, reader: Child, picture: MakePicture
) -> None:
    found = look(studio, reader, studio.sign(picture("work.png")).path)
    assert found["inspection"]["c2pa"]["state"] == "Trusted"
    assert found["credential"]["intact"] is True
    assert len(bytes.fromhex(found["credential"]["hard_binding"])) == 32
    assert len(bytes.fromhex(found["credential"]["signature_sha256"])) == 32


def test_signing_keeps_the_pixel_digest(
    studio: Studio, reader: Child, picture: MakePicture
) -> None:
    path = picture()
    before = look(studio, reader, path)
    after = look(studio, reader, studio.sign(path).path)
    assert before["pixels"] == after["pixels"]
    assert before["file"]["sha256"] != after["file"]["sha256"]


def test_what_the_metadata_gives_away_is_reported_but_not_repeated(
    studio: Studio, reader: Child, tmp_path: Path
) -> None:
    found = look(studio, reader, photo_with_secrets(tmp_path / "phone.jpg"))
    assert found["metadata"] == {
        "exif": True,
        "gps": True,
        "xmp": True,
        "iptc": False,
        "xmp_generator": "Lab 3",
        "comment": True,
        "color_profile": False,
        "generators": [],
        "camera_make": "Acme",
        "camera_model": "Phone 9",
        "software": "PhotoTool 1",
    }
    assert "52.0" not in json.dumps(found)


def test_no_rendition_holds_anything_of_the_metadata(
    studio: Studio, reader: Child, tmp_path: Path
) -> None:
    path = photo_with_secrets(tmp_path / "phone.jpg")
    tail = b"\0remember this tail"
    path.write_bytes(path.read_bytes() + tail)
    found = look(studio, reader, path)
    assert found["tail_bytes"] == len(tail)
    for name in ("preview", "thumbnail", "proxy"):
        data = Path(found[name]).read_bytes()
        for trace in (b"script", b"Exif", b"Acme", b"xmp", b"Lab", b"remember"):
            assert trace not in data
        with Image.open(io.BytesIO(data)) as image:
            assert not image.getexif()
            assert set(image.info) <= {
                "jfif",
                "jfif_version",
                "jfif_unit",
                "jfif_density",
                "progressive",
                "progression",
            }


@pytest.mark.parametrize(
    ("texts", "generators"),
    [
        ({"prompt": "{}", "workflow": "{}"}, ["comfyui"]),
        ({"parameters": "a cat\nSteps: 20, Sampler: Euler"}, ["a1111"]),
        ({"Author": "Ada"}, []),
    ],
)
def test_settings_of_ai_tools_in_a_png_are_found(
    studio: Studio,
    reader: Child,
    tmp_path: Path,
    texts: dict[str, str],
    generators: list[str],
) -> None:
    notes = PngImagePlugin.PngInfo()
    for key, value in texts.items():
        notes.add_text(key, value, zip=key == "workflow")
    path = tmp_path / "made.png"
    Image.new("RGB", (64, 64)).save(path, pnginfo=notes)
    assert look(studio, reader, path)["metadata"]["generators"] == generators


def test_settings_of_ai_tools_in_a_jpeg_are_found(
    studio: Studio, reader: Child, tmp_path: Path
) -> None:
    exif = Image.Exif()
    comment = b"UNICODE\0" + "a cat Steps: 20".encode("utf-16-be")
    exif.get_ifd(0x8769)[0x9286] = comment
    path = tmp_path / "made.jpg"
    Image.new("RGB", (64, 64)).save(path, exif=exif)
    assert look(studio, reader, path)["metadata"]["generators"] == ["a1111"]


@pytest.mark.parametrize(
    "name", ["pixel flood", "cut-off jpeg", "jpeg with zip", "html", "animated png"]
)
def test_a_hostile_upload_is_refused_by_the_child_which_lives_on(
    studio: Studio, reader: Child, tmp_path: Path, name: str
) -> None:
    make = next(case[1] for case in hostile.HOSTILE if case[0] == name)
    path = tmp_path / "upload.jpg"
    path.write_bytes(make())
    reader.call("os:getpid", {})
    before = reader.pid
    with pytest.raises(InputError) as refused:
        look(studio, reader, path)
    assert refused.value.field == "file"
    assert reader.pid == before


def test_a_missing_file_is_an_input_error(
    studio: Studio, reader: Child, tmp_path: Path
) -> None:
    with pytest.raises(InputError):
        look(studio, reader, tmp_path / "nothing.jpg")
