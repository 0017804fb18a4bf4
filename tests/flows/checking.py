"""Scenes of a stranger who trusts nobody: the copy on Verify, by file and by digest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import Locator, Page, expect

from colophon.credential import inspect_file
from colophon.digest import sha256
from tests.flows.making import TITLE
from tests.flows.stage import Visitor

if TYPE_CHECKING:
    from tests.flows.story import Story


def verify_by_form(story: Story) -> None:
    """Eve sends the licensed copy and the sealed file by the form."""
    eve, copy = story["Eve"], story.found["copy"]
    inside = inspect_file(copy, [], []).detail.assertions
    assert inside["com.colophon.license"]["license"] == story.found["license"]
    page = send(eve, "licensed.jpg", copy.read_bytes())
    expect(answer(page)).to_have_text("A genuine licensed copy.")
    expect(page.get_by_role("link", name=TITLE)).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="Is AI in it?")).to_contain_text(
        "Yes, beside a person's work"
    )

    sealed = sealed_bytes(story)
    page = send(eve, "sealed.jpg", sealed)
    expect(answer(page)).to_have_text("Genuine and unchanged.")
    expect(page.locator(".verdict--genuine .seal")).to_be_visible()
    checks = page.get_by_role("region", name="What was checked")
    expect(checks.get_by_text("Failed")).to_have_count(0)


def verify_by_digest(story: Story) -> None:
    """Choosing the file is enough: only its digest leaves the browser."""
    page = story["Eve"].go("/verify")
    sent: list[str] = []
    page.on("request", lambda one: sent.append(one.method))
    page.get_by_label("Choose a file").set_input_files(story.found["copy"])
    expect(answer(page)).to_have_text("A genuine licensed copy.")
    expect(answer(page)).to_be_focused()
    expect(page.get_by_text("The file did not leave your device.")).to_be_visible()
    assert "POST" not in sent

    digest = story.found["sealed"] = sha256(sealed_bytes(story)).hex()
    page = story["Eve"].go("/verify")
    page.get_by_label("64 digits").fill(digest)
    page.get_by_role("button", name="Look it up").click()
    expect(answer(page)).to_have_text("Genuine and unchanged.")


def send(visitor: Visitor, name: str, data: bytes) -> Page:
    """Send bytes by the form of Verify, as without script."""
    page = visitor.go("/verify")
    file = {"name": name, "mimeType": "image/jpeg", "buffer": data}
    page.get_by_label("Choose a file").set_input_files(file)  # type: ignore[arg-type]
    page.get_by_role("button", name="Send it for a closer look").click()
    page.wait_for_load_state()
    return page


def answer(page: Page) -> Locator:
    """The headline of Verify's answer."""
    return page.locator(".verdict__title")


def sealed_digest(story: Story) -> str:
    """The SHA-256 of the sealed file, as the maker's page shows it."""
    page = story["Ada"].go(f"/sell/{story.found['asset']}")
    sealed = page.locator(".hash").filter(has_text="sealed sha256")
    return str(sealed.get_by_role("button").get_attribute("data-copy"))


def sealed_bytes(story: Story) -> bytes:
    """The sealed file itself."""
    return story.stage.sealed_file(sealed_digest(story))
