"""What must not happen: a false "genuine", a stranger's download, a double payment."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import expect

from colophon.digest import keccak256
from tests.flows import buying, checking, making
from tests.flows.checking import answer, sealed_bytes, send
from tests.flows.stage import LONG_MS, Visitor
from tests.flows.story import Story

pytestmark = [pytest.mark.browser, pytest.mark.chain]

DEPOSITED = keccak256(b"Deposited(address,uint32,uint256,bytes32)")
ACCUSING = re.compile("fake|altered|broken|does not hold|manipulated", re.IGNORECASE)
REFUSED = {403, 404}
# An anonymous visitor may also be asked to sign in; nothing is shown to them either.
REFUSED_OR_ASKED = REFUSED | {302, 401}


# --- a file that is not what it says -------------------------------------------------


def changed(data: bytes, at: int) -> bytes:
    """The file with one bit turned over."""
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def saved_again(data: bytes) -> bytes:
    """The picture with a patch painted over, in a new file without credential."""
    with Image.open(io.BytesIO(data)) as opened:
        picture = opened.convert("RGB")
    picture.paste((20, 160, 90), (40, 40, 700, 420))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=85)
    return out.getvalue()


@pytest.mark.parametrize("part", ["picture", "credential"])
def test_a_tampered_file_is_called_altered_and_never_genuine(
    story: Story, part: str
) -> None:
    story.play(making.see_badge)
    sealed = sealed_bytes(story)
    credential = sealed.index(b"com.colophon.log")
    at = len(sealed) - 5_000 if part == "picture" else credential + 60
    page = send(story["Eve"], "tampered.jpg", changed(sealed, at))
    expect(answer(page)).to_have_text(re.compile("Known, but altered|does not hold"))
    expect(page.locator(".verdict--genuine, .seal")).to_have_count(0)


def test_a_painted_over_copy_is_at_most_a_look_alike(story: Story) -> None:
    story.play(making.see_badge)
    page = send(story["Eve"], "painted.jpg", saved_again(sealed_bytes(story)))
    expect(answer(page)).to_have_text(re.compile("Looks like|No record"))
    expect(page.locator(".verdict--genuine, .seal")).to_have_count(0)


def test_no_record_never_reads_like_an_accusation(story: Story) -> None:
    story.play(making.sign_up)
    out = io.BytesIO()
    Image.effect_noise((320, 240), 80).convert("RGB").save(out, "JPEG")
    page = send(story["Eve"], "unknown.jpg", out.getvalue())
    expect(answer(page)).to_have_text("No record found.")
    expect(page.get_by_text("says nothing about whether it is real")).to_be_visible()
    assert not ACCUSING.search(page.locator("[data-verify-result]").inner_text())
    page = story["Eve"].go("/verify?sha256=" + "5e" * 32)
    expect(answer(page)).to_have_text("No record of exactly this file.")
    assert not ACCUSING.search(page.locator("[data-verify-result]").inner_text())


# --- what is not a stranger's --------------------------------------------------------


def mallory(story: Story) -> Visitor:
    """Somebody with an account who has nothing to do with any of this."""
    if "Mallory" not in story.people:
        story["Mallory"].join("Mallory", "mallory@mail.example")
    return story["Mallory"]


def test_a_stranger_gets_no_original_no_copy_and_no_papers(story: Story) -> None:
    story.play(buying.download)
    asset, license_ = story.found["asset"], story.found["license"]
    digest = checking.sealed_digest(story)
    pages = [
        f"/media/sealed/{asset}.jpg",
        f"/media/uploaded/{asset}.jpg",
        f"/files/blobs/{digest[:2]}/{digest[2:]}",
        f"/media/../files/blobs/{digest[:2]}/{digest[2:]}",
        f"/download/{license_}",
        f"/sell/{asset}",
        f"/sell/{asset}/progress",
        f"/orders/{story.found['order']}",
        f"/orders/{story.found['order']}/state",
        f"/library/{license_}",
        f"/licenses/{license_}/usage",
        f"/api/v1/orders/{story.found['order']}",
        f"/api/v1/licenses/{license_}",
    ]
    nobody, other = story.stage.visitor("nobody"), mallory(story)
    for path in pages:
        assert nobody.status_of(path) in REFUSED_OR_ASKED, path
        assert other.status_of(path) in REFUSED, path
    assert story["Ben"].status_of(f"/library/{license_}") == 200
    assert story["Ada"].status_of(f"/sell/{asset}") == 200


def test_a_stranger_cannot_act_for_others(story: Story) -> None:
    story.play(buying.download)
    asset, license_ = story.found["asset"], story.found["license"]
    other = mallory(story)
    for path in (
        f"/library/{license_}/download",
        f"/licenses/{license_}/usage",
        f"/sell/{asset}/agreement",
        f"/sell/{asset}/publish",
        f"/sell/{asset}/withdraw",
        f"/library/{license_}/cancel",
        f"/orders/{story.found['order']}/refund/ask",
        f"/api/v1/licenses/{license_}/download",
        f"/api/v1/licenses/{license_}/cancel",
        f"/api/v1/orders/{story.found['order']}/authorize",
        f"/api/v1/assets/{asset}/publish",
    ):
        assert post(other, path) in REFUSED, path
    expect(story["Eve"].go(f"/a/{asset}").get_by_text("License for")).to_be_visible()


def post(visitor: Visitor, path: str) -> int:
    """What the site answers to this browser's form, or to JSON where it takes that."""
    page = visitor.go("/settings")
    token = page.locator("[name=csrfmiddlewaretoken]").first.input_value()
    headers = {"X-CSRFToken": token, "Referer": page.url}
    kind = "data" if path.startswith("/api/") else "form"
    body = {kind: {"quantity": 1}}
    return visitor.status_of(path, method="POST", headers=headers, **body)


