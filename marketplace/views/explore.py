"""The catalog: search, filters with stored counts, keyset pages."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from marketplace.browse import BADGES, Wanted, counts, find, wanted
from marketplace.models import Offer
from marketplace.views.cards import card_of

EAGER = 6  # cards that load at once: the rows first seen
ORIGIN_WORDS = (
    ("HUMAN_MADE", "Human-made"),
    ("CAPTURE", "Photographed"),
    ("HYBRID", "AI + human edit"),
    ("AI", "AI-generated"),
    ("ALGORITHMIC", "Made by an algorithm"),
    ("UNKNOWN", "Origin unknown"),
)
USE_WORDS = (
    (Offer.Use.EDITORIAL, "Editorial"),
    (Offer.Use.COMMERCIAL, "Commercial"),
    (Offer.Use.PAY_PER_USE, "Pay per use"),
)


@require_safe
def explore(request: HttpRequest) -> HttpResponse:
    """Works on sale; every filter is in the address, so that it can be shared."""
    want = wanted(dict(request.GET.lists()))
    page = find(want)
    known = counts()
    cards = [card_of(listing) for listing in page.listings]
    context = {
        "want": want,
        "total": sum(n for (name, _), n in known.items() if name == "badge_word"),
        "cards": [
            (card, at < EAGER and not want.cursor) for at, card in enumerate(cards)
        ],
        "groups": _groups(want, known),
        "active": _active(request.GET, want),
        "next_url": _address(request.GET, cursor=page.next_cursor)
        if page.next_cursor
        else "",
        "first_url": _address(request.GET) if want.cursor else "",
    }
    return render(request, "marketplace/explore.html", context)


def _groups(want: Wanted, known: dict[tuple[str, str], int]) -> list[dict[str, Any]]:
    """The filter groups with what is chosen and the stored counts."""
    badges = [
        (key, word, key in want.badges, known.get(("badge_word", word), 0))
        for key, word in BADGES.items()
    ]
    origins = [
        (key, word, key in want.origins, known.get(("origin_class", key), 0))
        for key, word in ORIGIN_WORDS
    ]
    uses = [
        (key.value, word, key.value in want.uses, known.get(("use", key.value), 0))
        for key, word in USE_WORDS
    ]
    allowed = known.get(("training_allowed", "True"), 0)
    training = [("1", "The maker allows it", want.training, allowed)]
    groups = (
        ("badge", "Provenance", badges),
        ("origin", "How it was made", origins),
        ("use", "License", uses),
        ("training", "Training of AI", training),
    )
    found = []
    for name, title, choices in groups:
        # A filter that would find nothing is not offered, unless it is in use.
        useful = [one for one in choices if one[2] or one[3]]
        if useful:
            found.append({"name": name, "title": title, "choices": useful})
    return found


def _active(query: QueryDict, want: Wanted) -> list[tuple[str, str]]:
    """What is filtered by, each with the address without it."""
    words = {"origin": dict(ORIGIN_WORDS), "badge": BADGES, "use": dict(USE_WORDS)}
    chosen = {"badge": want.badges, "origin": want.origins, "use": want.uses}
    found = (
        [("“" + want.text + "”", _address(query, leave=("q", "")))] if want.text else []
    )
    for name, values in chosen.items():
        for value in values:
            said = str(words[name].get(value, value))  # type: ignore[attr-defined]
            found.append((said, _address(query, leave=(name, value))))
    if want.training:
        found.append(("Training allowed", _address(query, leave=("training", "1"))))
    return found


def _address(
    query: QueryDict, *, cursor: str = "", leave: tuple[str, str] | None = None
) -> str:
    """This catalog's address with another cursor, or without one of its filters."""
    kept = query.copy()
    kept.pop("cursor", None)
    if leave is not None:
        name, value = leave
        rest = [one for one in kept.getlist(name) if value and one != value]
        kept.setlist(name, rest)
    if cursor:
        kept["cursor"] = cursor
    text = kept.urlencode()
    return reverse("marketplace:explore") + (f"?{text}" if text else "")
