"""Every page of the site, as everyone who comes to it, in light and dark, at any width.

No serious or critical finding of axe, nothing sideways, no console error, and nothing
that the content security policy refuses.
"""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.flows.looking import look_at, look_here
from tests.flows.stage import Visitor
from tests.flows.story import Story

pytestmark = [pytest.mark.browser, pytest.mark.chain]

NOBODYS_DIGEST = "5e" * 32


def looked_at(visitor: Visitor, *paths: str) -> list[str]:
    return [words for path in paths for words in look_at(visitor, path)]


def test_pages_of_the_market_for_anyone(told: Story) -> None:
    found = told.found
    assert not looked_at(
        told["Eve"],
        "/",
        "/?q=nothing-of-the-kind",
        "/?q=night&use=pay-per-use",
        f"/a/{found['asset']}",
        "/registry",
        f"/registry/{found['model']}",
        f"/licenses/{found['license']}",
    )


def test_pages_of_verify_for_anyone(told: Story) -> None:
    digest = told.found["sealed"]
    assert not looked_at(
        told["Eve"],
        "/verify",
        f"/verify?id={told.found['asset']}",
        f"/verify?sha256={digest}",
        f"/verify?sha256={NOBODYS_DIGEST}",
        "/verify?sha256=nonsense",
        "/log",
    )


def test_pages_of_accounts_for_anyone(told: Story) -> None:
    eve = told["Eve"]
    assert not looked_at(
        eve, "/accounts/login/", "/accounts/signup/", "/accounts/password/reset/"
    )
    page = eve.go("/accounts/login/")
    page.get_by_label("Email").fill("nobody@mail.example")
    page.get_by_label("Password").fill("not the password")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.locator("[data-errors]")).to_be_visible()
    assert not look_here(eve)


def test_pages_for_developers(told: Story) -> None:
    eve = told["Eve"]
    page = eve.go(f"/a/{told.found['asset']}")
    judged = page.get_by_text(re.compile(r"^\s*Judged"))
    assert judged.count() == 1
    assert not looked_at(
        eve, "/developers", "/developers/errors", "/developers/api", policy_of(eve)
    )


def policy_of(visitor: Visitor) -> str:
    """The address of the newest policy, as the developers' page links it."""
    page = visitor.go("/developers")
    link = page.locator("a[href^='/policy/']:not([href$='.json'])").first
    return str(link.get_attribute("href"))


def test_pages_that_say_no(told: Story) -> None:
    eve = told["Eve"]
    missing = f"{eve.site}/no/such/page"
    eve.watch.expected[missing] = 404
    assert not look_at(eve, "/no/such/page")
    refused = f"{eve.site}/accounts/login/"
    eve.watch.expected[refused] = 403
    page = eve.go("/accounts/login/")
    eve.context.clear_cookies()
    page.get_by_label("Email").fill("nobody@mail.example")
    page.get_by_label("Password").fill("anything at all")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert not look_here(eve)


def test_pages_of_a_maker(told: Story) -> None:
    assert not looked_at(
        told["Ada"],
        "/sell",
        "/sell/new",
        f"/sell/{told.found['asset']}",
        "/registry/register",
        "/settings",
        "/accounts/email/",
        "/accounts/password/change/",
        "/accounts/logout/",
    )


def test_pages_of_a_holder(told: Story) -> None:
    mia = told["Mia"]
    paths = ["/royalties", "/royalties/earned", "/royalties/statements"]
    paths += ["/royalties/payouts"]
    for path, name in (
        ("/royalties/statements", "Statement"),
        ("/royalties/earned", "Why"),
    ):
        page = mia.go(path)
        link = page.get_by_role("link", name=re.compile(f"^{name}")).first
        paths.append(str(link.get_attribute("href")))
    assert not looked_at(mia, *paths)


def test_pages_of_a_buyer(told: Story) -> None:
    found, ben = told.found, told["Ben"]
    page = ben.go(f"/a/{found['asset']}")
    page.get_by_role("button", name="License for $40.00").click()
    assert not look_here(ben)
    assert not looked_at(
        ben,
        "/library",
        f"/library/{found['license']}",
        f"/licenses/{found['license']}/usage",
        f"/orders/{found['order']}",
        f"/orders/{found['order']}/refund",
    )


def test_empty_pages_of_a_newcomer(told: Story) -> None:
    new = told.stage.visitor("newcomer")
    new.join("Noor", "noor@mail.example")
    assert not looked_at(new, "/sell", "/library", "/royalties", "/settings")


def test_pages_of_the_staff(told: Story) -> None:
    cora = told["Cora"]
    cora.come_in_as("Certifier")
    assert not looked_at(cora, "/ops/")


def test_a_planted_fault_is_found(told: Story) -> None:
    eve = told["Eve"]
    page = eve.go("/verify")
    page.evaluate(
        """() => {
          const main = document.querySelector("main");
          main.insertAdjacentHTML(
            "beforeend", '<img src="/static/img/icon.svg"><input><p>wide</p>');
          main.lastChild.style.width = "900px";
        }"""
    )
    words = " ".join(look_here(eve))
    assert "image-alt" in words
    assert "label" in words
    assert "wide on a screen" in words
