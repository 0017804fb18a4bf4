"""Scenes of the buyer: find, look, pay once, get the copy, report uses."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.flows.making import TITLE
from tests.flows.stage import LONG_MS, wait_for

if TYPE_CHECKING:
    from tests.flows.story import Story

MONEY = 50_000_000
USES = 5_000


def find(story: Story) -> None:
    """Ben finds the work by words and a filter."""
    ben = story["Ben"]
    ben.come_in_as("Buyer")
    page = ben.go("/")
    page.get_by_label("Search works").fill("night")
    page.get_by_role("button", name="Search").click()
    works = page.locator("#works")
    expect(works.get_by_role("link", name=TITLE)).to_be_visible()
    page.get_by_label("Pay per use").check()
    expect(page).to_have_url(re.compile("use=pay-per-use"))
    expect(works.get_by_role("link", name=TITLE)).to_be_visible()
    page = ben.go("/?q=nothing-of-the-kind")
    expect(page.get_by_text("Nothing matches")).to_be_visible()
    page = ben.go("/?q=night&use=pay-per-use")
    works.get_by_role("link", name=TITLE).click()
    expect(page.get_by_role("heading", name=TITLE, level=1)).to_be_visible()


def license_it(story: Story) -> None:
    """Ben sees where the money goes and pays with one signature of his wallet."""
    ben = story["Ben"]
    page = ben.page
    story.stage.give(ben.wallet.address, MONEY)
    page.get_by_role("radio", name=re.compile("Pay per use")).check()
    money = page.locator("#money")
    expect(money).to_contain_text("Where your $2.00 goes")
    for name, amount in (
        ("Tessera Models", "$0.24"),
        ("Open Harbor Photographs", "$0.16"),
        ("Ada Lindqvist", "$1.50"),
        ("fee", "$0.10"),
    ):
        row = money.get_by_role("row").filter(has_text=name)
        expect(row).to_contain_text(amount)
    page.get_by_role("button", name="License for $2.00 and a $10.00 deposit").click()
    expect(page.get_by_role("heading", name=re.compile(TITLE))).to_be_visible()
    page.get_by_role("button", name="Pocket").click()
    page.wait_for_url(re.compile("/orders/"))
    story.found["order"] = page.url.rpartition("/")[2]
    link = page.get_by_role("link", name="Your license")
    expect(link).to_be_visible(timeout=LONG_MS)
    assert ben.wallet.asked.count("eth_signTypedData_v4") == 1
    link.click()
    story.found["license"] = page.url.rpartition("/")[2]
    expect(page.get_by_text("Valid", exact=True)).to_be_visible()
    assert story.stage.balance_of(ben.wallet.address) == MONEY - 12_000_000


def download(story: Story) -> None:
    """Ben downloads his own copy."""
    page = story["Ben"].go(f"/library/{story.found['license']}")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download your copy").click()
    path = story.stage.folder / "licensed.jpg"
    waiting.value.save_as(path)
    assert waiting.value.suggested_filename == f"{story.found['license']}.jpg"
    story.found["copy"] = path


def report_uses(story: Story) -> None:
    """Ben reports uses on the page; a double click counts once."""
    page = story["Ben"].go(f"/library/{story.found['license']}")
    page.get_by_role("link", name="What was used so far").click()
    page.get_by_label("How many uses").fill(str(USES))
    page.get_by_role("button", name="Report", exact=True).dblclick()
    said = page.get_by_text(re.compile("5,000 uses were reported|reported before"))
    expect(said.first).to_be_visible()

    def counted() -> bool:
        page.reload()
        used = page.get_by_text("Used of your deposit").locator("..")
        return "$3.00" in used.inner_text()

    wait_for("the count", counted)
    rows = page.locator("#reports").get_by_role("row")
    expect(rows.filter(has_text="5,000")).to_have_count(1)
    expect(rows.filter(has_text="Counted")).to_have_count(1)
