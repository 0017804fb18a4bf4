"""Metadata taken out: nothing private stays, nothing visible goes."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageCms, PngImagePlugin

from colophon import containers, findings, pictures
from colophon.child import Child
from colophon.credential import inspect_file
from colophon.formats import AVIF, FORMATS, GIF, JPEG, TIFF
from colophon.manifest import Action, ClaimPlan, sign_file
from colophon.strip import strip_metadata
from tests.colophon.conftest import MakePicture, Studio

KINDS = [(one.decoder, mime) for mime, one in FORMATS.items()]


def loaded(kind: str, orientation: int = 6) -> bytes:
    """A picture with everything that pictures carry."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "Acme", orientation
    exif.get_ifd(0x8825)[1] = "N"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    notes = PngImagePlugin.PngInfo()
    notes.add_itxt("XML:com.adobe.xmp", "<x:xmpmeta>secret</x:xmpmeta>")
    notes.add_text("Author", "secret")
    more: dict[str, Any] = {
        "JPEG": {"comment": b"secret"},
        "PNG": {"pnginfo": notes},
        "GIF": {"comment": b"secret"},
    }.get(kind, {"xmp": b"<x:xmpmeta>secret</x:xmpmeta>"})
    out = io.BytesIO()
    Image.radial_gradient("L").resize((60, 40)).convert("RGB").save(
        out, kind, exif=exif, icc_profile=profile, **more
    )
    return out.getvalue() + b"secret tail"


def seen(data: bytes, path: Path) -> str:
    path.write_bytes(data)
    return pictures.pixel_digest(pictures.decode(pictures.check(path)))


@pytest.mark.parametrize(("kind", "mime"), KINDS)
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_it_looks_the_same_and_tells_nothing(
    tmp_path: Path, kind: str, mime: str, orientation: int
) -> None:
    data = loaded(kind, orientation)
    bare = strip_metadata(data, mime)
    assert seen(bare, tmp_path / "a") == seen(data, tmp_path / "b")
    assert b"secret" not in bare
    assert b"Acme" not in bare
    parts = containers.parts_of(bare, mime)
    told = findings.findings(bare, mime, parts)
    assert told["color_profile"] is (mime != GIF)  # Pillow writes none there
    given_away = ("gps", "xmp", "iptc", "comment", "camera_make")
    assert [name for name in given_away if told[name]] == []
    # An AVIF is turned by a property of its own, others keep it among their tags.
    assert told["exif"] is (orientation != 1 and mime not in (AVIF, GIF, TIFF))


@pytest.mark.parametrize(("kind", "mime"), KINDS)
def test_what_gives_away_is_found_in_every_format(kind: str, mime: str) -> None:
    data = loaded(kind)
    told = findings.findings(data, mime, containers.parts_of(data, mime))
    if mime == GIF:  # has no Exif, and Pillow writes it no XMP
        assert (told["comment"], told["exif"], told["xmp"]) == (True, False, False)
        return
    assert (told["exif"], told["camera_make"]) == (True, "Acme")
    assert told["gps"] is (mime != TIFF)  # Pillow leaves it out there
    assert told["xmp"] is (mime not in (JPEG, TIFF))  # and here we give it none
    assert told["color_profile"]


@pytest.mark.parametrize(("kind", "mime"), KINDS)
def test_stripping_twice_changes_nothing_more(kind: str, mime: str) -> None:
    once = strip_metadata(loaded(kind), mime)
    assert strip_metadata(once, mime) == once


def test_a_stripped_file_keeps_its_history_when_signed(
    studio: Studio, reader: Child, picture: MakePicture
) -> None:
    first = studio.sign(picture()).path
    bare = first.with_name("bare.jpg")
    plan = ClaimPlan(
        title="Copy", actions=(Action("c2pa.opened"), Action("c2pa.edited.metadata"))
    )
    claim = studio.pki.claim
    sign_file(
        first,
        bare,
        "image/jpeg",
        plan,
        chain_pem=claim.chain.read_bytes(),
        key=claim.key.read_bytes(),
        tsa_url=studio.tsa_url,
        child=studio.child,
        trust_anchors=studio.claim_anchors,
        tsa_anchors=studio.tsa_anchors,
        strip=True,
    )
    found = inspect_file(bare, *studio.anchors, reader)
    assert found.state == "Trusted"
    assert found.failures == ()
    assert [m["title"] for m in found.manifests] == ["Copy", "Work"]
