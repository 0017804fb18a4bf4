"""The origin map of a recorded work: from the recorder's copies to page and API."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.test import Client
from django.utils import timezone
from PIL import Image

from accounts.models import User
from colophon.credential import inspect_file
from colophon.digest import sha256
from colophon.errors import CouldNotCheck
from colophon.origin import IPTC
from colophon.recorder import record
from outbox.claims import Claim
from provenance import blame, copies
from provenance.authorities import claim_roots, tsa_roots
from provenance.errors import CopyError
from provenance.models import Asset, OriginMap, Proxy, Rendition, Run, Seal
from tests.colophon.originmap.scenes import scene
from tests.loop import Person, saved, seal, upload

pytestmark = pytest.mark.django_db
SIZE = (640, 480)
BOX = (320, 120, 480, 240)  # 6.25 % of the picture
PAINTED = 62_500


def drawn() -> tuple[bytes, bytes]:
    """What a model made, and the same with a box that a person painted."""
    ground = scene(3, SIZE)
    final = ground.copy()
    final.paste((200, 40, 30), BOX)
    return saved(ground, quality=92), saved(final, quality=92)


def recorded(person: Person, home: Path, *, proxies: bool = True) -> tuple[Run, bytes]:
    """A run of two steps, with copies of its pictures or without."""
    ground, final = drawn()
    options = person.recorder(home, strict=True, proxies=proxies)
    with record("spring", **options) as run:
        ai = IPTC + "trainedAlgorithmicMedia"
        with run.step("c2pa.created", source_type=ai, kind="agent") as step:
            step.output(ground, name="ground.jpg")
        hand = IPTC + "humanEdits"
        with run.step("c2pa.drawing", source_type=hand, kind="human") as step:
            step.input(ground, name="ground.jpg")
            step.output(final, name="final.jpg")
    return Run.objects.get(code=run.id), final


@pytest.fixture
def mapped(clock: None, maker: Person, tmp_path: Path) -> Asset:
    run, final = recorded(maker, tmp_path / "home")
    return seal(upload(maker, final, run=run.code))


def test_a_recorded_work_has_a_map_with_the_painted_part_as_a_persons(
    mapped: Asset, maker: Person
) -> None:
    assert mapped.run is not None
    assert mapped.run.proxies.exclude(path="").count() == 2
    said = maker.api.ask("GET", f"/api/v1/assets/{mapped.code}/origin-map")
    found = said["map"]
    assert said["problem"] is None
    assert found["proxies"] is True
    assert sum(found["shares"].values()) == 1_000_000
    assert abs(found["shares"]["human"] - PAINTED) < 6_000
    assert found["shares"]["ai"] > 900_000
    assert found["findings"] == []
    (region,) = found["regions"]
    assert (region["step"], region["kind"]) == (1, "human")
    left, top, width, height = (one / 1_000_000 for one in region["box"])
    assert left == pytest.approx(0.5, abs=0.02)
    assert top == pytest.approx(0.25, abs=0.02)
    assert (width, height) == pytest.approx((0.25, 0.25), abs=0.03)


def test_the_credential_names_the_regions_of_a_step(mapped: Asset) -> None:
    sealed = mapped.renditions.get(kind=Rendition.Kind.SEALED)
    with default_storage.open(sealed.path) as stored:
        data = stored.read()
    path = Path(default_storage.path(sealed.path))
    found = inspect_file(path, claim_roots(), tsa_roots())
    assert found.intact
    # The store of an embedded manifest is JUMBF; its boxes hold the words as CBOR.
    assert data.count(b"spatial") == 1
    assert b"rectangle" in data


def test_the_page_shows_shares_places_and_the_map(
    mapped: Asset, client: Client
) -> None:
    Asset.objects.filter(pk=mapped.pk).update(published_at=timezone.now())
    text = client.get(f"/a/{mapped.code}").content.decode()
    assert "6% by a person" in text
    assert "94% last touched by AI" in text
    assert "Who changed what" in text
    assert "copies of 512 pixels" in text
    address = text.split('class="media__map" src="')[1].split('"')[0]
    answer = client.get(address)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "image/png"
    assert "immutable" in answer["Cache-Control"]
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
    with Image.open(io.BytesIO(b"".join(answer.streaming_content))) as laid:
        assert (laid.width / laid.height) == pytest.approx(4 / 3, abs=0.01)
        across, down = laid.width * 400 // 640, laid.height * 180 // 480
        inside = laid.convert("RGB").getpixel((across, down))
        outside = laid.convert("RGB").getpixel((10, 10))
        assert inside != outside


def test_only_those_who_see_a_draft_see_its_map(
    mapped: Asset, client: Client, eve: User
) -> None:
    paths = (
        f"/media/map/{mapped.code}.png",
        f"/api/v1/assets/{mapped.code}/origin-map",
    )
    for user in (None, eve):
        client.logout() if user is None else client.force_login(user)
        assert [client.get(path).status_code for path in paths] == [404, 404]
    client.force_login(mapped.party.memberships.first().user)
    for path in paths:
        answer = client.get(path)
        assert answer.status_code == 200
        assert b"".join(answer)


def test_without_copies_there_is_no_map_and_no_picture_leaves(
    clock: None, maker: Person, tmp_path: Path, client: Client
) -> None:
    run, final = recorded(maker, tmp_path / "home", proxies=False)
    asset = seal(upload(maker, final, run=run.code))
    assert asset.stage == "sealed"
    assert not run.proxies.exists()
    assert not OriginMap.objects.filter(asset=asset).exists()
    Asset.objects.filter(pk=asset.pk).update(published_at=timezone.now())
    text = client.get(f"/a/{asset.code}").content.decode()
    assert "Origin map" not in text
    assert "Who changed what" not in text


def held_back(
    maker: Person, home: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Run, bytes, list[tuple[bytes, bytes]]]:
    """A recorded run whose copies have not come."""
    from colophon.pipeline import Pipeline

    kept: list[tuple[bytes, bytes]] = []

    def keep(_: Pipeline, run: str, digest: bytes, copy: bytes) -> dict[str, Any]:
        kept.append((digest, copy))
        return {}

    with monkeypatch.context() as patch:
        patch.setattr(Pipeline, "send_proxy", keep)
        run, final = recorded(maker, home)
    return run, final, kept


def test_a_late_copy_makes_the_map_of_a_sealed_work(
    clock: None, maker: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, final, kept = held_back(maker, tmp_path / "home", monkeypatch)
    asset = seal(upload(maker, final, run=run.code))
    assert not OriginMap.objects.filter(asset=asset).exists()
    for digest, copy in kept:
        maker.api.send_proxy(run.code, digest, copy)
        maker.api.send_proxy(run.code, digest, copy)
    seal(asset)
    found = OriginMap.objects.get(asset=asset)
    assert found.proxies == 2
    assert abs(found.found["shares"]["human"] - PAINTED) < 6_000
    assert Seal.objects.filter(asset=asset).count() == 1


def test_a_copy_must_be_named_small_and_what_it_says(
    maker: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, _, kept = held_back(maker, tmp_path / "home", monkeypatch)
    (digest, copy), other = kept[0], saved(scene(9, (64, 64)))
    large = b"\xff\xd8\xff" + bytes(copies.MAX_BYTES)
    for name, data, words in (
        (sha256(other), other, "named by no step"),
        (digest, other, "another SHA-256"),
        (sha256(b"GIF89a"), b"GIF89a", "no JPEG"),
        (sha256(large), large, "more than"),
    ):
        with pytest.raises(CopyError, match=words):
            copies.keep_proxy(run=run, digest=name, data=data)
    monkeypatch.setattr(copies, "MAX_KEPT", 0)
    with pytest.raises(CopyError, match="one too many"):
        copies.keep_proxy(run=run, digest=digest, data=copy)
    assert not run.proxies.exclude(path="").exists()
    monkeypatch.setattr(copies, "MAX_KEPT", 1)
    assert copies.keep_proxy(run=run, digest=digest, data=copy).path


def with_copy(
    maker: Person, home: Path, monkeypatch: pytest.MonkeyPatch, bad: bytes
) -> Asset:
    """A work whose first copy is other bytes, which its step names all the same."""
    run, final, kept = held_back(maker, home, monkeypatch)
    row = Proxy.objects.get(run=run, digest=kept[0][0])
    Proxy.objects.filter(pk=row.pk).update(digest=sha256(bad))
    row.run.steps.first().files.update(proxy_digest=sha256(bad))
    copies.keep_proxy(run=run, digest=sha256(bad), data=bad)
    return upload(maker, final, run=run.code)


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (lambda: drawn()[0][:3_000], "damaged"),
        (lambda: saved(scene(2, (513, 20))), "at most 512"),
    ],
    ids=["cut off", "too wide"],
)
def test_a_copy_that_cannot_be_read_costs_the_map_and_not_the_work(  # noqa: PLR0917
    clock: None,
    maker: Person,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    bad: Callable[[], bytes],
    words: str,
) -> None:
    asset = seal(with_copy(maker, tmp_path / "home", monkeypatch, bad()))
    assert asset.stage == "sealed"
    said = maker.api.ask("GET", f"/api/v1/assets/{asset.code}/origin-map")
    assert (said["map"], said["picture"]) == (None, None)
    assert words in said["problem"]


def test_a_computation_that_keeps_dying_is_given_up(
    mapped: Asset, monkeypatch: pytest.MonkeyPatch
) -> None:
    OriginMap.objects.all().delete()

    def dies(*_: Any, **__: Any) -> None:
        raise CouldNotCheck("the child ran out of time")

    monkeypatch.setattr(blame, "compute", dies)
    for attempts in (1, 2):
        claim = Claim(1, "asset.map", {}, 1, attempts=attempts)
        with pytest.raises(CouldNotCheck):
            blame.map_asset(asset=mapped, claim=claim)
    assert not OriginMap.objects.exists()
    last = Claim(1, "asset.map", {}, 1, attempts=3)
    monkeypatch.setattr(Claim, "hold", lambda _: None)
    row = blame.map_asset(asset=mapped, claim=last)
    assert row is not None
    assert "ran out of time" in row.problem


def test_of_the_upload_our_own_copy_is_read(
    clock: None, maker: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A maker who sends the painted picture's copy without the paint gains nothing."""
    run, final, kept = held_back(maker, tmp_path / "home", monkeypatch)
    first, ground = kept[0]
    assert len(dict(kept)) == 2
    last = run.steps.last()
    assert last is not None
    last.files.filter(relation="output").update(proxy_digest=first)
    copies.keep_proxy(run=run, digest=first, data=ground)
    asset = seal(upload(maker, final, run=run.code))
    shares = OriginMap.objects.get(asset=asset).found["shares"]
    assert abs(shares["human"] - PAINTED) < 6_000
