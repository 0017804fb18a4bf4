"""Scenes of the maker: account, wallet, sources, steps, upload, agreement, offers."""

from __future__ import annotations

import re
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect

from colophon.digest import sha256
from colophon.pipeline import Pipeline
from config.story import picture, scenes
from config.story.cast import Person
from tests.flows.stage import LONG_MS, Visitor, wait_for

if TYPE_CHECKING:
    from tests.flows.story import Story

ADDRESS = "ada.lindqvist@mail.example"
TITLE = "Night current"


def sign_up(story: Story) -> None:
    """Ada makes an account by e-mail and password and confirms her address."""
    page = story["Ada"].go("/")
    page.get_by_role("link", name="Join").click()
    expect(page).to_have_url(re.compile("/accounts/signup/"))
    page = story["Ada"].join("Ada Lindqvist", ADDRESS)
    link = story.stage.link_in_letter_to(ADDRESS)
    page.goto(link)
    expect(page.get_by_text(ADDRESS)).to_be_visible()
    page.get_by_role("button", name="Yes, confirm it").click()
    page = story["Ada"].go("/settings")
    expect(page.get_by_text(f"Signed in as {ADDRESS}")).to_be_visible()


def link_wallets(story: Story) -> None:
    """Ada, Mia and Dan link the wallets that they are paid to."""
    story["Mia"].come_in_as("Model owner")
    story["Dan"].come_in_as("Data set owner")
    for name in ("Ada", "Mia", "Dan"):
        story[name].link_wallet()
        paid = story[name].page.locator("#wallets").get_by_role("row")
        expect(paid.filter(has_text="Paid to")).to_have_count(1)


def register_sources(story: Story) -> None:
    """Dan registers his data set and Mia her model, each with what they ask."""
    data = Source("A data set", "Norsk Kyst", "1.2", scenes.DATASET, 8)
    _register(story["Dan"], data)
    model = Source("A model", "Tidewater-XL", "3.1", scenes.MODEL, 12, data.title)
    story.found["model"] = _register(story["Mia"], model)


@dataclass(frozen=True)
class Source:
    """What the form of a source is filled with."""

    kind: str
    name: str
    version: str
    digest: bytes
    percent: int
    trained_on: str = ""

    @property
    def title(self) -> str:
        return f"{self.name} {self.version}"


def _register(visitor: Visitor, source: Source) -> str:
    page = visitor.go("/registry/register")
    page.get_by_label(source.kind, exact=True).check()
    page.get_by_label("Name", exact=True).fill(source.name)
    page.get_by_label("Version").fill(source.version)
    page.get_by_label(re.compile(r"^\s*SHA-256")).fill(source.digest.hex())
    page.get_by_label("What you ask, in percent").fill(str(source.percent))
    if source.trained_on:
        field = page.get_by_label(re.compile(r"^\s*Trained on"))
        field.select_option(label=source.trained_on)
    page.get_by_role("button", name="Sign and register").click()
    expect(page.get_by_role("heading", name=source.title)).to_be_visible()
    expect(page.get_by_text(f"{source.percent}% of everything")).to_be_visible()
    return page.url.rpartition("/")[2]


def record_steps(story: Story) -> None:
    """Ada's recorder writes down how the picture comes about, over HTTP."""
    found, folder = story.found, story.stage.folder
    source = folder / "source.jpg"
    picture.draw(source)
    with ExitStack() as connections:
        cast = {name: _person(story, name, connections) for name in ("Ada", "Mia")}
        told = scenes.Story(story.stage.url, folder, cast)
        scenes.enroll_keys(told)
        scenes.record_steps(told, source)
    found["run"], found["work"] = told.found["run"], told.found["work"]


def _person(story: Story, name: str, connections: ExitStack) -> Person:
    """Somebody with an API key that may record, made on the settings page."""
    visitor = story[name]
    key = visitor.make_api_key("record", "read")
    api = connections.enter_context(Pipeline(story.stage.url, key))
    return Person(name, "", "", key, visitor.wallet.account, api)


def upload(story: Story) -> None:
    """Ada uploads the finished picture with its run and watches it being sealed."""
    page, found = story["Ada"].go("/sell/new"), story.found
    digest = sha256(found["work"].read_bytes()).hex()
    page.get_by_label("The picture").set_input_files(found["work"])
    expect(page.locator("[data-file-digest]")).to_have_text(digest)
    page.get_by_label("Title").fill(TITLE)
    page.get_by_label("Description for people who cannot see it").fill(
        "Long soft lines around four warm shapes"
    )
    page.get_by_label("Recorded steps").select_option(found["run"])
    page.get_by_role("button", name="Upload").click()
    page.wait_for_url(re.compile(r"/sell/ast_"))
    found["asset"] = page.url.rpartition("/")[2]
    stages = page.locator("#progress").get_by_role("listitem")
    for name in ("Received", "Examined", "Signed and sealed", "In the log"):
        stage = stages.filter(has_text=name).filter(has_text="Done")
        expect(stage).to_be_visible(timeout=LONG_MS)


def agree(story: Story) -> None:
    """Ada signs who is paid; the sources' standing asks accept by themselves."""
    page = story["Ada"].page
    form = page.locator("#agreement")
    expect(form.locator("[data-total]")).to_have_text("100 %")
    form.get_by_role("button", name="Sign the agreement").click()
    expect(page.get_by_text("The agreement is signed")).to_be_visible()
    rows = form.get_by_role("row")
    expect(rows.filter(has_text="By their standing ask")).to_have_count(2)
    expect(rows.filter(has_text="Ada Lindqvist")).to_contain_text("Signed")


def publish(story: Story) -> None:
    """Ada sets two prices and puts the work on sale."""
    page = story["Ada"].page
    page.get_by_label("Pay per use").check()
    fields = {"Rate in dollars": "0.60", "Deposit in dollars": "10"}
    for label, value in {**fields, "Entry price in dollars": "2"}.items():
        page.get_by_label(label).fill(value)
    page.get_by_role("button", name="Put on sale").click()
    expect(page.get_by_text("The work is on sale.")).to_be_visible()
    page.get_by_role("link", name="Public page").click()
    expect(page.get_by_role("heading", name=TITLE, level=1)).to_be_visible()


def see_badge(story: Story) -> None:
    """Once the anchor is final the public page shows the badge with its reasons."""
    stranger = story["Eve"]

    def certified() -> Any:
        page = stranger.go(f"/a/{story.found['asset']}")
        return page.locator(".standing__word").inner_text() == "Certified provenance"

    wait_for("the badge", certified, LONG_MS / 1000)
    page = stranger.page
    expect(page.get_by_role("listitem").filter(has_text="Met:").first).to_be_visible()
    expect(page.get_by_text("2 recorded steps: 1 by a person, 1 by")).to_be_visible()
    told = page.get_by_role("region", name="Origin story")
    for words in ("Tidewater-XL 3.1", "Norsk Kyst 1.2", "Anchor"):
        expect(told.get_by_text(words).first).to_be_visible()
