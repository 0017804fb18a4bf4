"""What the partials say: badge words, origin, shares, forms, checks, verdicts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django import forms
from django.template.loader import render_to_string

SEAL = 'class="seal"'
HOUR = timedelta(hours=1)


def show(name: str, **context: Any) -> str:
    """Render a partial and join its lines."""
    return " ".join(render_to_string(f"partials/{name}.html", context).split())


def verdict(**change: Any) -> dict[str, Any]:
    """Return a certified, active verdict with changes."""
    certified = {
        "word": "Certified provenance",
        "standing": "active",
        "level": 3,
        "o_class": "HUMAN_MADE",
        "words": "",
    }
    return certified | change


@pytest.mark.parametrize(
    ("word", "sealed"),
    [
        ("Declared", False),
        ("Credentialed", False),
        ("Certified provenance", True),
        ("Certified, reviewed", True),
    ],
)
def test_the_seal_is_drawn_for_certified_words_only(word: str, sealed: bool) -> None:
    page = show("badge", verdict=verdict(word=word), size="large")
    assert (SEAL in page) is sealed
    assert f">{word}<" in page


@pytest.mark.parametrize(
    "standing", ["contested", "suspended", "revoked", "expired", "superseded"]
)
def test_a_standing_replaces_the_word_and_takes_the_seal_away(standing: str) -> None:
    page = show("badge", verdict=verdict(standing=standing), size="large")
    assert SEAL not in page
    assert "Certified" not in page
    assert standing.capitalize() in page


def test_a_pending_anchor_is_named_and_has_no_seal() -> None:
    page = show("badge", verdict=verdict(standing="pending"), size="large")
    assert SEAL not in page
    assert "Certified provenance, anchor pending" in page


def test_an_unknown_word_is_shown_as_declared() -> None:
    assert "Declared" in show("badge", verdict=verdict(word="Platinum"))


@pytest.mark.parametrize(
    ("level", "words"), [(3, "Human-made </span>"), (2, "(declared) </span>")]
)
def test_origin_below_e3_is_only_declared(level: int, words: str) -> None:
    assert words in show("origin_chip", verdict=verdict(level=level))


def test_an_unknown_origin_is_never_called_human() -> None:
    page = show("origin_chip", verdict=verdict(o_class="UNKNOWN", level=0))
    assert "Origin unknown </span>" in page
    assert "Human" not in page


@pytest.mark.parametrize(
    "outcome", ["like", "altered", "foreign", "none", "broken", "unchecked"]
)
def test_only_a_genuine_file_ever_shows_the_seal(outcome: str) -> None:
    assert SEAL in show("verdict", outcome="genuine", verdict=verdict())
    assert SEAL not in show("verdict", outcome=outcome, verdict=verdict())


def test_a_genuine_file_of_a_suspended_work_shows_no_seal() -> None:
    state = verdict(standing="suspended")
    assert SEAL not in show("verdict", outcome="genuine", verdict=state)


def test_the_origin_bar_says_in_words_what_it_shows() -> None:
    split = {
        "ai_ppm": 620_000,
        "human_ppm": 310_000,
        "program_ppm": 20_000,
        "unknown_ppm": 50_000,
    }
    page = show("origin_split", split=split)
    assert 'class="is-human" width="930000"' in page
    assert 'class="is-soft" width="950000"' in page
    assert 'class="is-ai" width="620000"' in page
    for words in (
        "62% last touched by AI",
        "31% by a person",
        "2% by a program",
        "5% unknown",
    ):
        assert words in page


def test_no_share_is_shown_where_none_was_computed() -> None:
    assert show("origin_split", split=None) == ""


def test_the_split_table_names_the_payment_and_reserved_parts() -> None:
    rows = [
        {"name": "Ada", "role": "creator", "units": 37_000_000, "ppm": 925_000},
        {
            "name": "Dan",
            "role": "training data",
            "units": 3_000_000,
            "ppm": 75_000,
            "reserved": True,
        },
    ]
    page = show("split_table", rows=rows, total_units=40_000_000)
    assert "Where your $40.00 goes" in page
    assert "$37.00" in page
    assert "92.5%" in page
    assert "training data, kept until they claim it" in page


def test_a_check_that_did_not_run_is_never_shown_as_passed() -> None:
    checks = [
        {"words": "Signatures", "state": "passed"},
        {"words": "Anchor", "state": "not checked"},
        {"words": "File", "state": "failed"},
        {"words": "Review", "passed": None},
    ]
    page = show("checks", checks=checks, sum="2 of 4 checks done")
    assert page.count(">Passed<") == 1
    assert page.count(">Failed<") == 1
    assert page.count(">Not checked<") == 2


class Terms(forms.Form):
    """A form with each kind of control."""

    title = forms.CharField(help_text="As it appears.")
    note = forms.CharField(required=False)
    origin = forms.ChoiceField(choices=[("ai", "AI")], widget=forms.RadioSelect)
    agree = forms.BooleanField(label="I may sell this")


def test_a_refused_field_points_to_its_error_and_hint() -> None:
    form = Terms({})
    page = show("form", form=form)
    assert 'aria-describedby="id_title_helptext id_title_error"' in page
    assert 'id="id_title_helptext"' in page
    assert 'id="id_title_error"' in page
    assert 'aria-invalid="true"' in page
    assert '<a href="#id_title">Title</a>: This field is required.' in page
    assert "Please check 3 things" in page


def test_a_fresh_form_has_no_error_summary_and_marks_optional_fields() -> None:
    page = show("form", form=Terms())
    assert "data-errors" not in page
    assert page.count("(optional)") == 1


@pytest.mark.parametrize(
    ("name", "context"),
    [
        ("money", {"units": 1}),
        ("time", {"at": datetime(2026, 11, 1, tzinfo=UTC)}),
        ("hash", {"value": "7c1e" * 16}),
        ("badge", {"verdict": verdict()}),
        ("origin_chip", {"verdict": verdict()}),
        ("status_pill", {"word": "Live"}),
    ],
)
def test_a_partial_inside_a_sentence_leaves_no_space(
    name: str, context: dict[str, Any]
) -> None:
    page = render_to_string(f"partials/{name}.html", context)
    assert page == page.strip()


def test_text_of_people_is_escaped() -> None:
    card = {"url": "/a", "title": "<script>", "creator": "<b>", "verdict": verdict()}
    page = show("card", card=card)
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_a_work_without_a_price_names_none() -> None:
    card = {"url": "/a", "title": "T", "creator": "C", "verdict": verdict()}
    assert "from" not in show("card", card=card)
    assert "from $12.00" in show("card", card=card | {"price_units": 12_000_000})


def test_a_time_carries_its_absolute_form() -> None:
    at = datetime.now(UTC) - HOUR
    page = show("time", at=at)
    assert ">1 hour ago<" in page
    assert f"{at:%H:%M} UTC" in page


def test_the_chart_has_the_same_figures_as_a_table() -> None:
    series = [{"name": "Model", "kind": "ai"}, {"name": "Creator", "kind": "human"}]
    rows = [{"label": "Nov", "values": [1_000_000, 2_500_000]}]
    page = show("bar_chart", title="Earnings", series=series, rows=rows)
    assert page.count("<rect") == 4  # two bars, two legend marks
    for amount in ("$1.00", "$2.50", "$3.50", "$5.00"):
        assert amount in page


def test_the_pager_links_work_without_script() -> None:
    page = show("pager", next_url="/?cursor=2", what="works", more=True)
    assert 'href="/?cursor=2"' in page
    assert show("pager") == ""


def test_the_test_network_band_appears_only_with_a_name() -> None:
    assert "no real money" in show("test_network", test_network="anvil")
    assert show("test_network", test_network="") == ""
