"""The catalog: what it finds, how it pages, and how few queries it needs."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from marketplace.browse import PAGE
from marketplace.models import Listing
from tests.cast import party_of
from tests.factories import (
    COMMERCIAL,
    EDITORIAL,
    METERED,
    judged,
    published_asset,
    sealed_asset,
)

pytestmark = pytest.mark.django_db


def titles(answer: Any) -> list[str]:
    """Titles of the cards of a page, in order."""
    return re.findall(r'card__link" href="[^"]+">([^<]+)<', answer.content.decode())


@pytest.fixture
def works(ada: User) -> dict[str, Any]:
    """Four works that differ in every filter."""
    party = party_of(ada)
    allowed = {"ai_generative_training": "allowed"}
    return {
        "river": published_asset(
            party, title="River at night", seed=1, evidence=3, origin_class="HYBRID"
        ),
        "dunes": published_asset(
            party, title="Dunes", seed=2, origin_class="CAPTURE", offers=[EDITORIAL]
        ),
        "engine": published_asset(
            party,
            title="Moss engine",
            seed=3,
            origin_class="AI",
            offers=[METERED],
            training=allowed,
        ),
        "word": published_asset(
            party, title="Only a word", seed=4, evidence=0, offers=[COMMERCIAL]
        ),
    }


def test_everything_on_sale_is_shown_newest_first(
    client: Client, works: dict[str, Any]
) -> None:
    answer = client.get("/")
    assert titles(answer) == ["Only a word", "Moss engine", "Dunes", "River at night"]
    assert "Search 4 works" in answer.content.decode()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=river", ["River at night"]),
        ("q=NIGHT+river", ["River at night"]),
        ("q=river+dunes", []),
        ("q=ada+lindqvist", ["Only a word", "Moss engine", "Dunes", "River at night"]),
        ("q=%25", []),
        ("origin=CAPTURE", ["Dunes"]),
        ("origin=CAPTURE&origin=AI", ["Moss engine", "Dunes"]),
        ("badge=certified", ["River at night"]),
        ("badge=declared", ["Only a word"]),
        ("use=pay-per-use", ["Moss engine", "River at night"]),
        ("training=1", ["Moss engine"]),
        ("origin=AI&training=1&use=pay-per-use&q=moss", ["Moss engine"]),
        ("origin=CAPTURE&badge=certified", []),
        ("origin=NONSENSE&badge=x&use=y&cursor=zz", 4),
    ],
)
def test_a_filter_finds_exactly_its_works(
    client: Client, works: dict[str, Any], query: str, found: Any
) -> None:
    shown = titles(client.get(f"/?{query}"))
    assert len(shown) == found if isinstance(found, int) else shown == found


def test_chips_and_counts_say_what_the_rows_hold(
    client: Client, works: dict[str, Any]
) -> None:
    text = " ".join(client.get("/").content.decode().split())
    assert "Certified provenance" in text
    assert "Photographed (declared)" in text
    assert "AI + human edit </span>" in text  # E3: not only declared
    counts = dict(
        re.findall(
            r'value="(\w+)"[^>]*>\s[^<]+<span class="filters__count">(\d+)', text
        )
    )
    assert counts["certified"] == "1"
    assert counts["credentialed"] == "2"
    assert counts["declared"] == "1"
    assert counts["editorial"] == "2"


def test_a_withdrawn_or_unpublished_work_is_not_shown(
    client: Client, ada: User, works: dict[str, Any]
) -> None:
    sealed_asset(party_of(ada), title="Not yet", seed=9)
    Listing.objects.filter(asset=works["dunes"]).update(state="withdrawn")
    shown = titles(client.get("/"))
    assert "Not yet" not in shown
    assert "Dunes" not in shown


def test_a_contested_work_says_so_instead_of_its_badge(
    client: Client, works: dict[str, Any]
) -> None:
    from marketplace.refresh import refresh_listing

    judged(works["river"], evidence=3, origin_class="HYBRID", standing="contested")
    refresh_listing(asset=works["river"])
    text = client.get("/?q=river").content.decode()
    assert "Contested" in text
    assert ">Certified provenance</span>" not in text


def test_pages_follow_a_cursor_and_stay_stable_when_something_is_added(
    client: Client, ada: User
) -> None:
    party = party_of(ada)
    first = published_asset(party, title="First")
    Listing.objects.filter(asset=first).update(
        listed_at=timezone.now() - timedelta(days=2)
    )
    copies(first, PAGE + 3)
    one = client.get("/")
    assert len(titles(one)) == PAGE
    link = re.search(r'rel="next" href="([^"]+)"', one.content.decode())
    assert link
    published_asset(party, title="Brand new", seed=7)
    two = client.get(link.group(1).replace("&amp;", "&"))
    assert len(titles(two)) == 4
    assert not set(titles(one)) & set(titles(two))
    assert 'rel="next"' not in two.content.decode()
    assert "Back to the first works" in two.content.decode()


def copies(asset: Any, count: int) -> None:
    """More listings of the same party, written directly: a page needs no more."""
    from provenance.models import Asset, Rendition

    pictures = list(asset.renditions.all())
    for number in range(count):
        made = Asset.objects.create(
            party=asset.party,
            title=f"Copy {number:02}",
            uploaded_digest=number.to_bytes(32, "big"),
            uploaded_name="x.jpg",
            published_at=timezone.now(),
        )
        for row in pictures:
            values = {"path": row.path, "mime": row.mime, "size_bytes": row.size_bytes}
            Rendition.objects.create(
                asset=made, kind=row.kind, digest=row.digest, **values
            )
        Listing.objects.create(asset=made, party=asset.party, title=made.title)


def test_the_number_of_queries_does_not_grow_with_the_works(
    client: Client, ada: User, django_assert_num_queries: Callable[..., Any]
) -> None:
    first = published_asset(party_of(ada), title="First")
    with django_assert_num_queries(3):  # listings, their pictures, stored counts
        client.get("/")
    copies(first, 10)
    with django_assert_num_queries(3):
        client.get("/")


def test_an_empty_market_and_an_empty_search_say_what_to_do(
    client: Client, ada: User
) -> None:
    assert "Nothing is on sale yet" in client.get("/").content.decode()
    published_asset(party_of(ada))
    text = client.get("/?q=zebra").content.decode()
    assert "Nothing matches" in text
    assert "Clear filters" in text


def test_text_that_somebody_searched_for_is_escaped(client: Client) -> None:
    text = client.get("/", {"q": '"><script>alert(1)</script>'}).content.decode()
    assert "<script>alert" not in text


def test_characters_that_no_database_takes_are_no_error(client: Client) -> None:
    assert client.get("/", {"q": "ri\0ver", "cursor": "\0"}).status_code == 200
    for path in ("/a/%00", "/media/preview/%00.jpg", "/registry/%00", "/licenses/a%00"):
        assert client.get(path).status_code == 404
    assert client.get("/verify", {"id": "\0"}).status_code == 200


def test_the_catalog_only_reads(client: Client) -> None:
    assert client.post("/").status_code == 405
    assert client.head("/").status_code == 200
