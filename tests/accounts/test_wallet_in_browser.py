"""Linking a wallet and signing in with it, in a real browser with a stub wallet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from eth_account.messages import encode_defunct
from playwright.sync_api import Page, expect

from accounts.models import User, Wallet
from tests.accounts.test_wallets import KEY
from tests.browser import launched
from tests.cast import PASSWORD, party_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# Announces itself as EIP-6963 says; the signature is made in Python.
STUB = """
const provider = { request: async ({ method, params }) => {
  if (method === "eth_requestAccounts") return ["%s"];
  if (method === "personal_sign") return window.signInPython(params[0]);
  throw { code: 4200, message: method };
} };
const detail = { info: { uuid: "u1", name: "Stub Wallet", icon: "" }, provider };
const announce = () => dispatchEvent(
  new CustomEvent("eip6963:announceProvider", { detail })
);
addEventListener("eip6963:requestProvider", announce);
"""


def sign(text: str) -> str:
    made = KEY.sign_message(encode_defunct(hexstr=text))
    return "0x" + bytes(made.signature).hex()


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    """A page with a wallet; any console error fails the test."""
    # Playwright's loop runs in this thread; the database is used between its calls.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    cache.clear()
    errors: list[str] = []
    with launched() as browser:
        made = browser.new_page()
        made.set_default_timeout(60_000)
        made.expose_function("signInPython", sign)
        made.add_init_script(STUB % KEY.address)
        made.on("pageerror", lambda error: errors.append(str(error)))
        yield made
    assert errors == []


@pytest.fixture
def site(live_server: Any, settings: Any) -> str:
    """The address that people and wallets see."""
    settings.SITE_URL = live_server.url
    return str(live_server.url)


def test_a_wallet_is_linked_and_then_signs_in(page: Page, site: str, ada: User) -> None:
    page.goto(f"{site}/accounts/login/?next=/settings")
    page.get_by_label("Email").fill(ada.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("button", name="Stub Wallet").click()
    expect(page.get_by_text("The wallet is linked.")).to_be_visible()
    assert Wallet.objects.get().address == KEY.address
    assert party_of(ada).holder.payout_address == KEY.address

    page.context.clear_cookies()
    page.goto(f"{site}/accounts/login/?next=/settings")
    page.get_by_role("button", name="Stub Wallet").click()
    expect(page.get_by_role("heading", name="Settings")).to_be_visible()
    expect(page.get_by_text(f"Signed in as {ada.email}")).to_be_visible()


def test_an_unknown_wallet_is_told_what_to_do(page: Page, site: str) -> None:
    page.goto(f"{site}/accounts/login/")
    page.get_by_role("button", name="Stub Wallet").click()
    expect(page.get_by_text("No account uses this wallet yet")).to_be_visible()


def test_settings_fit_a_small_screen(page: Page, site: str, ada: User) -> None:
    page.set_viewport_size({"width": 320, "height": 800})
    page.goto(f"{site}/accounts/login/?next=/settings")
    page.get_by_label("Email").fill(ada.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("button", name="Stub Wallet").click()
    expect(page.get_by_text("The wallet is linked.")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