def test_a_download_link_works_once(story: Story) -> None:
    story.play(buying.download)
    ben = story["Ben"]
    page = ben.go(f"/library/{story.found['license']}")
    links: list[str] = []
    page.on("request", lambda one: links.append(one.url))
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download your copy").click()
    assert waiting.value.path().read_bytes() == story.found["copy"].read_bytes()
    (link,) = [url for url in links if "/download/" in url]
    assert ben.status_of(link.removeprefix(story.stage.url)) in REFUSED | {410}


# --- paying twice --------------------------------------------------------------------


@pytest.mark.parametrize("way", ["test money", "wallet"])
def test_a_double_clicked_purchase_pays_once(story: Story, way: str) -> None:
    story.play(making.publish)
    stage, buyer = story.stage, story.stage.visitor(way)
    buyer.join("Bo", f"bo.{way.replace(' ', '.')}@mail.example")
    page = buyer.go(f"/a/{story.found['asset']}")
    page.get_by_role("button", name="License for $40.00").click()
    if way == "wallet":
        stage.give(buyer.wallet.address, 100_000_000)
        page.get_by_role("button", name="Pocket").dblclick()
    else:
        page.get_by_role("button", name="Pay $40.00 in test money").dblclick()
    expect(page.get_by_role("link", name="Your license")).to_be_visible(timeout=LONG_MS)
    page = buyer.go("/library")
    links = page.get_by_role("link", name=making.TITLE)
    expect(links).to_have_count(1)
    links.click()
    payer = page.get_by_role("row", name=re.compile("^From")).locator("[data-copy]")
    deposits = deposits_of(story, str(payer.get_attribute("data-copy")))
    assert [int(one["data"][66:130], 16) for one in deposits] == [40_000_000]
    if way == "wallet":
        assert stage.balance_of(buyer.wallet.address) == 60_000_000


def deposits_of(story: Story, account: str) -> list[dict[str, Any]]:
    """The chain's own records of what an account has paid in."""
    wanted = {
        "address": story.stage.contract("ColophonLedger"),
        "topics": ["0x" + DEPOSITED.hex(), "0x" + account[2:].lower().zfill(64)],
        "fromBlock": "earliest",
    }
    found: Any = story.stage.chain.rpc("eth_getLogs", wanted)
    return list(found)
