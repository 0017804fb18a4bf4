"""Verify: each kind of file gets its one honest answer, and nothing of it is kept."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from colophon import child as children
from colophon.filedigest import looks
from marketplace.deliver import make_delivery
from provenance.assemble import bundle_for
from provenance.models import Asset
from tests.cast import PASSWORD, party_of
from tests.drawings import photograph
from tests.factories import (
    an_id,
    licensed,
    logged,
    published_asset,
)
from tests.real_works import real_asset

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh_throttle() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def bytes_of(asset: Asset, kind: str) -> bytes:
    with default_storage.open(asset.renditions.get(kind=kind).path) as stored:
        return bytes(stored.read())


def send(client: Client, data: bytes, name: str = "file.jpg") -> Any:
    return client.post("/verify", {"file": SimpleUploadedFile(name, data)})


def text_of(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


@pytest.fixture
def work(ada: User) -> Asset:
    return real_asset(party_of(ada), photograph())


def test_the_sealed_file_is_genuine_with_every_check_named(
    client: Client, work: Asset
) -> None:
    answer = send(client, bytes_of(work, "sealed"))
    text = text_of(answer)
    assert answer.status_code == 200
    assert "verdict--genuine" in text
    assert "Genuine and unchanged." in text
    assert f'href="/a/{work.code}"' in text
    assert "Credentialed" in text
    assert "Human-made (declared)" in text
    for name in ("Content Credential", "Seal", "Place in the log", "Verdict"):
        assert name in text
    assert "of 13 checks passed" in text
    assert "Yes, byte for byte" in text


def test_the_same_answer_comes_from_page_api_and_library(
    client: Client, work: Asset
) -> None:
    from django.utils.dateparse import parse_datetime

    from colophon.credential import inspect_file
    from colophon.filematch import CredentialFacts, FileDigests
    from colophon.verify import verify
    from provenance.authorities import claim_roots, tsa_roots
    from provenance.trusted import site_trust

    data = bytes_of(work, "sealed")
    answer = client.post("/api/v1/verify", {"file": SimpleUploadedFile("x.jpg", data)})
    told = answer.json()
    assert told["exit"] == 0
    path = Path(default_storage.path(work.renditions.get(kind="sealed").path))
    seen = inspect_file(path, claim_roots(), tsa_roots())
    moment = parse_datetime(told["recorded"]["as_of"])
    assert moment
    report = verify(
        FileDigests(bytes(work.seal.file_digest), bytes(work.findings.pixels_digest)),
        CredentialFacts.of(seen),
        bundle_for(work),
        site_trust(),
        as_of=moment,
    )
    assert report.recorded == told["recorded"]
    assert report.summary.removeprefix("Genuine. ") in text_of(send(client, data))


def test_the_digest_alone_finds_the_record_without_the_file(
    client: Client, work: Asset
) -> None:
    digest = bytes(work.seal.file_digest).hex()
    answer = client.get("/verify/lookup", {"sha256": digest})
    text = text_of(answer)
    assert "<html" not in text
    assert "Genuine and unchanged." in text
    assert "The file itself was not sent" in text
    assert "data-focus" in text
    page = text_of(client.get("/verify", {"sha256": digest.upper()}))
    assert "<html" in page
    assert "Genuine and unchanged." in page
    told = client.get("/api/v1/lookup", {"sha256": digest}).json()
    assert told["recorded"]["outcome"] == "genuine"


def test_the_upload_without_its_credential_is_known(
    client: Client, work: Asset
) -> None:
    text = text_of(send(client, photograph()))
    assert "The file as it was before it was sealed." in text
    assert "Seal: " not in text


def test_a_licensed_copy_is_named_as_one(
    client: Client, ben: User, work: Asset
) -> None:
    row = licensed(work, party_of(ben))
    delivery = make_delivery(license_row=row)
    logged()
    with default_storage.open(delivery.path) as stored:
        data = bytes(stored.read())
    text = text_of(send(client, data))
    assert "A genuine licensed copy." in text
    assert row.code in text
    assert "Ben" not in text  # who bought it is not told
    digest = bytes(delivery.digest).hex()
    found = text_of(client.get("/verify/lookup", {"sha256": digest}))
    assert "A genuine licensed copy." in found


def test_a_flipped_byte_is_known_but_altered(client: Client, work: Asset) -> None:
    data = bytearray(bytes_of(work, "sealed"))
    data[-200] ^= 1
    text = text_of(send(client, bytes(data)))
    assert "Known, but altered." in text
    assert "verdict--altered" in text
    assert "Seal: " not in text
    assert "Genuine and unchanged" not in text


def test_a_stripped_and_resized_copy_only_looks_like_the_work(
    client: Client, work: Asset
) -> None:
    from PIL import Image

    made = io.BytesIO()
    with Image.open(io.BytesIO(photograph())) as picture:
        picture.resize((480, 360)).save(made, "JPEG", quality=60)
    text = text_of(send(client, made.getvalue()))
    assert "Looks like “Night current”, not proven." in text
    assert "verdict--like" in text
    assert f'href="/a/{work.code}"' in text
    assert "Seal: " not in text
    assert "Genuine" not in text


def test_the_command_line_may_ask_for_look_alikes(
    client: Client, work: Asset, ada: User, tmp_path: Path
) -> None:
    from PIL import Image

    place = tmp_path / "small.png"
    with Image.open(io.BytesIO(photograph())) as picture:
        picture.transpose(Image.Transpose.ROTATE_90).resize((360, 480)).save(place)
    asked = {"pdq": ",".join(looks(place))}
    (found,) = client.get("/api/v1/look-alikes", asked).json()["similar"]
    assert (found["asset"], found["strong"]) == (work.code, True)
    far = client.get("/api/v1/look-alikes", {"pdq": "0f" * 32}).json()
    assert far == {"similar": []}


@pytest.mark.parametrize("text", ["", "xyz", "ab" * 31, ",".join(["ab" * 32] * 57)])
def test_a_print_that_is_none_is_refused(client: Client, text: str) -> None:
    answer = client.get("/api/v1/look-alikes", {"pdq": text})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/pdq"


def test_what_is_not_published_is_like_nothing(
    client: Client, ada: User, tmp_path: Path
) -> None:
    place = tmp_path / "draft.jpg"
    place.write_bytes(photograph(7))
    draft = real_asset(party_of(ada), photograph(7), "Draft")
    Asset.objects.filter(pk=draft.pk).update(published_at=None)
    asked = {"pdq": ",".join(looks(place))}
    assert client.get("/api/v1/look-alikes", asked).json() == {"similar": []}
    client.force_login(ada)
    (found,) = client.get("/api/v1/look-alikes", asked).json()["similar"]
    assert found["asset"] == draft.code


def test_the_same_pixels_in_another_file_are_said_to_be_that(
    client: Client, ada: User
) -> None:
    from PIL import Image

    drawn = io.BytesIO()
    with Image.open(io.BytesIO(photograph(3))) as picture:
        picture.save(drawn, "PNG")
    real_asset(party_of(ada), drawn.getvalue(), "Drawn")
    other = io.BytesIO()
    with Image.open(io.BytesIO(drawn.getvalue())) as picture:
        picture.save(other, "PNG", compress_level=1)
    assert other.getvalue() != drawn.getvalue()
    text = text_of(send(client, other.getvalue(), "other.png"))
    assert "The same picture, in another file." in text
    assert "Seal: " not in text


def test_no_record_says_nothing_about_the_file(client: Client, work: Asset) -> None:
    text = text_of(send(client, photograph(99)))
    assert "No record found." in text
    assert "This says nothing about whether it is real" in text
    assert "verdict--none" in text
    text = text_of(send(client, b"Dear diary, it rained.", "diary.txt"))
    assert "No record found." in text
    text = text_of(client.get("/verify/lookup", {"sha256": "ab" * 32}))
    assert "No record of exactly this file." in text
    assert client.get("/api/v1/lookup", {"sha256": "ab" * 32}).status_code == 404


def test_a_file_that_somebody_else_signed_is_said_to_be_theirs(
    client: Client, work: Asset, tmp_path: Path
) -> None:
    from colophon.authority import make_authorities
    from colophon.manifest import Action, ClaimPlan, sign_file
    from colophon.origin import IPTC

    stranger = make_authorities(tmp_path / "stranger").claim
    source, signed = tmp_path / "x.jpg", tmp_path / "y.jpg"
    source.write_bytes(photograph(50))
    start = Action("c2pa.created", source_type=IPTC + "digitalCapture")
    sign_file(
        source,
        signed,
        "image/jpeg",
        ClaimPlan(title="Theirs", actions=(start,)),
        chain_pem=stranger.chain.read_bytes(),
        key=stranger.key.read_bytes(),
        tsa_url=None,
    )
    text = text_of(send(client, signed.read_bytes()))
    assert "Signed by someone else." in text
    assert "verdict--foreign" in text


def test_a_draft_is_found_by_its_maker_alone(client: Client, ada: User) -> None:
    asset = real_asset(party_of(ada), photograph(7))
    Asset.objects.filter(pk=asset.pk).update(published_at=None)
    digest = bytes(asset.seal.file_digest).hex()
    page = f"/verify/lookup?sha256={digest}"
    assert "No record" in text_of(client.get(page))
    assert "Night current" not in text_of(send(client, photograph(7, quality=70)))
    client.login(email=ada.email, password=PASSWORD)
    assert "Genuine" in text_of(client.get(page))


def test_nothing_of_a_checked_file_is_kept(client: Client, settings: Any) -> None:
    root = Path(default_storage.path(""))
    before = sorted(root.rglob("*")) if root.exists() else []
    send(client, photograph(123))
    after = sorted(root.rglob("*")) if root.exists() else []
    assert before == after
    assert not list(Path(settings.FILE_UPLOAD_TEMP_DIR).glob("*upload*"))


def test_a_link_opens_a_record_and_an_unknown_one_says_so(
    client: Client, ada: User
) -> None:
    asset = published_asset(party_of(ada), title="Night current")
    text = text_of(client.get("/verify", {"id": asset.code}))
    assert "On record:" in text
    assert "This is the record, not a file" in text
    assert "verdict--genuine" not in text
    text = text_of(client.get("/verify", {"id": an_id("ast")}))
    assert "There is no record with this id" in text


def test_the_page_works_without_scripts_and_says_how_to_do_without_us(
    client: Client,
) -> None:
    text = text_of(client.get("/verify"))
    assert 'enctype="multipart/form-data"' in text
    assert "colophon verify FILE --bundle" in text
    answer = client.post("/verify")
    assert answer.status_code == 422
    assert "Choose a file first." in text_of(answer)
    answer = send(client, b"")
    assert answer.status_code == 422
    assert "empty" in text_of(answer)


@pytest.mark.parametrize("text", ["", "xyz", "12" * 31, "g" * 64])
def test_a_digest_that_is_none_is_refused_with_words(client: Client, text: str) -> None:
    assert "That is no SHA-256" in text_of(client.get("/verify", {"sha256": text}))
    answer = client.get("/api/v1/lookup", {"sha256": text})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/sha256"


def test_the_api_wants_a_file(client: Client) -> None:
    answer = client.post("/api/v1/verify")
    assert answer.status_code == 422
    assert client.get("/api/v1/verify").status_code == 405
    assert client.put("/verify").status_code == 405
    assert client.post("/verify/lookup").status_code == 405


def test_an_address_that_asks_too_often_is_asked_to_wait(client: Client) -> None:
    for _ in range(60):
        assert client.get("/verify/lookup?sha256=00").status_code == 200
    assert client.get("/verify/lookup?sha256=00").status_code == 429
    assert client.get("/verify?sha256=00").status_code == 429
    assert client.get("/api/v1/lookup?sha256=00").status_code == 429
    assert client.get("/verify").status_code == 200


def test_a_reader_that_died_is_not_an_answer_about_the_file(
    client: Client, work: Asset, monkeypatch: pytest.MonkeyPatch
) -> None:
    from colophon.errors import CouldNotCheck

    class Dead:
        def call(self, *_: Any, **__: Any) -> Any:
            raise CouldNotCheck("the reader", "it ran out of memory")

    monkeypatch.setattr(children, "default", Dead)
    text = text_of(send(client, photograph(44)))
    assert "This could not be checked." in text
    assert "verdict--unchecked" in text
