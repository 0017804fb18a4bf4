"""Rights inside a picture: readable by others, nothing else touched."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from PIL import Image

from colophon import xmp
from colophon.containers import parts_of
from colophon.errors import InputError
from colophon.formats import FORMATS, JPEG, PNG, WEBP
from colophon.xmp import Rights, write_rights
from tests.colophon import hostile
from tests.colophon.conftest import AI

RIGHTS = Rights(
    creators=("Ada", "Łucja & <Co>"),
    copyright="© 2026 Ada",
    credit="Ada / Colophon",
    usage_terms="License needed",
    web_statement="https://colophon.example/a?x=1&y=2",
    licensor_name="Ada",
    licensor_url="https://colophon.example/a/license",
    source_type=AI,
    data_mining="DMI-PROHIBITED",
    alt_text="A harbor",
)
NAMES = {**xmp.SPACES, "rdf": xmp.RDF, "x": xmp.META}
KINDS = [(one.decoder, mime) for mime, one in FORMATS.items()]


def packet(data: bytes) -> etree._Element:
    """The XMP of a picture as Pillow finds it, parsed by another parser."""
    image = Image.open(io.BytesIO(data))
    image.load()
    if image.format == "GIF":  # Pillow does not look for it there
        start, end = b"!\xff\x0bXMP DataXMP", b"\x01\xff\xfe\xfd"
        return etree.fromstring(data.partition(start)[2].partition(end)[0])
    found = image.info.get("xmp") or image.info["XML:com.adobe.xmp"].encode()
    return etree.fromstring(found)


def texts(root: etree._Element, path: str) -> list[str]:
    return [element.text for element in root.iterfind(path, NAMES)]


@pytest.mark.parametrize(("kind", "mime"), KINDS)
def test_another_reader_finds_every_property(kind: str, mime: str) -> None:
    root = packet(write_rights(hostile.picture(kind), mime, RIGHTS))
    at = ".//rdf:Description/"
    assert texts(root, at + "dc:creator/rdf:Seq/rdf:li") == list(RIGHTS.creators)
    assert texts(root, at + "dc:rights/rdf:Alt/rdf:li") == ["© 2026 Ada"]
    assert texts(root, at + "xmpRights:UsageTerms/rdf:Alt/rdf:li") == ["License needed"]
    assert texts(root, at + "xmpRights:WebStatement") == [RIGHTS.web_statement]
    assert texts(root, at + "xmpRights:Marked") == ["True"]
    assert texts(root, at + "Iptc4xmpExt:DigitalSourceType") == [AI]
    assert texts(root, at + "plus:Licensor/rdf:Seq/rdf:li/plus:LicensorURL") == [
        RIGHTS.licensor_url
    ]
    assert texts(root, at + "plus:DataMining") == [
        "http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED"
    ]


@pytest.mark.parametrize(("kind", "mime"), KINDS)
def test_pixels_and_what_hangs_behind_stay(kind: str, mime: str) -> None:
    data = hostile.picture(kind) + b"\0tail"
    written = write_rights(data, mime, RIGHTS)
    with Image.open(io.BytesIO(data)) as one, Image.open(io.BytesIO(written)) as two:
        assert one.tobytes() == two.tobytes()
    assert written[parts_of(written, mime)[-1].end :] == b"\0tail"


@pytest.mark.parametrize(("kind", "mime"), [("JPEG", JPEG), ("PNG", PNG)])
def test_pixels_and_all_other_bytes_stay(kind: str, mime: str) -> None:
    data = hostile.picture(kind) + b"\0tail"
    written = write_rights(data, mime, RIGHTS)
    with Image.open(io.BytesIO(data)) as one, Image.open(io.BytesIO(written)) as two:
        assert one.tobytes() == two.tobytes()
    added = len(written) - len(data)
    place = next(
        i for i, (a, b) in enumerate(zip(data, written, strict=False)) if a != b
    )
    # Bytes on both sides of the new piece may be alike, so allow for a shift.
    assert any(
        written[: place - n] + written[place - n + added :] == data for n in range(4)
    )


@pytest.mark.parametrize(("kind", "mime"), KINDS)
def test_writing_twice_leaves_one_packet_with_the_newest(kind: str, mime: str) -> None:
    once = write_rights(hostile.picture(kind), mime, RIGHTS)
    twice = write_rights(once, mime, Rights(creators=("Ben",)))
    root = packet(twice)
    assert texts(root, ".//dc:creator/rdf:Seq/rdf:li") == ["Ben"]
    assert twice.count(b"x:xmpmeta>") == 1
    # What the new statement does not name is kept from the old one.
    assert texts(root, ".//dc:rights/rdf:Alt/rdf:li") == ["© 2026 Ada"]


def with_xmp(inner: str, mime: str = JPEG) -> bytes:
    text = (
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{xmp.RDF}">'
        f"{inner}</rdf:RDF></x:xmpmeta>"
    )
    return with_packet(text.encode())


def with_packet(packet: bytes) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "JPEG", xmp=packet)
    return out.getvalue()


def test_what_others_wrote_is_kept_and_what_is_ours_replaced() -> None:
    dc = xmp.SPACES["dc"]
    data = with_xmp(
        f'<rdf:Description rdf:about="" xmlns:dc="{dc}" xmlns:lab="urn:lab"'
        ' dc:rights="old" lab:look="warm"><lab:step>7</lab:step></rdf:Description>'
    )
    root = packet(write_rights(data, JPEG, RIGHTS))
    described = root.find(".//rdf:Description", NAMES)
    assert described.get("{urn:lab}look") == "warm"
    assert described.find("{urn:lab}step").text == "7"
    assert described.get(f"{{{dc}}}rights") is None
    assert texts(root, ".//dc:rights/rdf:Alt/rdf:li") == ["© 2026 Ada"]


@pytest.mark.parametrize(
    "old",
    [
        b"junk",
        b"<x:xmpmeta",
        b'<!DOCTYPE a [<!ENTITY b "boom">]><a>&b;</a>',
        b"<other/>",
        b"\xff\xfe",
    ],
)
def test_a_broken_or_trick_packet_is_replaced(old: bytes) -> None:
    root = packet(write_rights(with_packet(old), JPEG, RIGHTS))
    assert texts(root, ".//dc:creator/rdf:Seq/rdf:li") == list(RIGHTS.creators)
    assert b"boom" not in etree.tostring(root)


def test_a_packet_that_no_longer_fits_is_refused_with_the_reason() -> None:
    filler = "x" * 64_000
    data = with_xmp(
        f'<rdf:Description rdf:about="" xmlns:l="urn:l"><l:a>{filler}</l:a>'
        "</rdf:Description>"
    )
    with pytest.raises(InputError, match="too large"):
        write_rights(data, JPEG, RIGHTS)


def test_exif_stays_in_front(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010F] = "Acme"
    Image.new("RGB", (8, 8)).save(tmp_path / "a.jpg", exif=exif)
    written = write_rights((tmp_path / "a.jpg").read_bytes(), JPEG, RIGHTS)
    assert written.index(b"Exif\0\0") < written.index(b"http://ns.adobe.com/xap/1.0/\0")
    with Image.open(io.BytesIO(written)) as image:
        assert image.getexif()[0x010F] == "Acme"


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_a_simple_webp_is_extended_and_keeps_its_alpha(mode: str) -> None:
    out = io.BytesIO()
    Image.new(mode, (9, 7), (1, 2, 3, 4)[: len(mode)]).save(out, "WEBP", lossless=True)
    assert b"VP8X" not in out.getvalue()
    written = write_rights(out.getvalue(), WEBP, RIGHTS)
    with Image.open(io.BytesIO(written)) as image:
        assert (image.mode, image.size) == (mode, (9, 7))
        assert image.getpixel((3, 3)) == (1, 2, 3, 4)[: len(mode)]
    assert written[20] == 0x04 | 0x10 * (mode == "RGBA")


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"])))
def test_any_words_come_back_as_they_were(words: str) -> None:
    written = write_rights(
        hostile.picture("PNG"), PNG, Rights(usage_terms=words or "-")
    )
    parts_of(written, PNG)
    found = texts(packet(written), ".//xmpRights:UsageTerms/rdf:Alt/rdf:li")
    assert found == [words.replace("\r", "\n") or "-"]


def test_json_ld_says_the_same_with_its_context() -> None:
    told = xmp.json_ld(RIGHTS)
    assert told["dc:creator"] == list(RIGHTS.creators)
    assert told["plus:Licensor"][0]["plus:LicensorURL"] == RIGHTS.licensor_url
    used = {name.partition(":")[0] for name in told if name != "@context"}
    assert set(told["@context"]) == used


def everything(use: str) -> dict[str, str]:
    return dict.fromkeys(xmp.TRAINING_KINDS, use)


@pytest.mark.parametrize(
    ("training", "term"),
    [
        ({}, "DMI-UNSPECIFIED"),
        (everything("allowed"), "DMI-ALLOWED"),
        (everything("notAllowed"), "DMI-PROHIBITED"),
        (everything("constrained"), "DMI-PROHIBITED-SEECONSTRAINT"),
        (
            {**everything("allowed"), "ai_generative_training": "notAllowed"},
            "DMI-PROHIBITED-GENAIMLTRAINING",
        ),
        (
            {**everything("allowed"), "ai_training": "notAllowed"},
            "DMI-PROHIBITED-AIMLTRAINING",
        ),
        (
            {**everything("allowed"), "ai_inference": "notAllowed"},
            "DMI-PROHIBITED-SEECONSTRAINT",
        ),
        ({"ai_training": "allowed"}, "DMI-UNSPECIFIED"),
    ],
)
def test_a_training_permission_becomes_a_plus_term(
    training: dict[str, str], term: str
) -> None:
    assert xmp.mining_term(training) == term
