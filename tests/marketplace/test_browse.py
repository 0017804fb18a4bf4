"""Browsing: filters that narrow, pages that neither repeat nor skip."""

from __future__ import annotations

import pytest

from accounts.models import User
from marketplace import browse
from marketplace.browse import Wanted, find, wanted
from marketplace.models import Listing
from tests import factories
from tests.cast import party_of

pytestmark = pytest.mark.django_db


def titles(**want: object) -> list[str]:
    return [one.title for one in find(Wanted(**want)).listings]  # type: ignore[arg-type]


@pytest.fixture
def shelf(ada: User) -> None:
    party = party_of(ada)
    factories.published_asset(party, title="Tide", origin_class="AI")
    factories.published_asset(
        party,
        title="Moss",
        evidence=3,
        training={"ai_generative_training": "allowed"},
        offers=[factories.EDITORIAL],
    )


def test_newest_first_and_only_what_is_on_sale(shelf: None) -> None:
    assert titles() == ["Moss", "Tide"]
    Listing.objects.filter(title="Moss").update(state="withdrawn")
    assert titles() == ["Tide"]


def test_filters_narrow(shelf: None) -> None:
    assert titles(text="tide") == ["Tide"]
    assert titles(text="TIDE night-nothing") == []
    assert titles(text="100%") == []
    assert titles(origins=("AI",)) == ["Tide"]
    assert titles(badges=("certified",)) == ["Moss"]
    assert titles(uses=("commercial",)) == ["Tide"]
    assert titles(uses=("commercial", "editorial")) == ["Moss", "Tide"]
    assert titles(training=True) == ["Moss"]


def test_pages_neither_repeat_nor_skip(
    ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browse, "PAGE", 2)
    for number in range(5):
        factories.published_asset(party_of(ada), title=f"W{number}", seed=number)
    same = Listing.objects.earliest("pk").listed_at
    Listing.objects.update(listed_at=same)  # a tie in every row
    seen, cursor = [], ""
    for _ in range(3):
        page = find(Wanted(cursor=cursor))
        seen += [one.title for one in page.listings]
        cursor = page.next_cursor
    assert seen == ["W4", "W3", "W2", "W1", "W0"]
    assert cursor == ""


@pytest.mark.parametrize("cursor", ["", "x", "zz==", "MjAyNg", "é"])
def test_a_cursor_that_is_not_ours_is_the_first_page(shelf: None, cursor: str) -> None:
    assert titles(cursor=cursor) == ["Moss", "Tide"]


def test_what_makes_no_sense_is_left_out() -> None:
    params = {
        "q": ["  a   b  "],
        "origin": ["AI", "WOOD"],
        "badge": ["gold"],
        "use": ["editorial"],
        "training": ["0", "1"],
    }
    want = wanted(params)
    assert (want.text, want.origins, want.badges) == ("a b", ("AI",), ())
    assert (want.uses, want.training) == (("editorial",), True)
    assert not want.is_everything
    assert wanted({}).is_everything
