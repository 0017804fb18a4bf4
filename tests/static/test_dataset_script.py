"""Is my file in that data set: the browser says what the library says."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from colophon.dataset import Dataset, ItemProof, Items
from colophon.digest import sha256
from tests.static.conftest import Site

pytestmark = pytest.mark.browser

FORM = '{% include "provenance/membership.html" with digest=digest only %}'
IN, OUT = "Your file is in this data set.", "Your file is not in this data set."
LISTED = [f"file {number}".encode() for number in range(11)]


@pytest.fixture
def items() -> Items:
    return Items(sha256(one) for one in LISTED)


@pytest.fixture
def made(items: Items) -> Dataset:
    return items.describe(name="Norsk Kyst", version="1")


def told(page: Page, site: Site, made: Dataset, proof: Any, file: bytes) -> Any:
    """What the page says; `proof` is a proof or the bytes of its file."""
    if isinstance(proof, ItemProof):
        proof = json.dumps(proof.to_json()).encode()
    page.goto(site.page("/set", FORM, "dataset", digest=made.digest.hex()))
    for name, data in (
        ("Description", made.to_bytes()),
        ("Proof", proof),
        ("Your file", file),
    ):
        chosen: Any = {"name": "f.json", "mimeType": "text/plain", "buffer": data}
        page.locator("form").get_by_label(name).set_input_files(files=chosen)
    page.get_by_role("button", name="Check").click()
    return expect(page.locator("[data-status]"))


@pytest.mark.parametrize("count", [1, 2, 3, 7, 8, 11])
def test_every_file_that_is_in_is_said_to_be_in(
    page: Page, site: Site, count: int
) -> None:
    items = Items(sha256(one) for one in LISTED[:count])
    made = items.describe(name="n", version="1")
    for file in (LISTED[0], LISTED[count - 1]):
        told(page, site, made, items.prove(made, sha256(file)), file).to_have_text(IN)
    assert {path for path, _ in site.seen} == {"/set"}  # nothing was sent


@pytest.mark.parametrize("number", range(6))
def test_a_file_that_is_not_in_is_said_to_be_out(
    page: Page, site: Site, items: Items, made: Dataset, number: int
) -> None:
    file = f"stranger {number}".encode()
    told(page, site, made, items.prove(made, sha256(file)), file).to_have_text(OUT)


def test_a_lie_proves_nothing(
    page: Page, site: Site, items: Items, made: Dataset
) -> None:
    file = LISTED[4]
    true = items.prove(made, sha256(file))
    (near,) = true.neighbors
    others = [one for one in LISTED if one != file]
    shown = items.prove(made, sha256(others[0])).neighbors
    bent = replace(near, path=(bytes(32), *near.path[1:]))
    other = items.describe(name="Another", version="1")
    for proof, words in (
        (replace(true, neighbors=shown), "do not show that the file is missing"),
        (replace(true, neighbors=()), "do not show that the file is missing"),
        (replace(true, neighbors=(bent,)), "a path leads to another root"),
        (replace(true, dataset=other.digest), "about another data set"),
        (items.prove(made, sha256(others[1])), "about another file"),
        (b"{}", "of no known form"),
        (b"no json", "no JSON"),
    ):
        said = told(page, site, made, proof, file)
        said.to_contain_text("That cannot be told")
        said.to_contain_text(words)


def test_another_description_than_the_registered_one_is_refused(
    page: Page, site: Site, items: Items, made: Dataset
) -> None:
    other = items.describe(name="Another", version="1")
    page.goto(site.page("/set", FORM, "dataset", digest=other.digest.hex()))
    for name, data in (
        ("Description", made.to_bytes()),
        ("Proof", b"{}"),
        ("Your file", LISTED[0]),
    ):
        chosen: Any = {"name": "f.json", "mimeType": "text/plain", "buffer": data}
        page.locator("form").get_by_label(name).set_input_files(files=chosen)
    page.get_by_role("button", name="Check").click()
    expect(page.locator("[data-status]")).to_contain_text("not the registered one")
