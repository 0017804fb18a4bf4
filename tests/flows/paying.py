"""Scenes of the money: settled by a worker, paid by the chain, told by a page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.flows.buying import MONEY
from tests.flows.making import TITLE
from tests.flows.stage import LONG_MS, wait_for

if TYPE_CHECKING:
    from tests.flows.story import Story

# $2.00 once and 5,000 uses at $0.60 for 1,000: $5.00, by the parts agreed on.
PARTS = {"Ada": 3_750_000, "Mia": 600_000, "Dan": 400_000}


def be_paid(story: Story) -> None:
    """The worker settles, and Ada's page shows what the chain paid her."""
    stage, ada = story.stage, story["Ada"]

    def paid() -> bool:
        held = {name: stage.balance_of(story[name].wallet.address) for name in PARTS}
        return held == PARTS

    wait_for("everybody's money", paid, LONG_MS / 1000)

    def shown() -> bool:
        page = ada.go("/royalties/payouts")
        return page.get_by_text("$3.75").count() > 0

    wait_for("the payout on the page", shown)
    page = ada.page
    row = page.get_by_role("row").filter(has_text="Paid").first
    tx = row.locator("[data-copy^='0x']").last.get_attribute("data-copy")
    receipt = stage.chain.rpc("eth_getTransactionReceipt", tx)
    assert isinstance(receipt, dict)
    assert receipt["status"] == "0x1"
    assert ada.wallet.address[2:].lower() in str(receipt["logs"]).lower()


def get_rest_back(story: Story) -> None:
    """Ben asks for his unused deposit with one signature; all but $5.00 comes back."""
    stage, ben = story.stage, story["Ben"]
    page = ben.go(f"/library/{story.found['license']}")
    page.get_by_role("link", name="Refund unused escrow").click()
    left = page.locator("dl.facts > div").filter(has_text="Left")
    expect(left).to_contain_text("$7.00")
    page.get_by_role("button", name="Pocket").click()
    expect(page.get_by_text("Your request is on its way").first).to_be_visible()

    def back() -> bool:
        return stage.balance_of(ben.wallet.address) == MONEY - 5_000_000

    wait_for("the rest of the deposit", back, LONG_MS / 1000)

    def told() -> bool:
        page.reload()
        return page.get_by_text("Paid back").count() > 0

    wait_for("the refund on the page", told)
    expect(page.get_by_text("$7.00 on")).to_be_visible()
    expect(left).to_contain_text("$0.00")
    page = ben.go(f"/library/{story.found['license']}")
    expect(page.get_by_text("This license has ended")).to_be_visible()


def see_why(story: Story) -> None:
    """The dashboard sums up, and a line says which sale, price and part it is."""
    page = story["Ada"].go("/royalties")
    paid = page.locator("dl.facts > div").filter(has_text="Lifetime")
    expect(paid).to_contain_text("$3.75")
    page.get_by_role("link", name="Every line, and why you earned it").click()
    expect(page.get_by_text("Together").first).to_be_visible()
    page.get_by_role("link", name=re.compile("Why did I earn .* from")).first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Why you earned")
    expect(page.get_by_role("link", name=TITLE)).to_be_visible()
    expect(page.get_by_text("Your share is 75%")).to_be_visible()
    expect(page.get_by_text("As part of")).to_be_visible()
