"""The stage of the stories: a whole installation on this machine, and its visitors."""

from __future__ import annotations

import email
import email.policy
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, expect

from chain.anvil import Anvil
from config.stack.stack import Stack
from tests.browser import Watch
from tests.flows.wallet import PocketWallet

WIDE = {"width": 1280, "height": 900}
PATIENCE_MS = 60_000
# What several jobs and blocks in a row may take while others use this machine.
LONG_MS = 120_000
PASSWORD = "nine purple anchors"
FAUCET = "0x40c10f19"  # mint(address,uint256) of the test token
BALANCE = "0x70a08231"  # balanceOf(address)


@dataclass
class Visitor:
    """Somebody with a browser of their own.

    Attributes:
        watch: what went wrong in their pages; empty at the end of every test.
    """

    site: str
    context: BrowserContext
    page: Page
    watch: Watch
    wallet: PocketWallet
    name: str = ""

    def go(self, path: str) -> Page:
        """Open a page of the site."""
        self.page.goto(self.site + path)
        return self.page

    def come_in_as(self, role: str) -> Page:
        """Sign in by the demo's one click: Creator, Buyer, Model owner and so on."""
        page = self.go("/accounts/login/?next=/settings")
        page.get_by_role("button", name=f"Continue as {role}", exact=True).click()
        expect(page.get_by_role("heading", name="Settings")).to_be_visible()
        return page

    def join(self, name: str, address: str) -> Page:
        """Make an account by e-mail address and password."""
        page = self.go("/accounts/signup/")
        page.get_by_label("Name").fill(name)
        page.get_by_label("Email").fill(address)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Make an account").click()
        expect(page.get_by_role("button", name="Sign out")).to_be_visible()
        return page

    def link_wallet(self) -> None:
        """Link the wallet of this browser on the settings page."""
        page = self.go("/settings")
        page.get_by_role("button", name="Pocket").click()
        expect(page.get_by_text("The wallet is linked.")).to_be_visible()

    def make_api_key(self, *scopes: str) -> str:
        """An API key from the settings page, where it is shown once."""
        page = self.go("/settings")
        section = page.locator("#api-keys")
        section.get_by_label("What is it for?").fill("studio PC")
        for box in section.get_by_role("checkbox").all():
            box.set_checked(box.get_attribute("value") in scopes)
        section.get_by_role("button", name="Make an API key").click()
        return str(page.locator(".hash__whole").inner_text())

    def status_of(self, path: str, **options: Any) -> int:
        """What the site answers to this browser, redirects not followed."""
        answer = self.context.request.fetch(
            self.site + path, max_redirects=0, **options
        )
        return answer.status

    def close(self) -> None:
        self.context.close()


@dataclass
class Stage:
    """Site, chain and browser of one run.

    Attributes:
        folder: for files of the stories.
    """

    stack: Stack
    chain: Anvil
    browser: Browser
    folder: Path
    visitors: list[Visitor] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.stack.url

    def visitor(self, name: str = "", **options: Any) -> Visitor:
        """A fresh browser profile with a wallet; `options` as of a browser context."""
        context = self.browser.new_context(**{"viewport": WIDE, **options})
        context.set_default_timeout(PATIENCE_MS)
        watch, wallet = Watch.over(context), PocketWallet(self.chain)
        wallet.put_into(context)
        page = context.new_page()
        made = Visitor(self.url, context, page, watch, wallet, name)
        self.visitors.append(made)
        return made

    def errors(self) -> list[str]:
        """What went wrong in all pages since it was last asked."""
        found = [line for one in self.visitors for line in one.watch.errors]
        for one in self.visitors:
            one.watch.errors.clear()
        return found

    def letter_to(self, address: str) -> str:
        """The text of the newest mail to an address, from the file mailbox."""

        def newest() -> str:
            texts = [path.read_bytes() for path in sorted(self._mail().glob("*.log"))]
            mine = [text for text in texts if f"To: {address}".encode() in text]
            if not mine:
                return ""
            policy = email.policy.default
            message = email.message_from_bytes(mine[-1], policy=policy)
            return str(message.get_content())

        return str(wait_for(f"mail to {address}", newest))

    def link_in_letter_to(self, address: str) -> str:
        """The address of this site in the newest mail to somebody."""
        found = re.search(rf"{re.escape(self.url)}\S+", self.letter_to(address))
        assert found is not None
        return found.group()

    def contract(self, name: str) -> str:
        """The address of a contract of this installation."""
        known = json.loads((self.stack.var / "contracts.json").read_text())
        return str(known["contracts"][name]["address"])

    def give(self, address: str, units: int) -> None:
        """Test money from the test token's open faucet."""
        data = FAUCET + address[2:].lower().zfill(64) + f"{units:064x}"
        sender: Any = self.chain.rpc("eth_accounts")
        sent = {"from": sender[0], "to": self.contract("Token"), "data": data}
        tx = self.chain.rpc("eth_sendTransaction", sent)
        wait_for("money", lambda: self.chain.rpc("eth_getTransactionReceipt", tx))

    def balance_of(self, address: str) -> int:
        """Units of the test token, asked of the chain."""
        data = BALANCE + address[2:].lower().zfill(64)
        call = {"to": self.contract("Token"), "data": data}
        answer: Any = self.chain.rpc("eth_call", call, "latest")
        return int(answer, 16)

    def sealed_file(self, sha256: str) -> bytes:
        """The bytes of a file that the site keeps, as a backup would hold them."""
        path = self.stack.var / "files" / "blobs" / sha256[:2] / sha256[2:]
        return path.read_bytes()

    def _mail(self) -> Path:
        return self.stack.var / "mail"


def wait_for(what: str, ask: Callable[[], Any], seconds: float = 60.0) -> Any:
    """Ask until the answer is truthy."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if answer := ask():
            return answer
        time.sleep(0.2)
    raise AssertionError(f"{what} did not happen within {seconds:.0f} s")
