"""Words for stored values: the filters of accounts.templatetags.colophon_format."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.templatetags.colophon_format import (
    ago,
    fine_money,
    iso_time,
    money,
    percent_about,
    percent_ppm,
    short_hash,
    thousands,
    under,
    utc_time,
)
from tests.reading import plain

MONEY, REST = '<span class="money">', '<span class="money__rest">'
NOON = datetime(2026, 11, 12, 12, 0, tzinfo=UTC)
DIGEST = "7c1e" + "0" * 56 + "90af"


@pytest.mark.parametrize(
    ("units", "words"),
    [
        (40_000_000, "$40.00"),
        (4_218_070_000, "$4,218.07"),
        (600, "$0.0006"),
        (1, "$0.000001"),
        (1_234_560, "$1.23456"),
        (0, "$0.00"),
        (-5_000_000, "\N{MINUS SIGN}$5.00"),
        (None, ""),
        ("", ""),
    ],
)
def test_money_shows_two_decimals_and_more_only_when_needed(
    units: int | str | None, words: str
) -> None:
    assert money(units) == words


@given(st.integers(min_value=-(10**18), max_value=10**18))
def test_money_loses_no_unit(units: int) -> None:
    digits = (
        money(units).replace("$", "").replace(",", "").replace("\N{MINUS SIGN}", "-")
    )
    sign = -1 if digits.startswith("-") else 1
    dollars, decimals = digits.lstrip("-").split(".")
    assert sign * (int(dollars) * 10**6 + int(decimals.ljust(6, "0"))) == units


@pytest.mark.parametrize(
    ("units", "html"),
    [
        (40_000_000, "$40.00"),
        (90_379_962, f"{MONEY}$90.37{REST}9962</span></span>"),
        (-600, f"{MONEY}\N{MINUS SIGN}$0.00{REST}06</span></span>"),
        (None, ""),
    ],
)
def test_what_is_under_a_cent_is_marked(units: int | None, html: str) -> None:
    assert fine_money(units) == html
    assert plain(fine_money(units)) == money(units)


@pytest.mark.parametrize("wrong", [1.5, True])
def test_a_float_or_bool_is_never_money(wrong: object) -> None:
    with pytest.raises(TypeError, match="whole number"):
        money(wrong)


@pytest.mark.parametrize(
    ("ppm", "words"),
    [(75_000, "7.5%"), (1_000_000, "100%"), (1, "0.0001%"), (0, "0%"), (None, "")],
)
def test_shares_are_written_exactly(ppm: int | None, words: str) -> None:
    assert percent_ppm(ppm) == words


@pytest.mark.parametrize(
    ("ppm", "words"),
    [
        (618_000, "62%"),
        (4_999, "under 1%"),
        (0, "0%"),
        (999_999, "over 99%"),
        (1_000_000, "100%"),
    ],
)
def test_a_measured_part_is_never_rounded_to_nothing_or_all(
    ppm: int | None, words: str
) -> None:
    assert percent_about(ppm) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (DIGEST, "7c1e…90af"),
        (bytes.fromhex(DIGEST), "7c1e…90af"),
        ("0x5e1c" + "0" * 32 + "aa38", "0x5e1c…aa38"),
        ("ast_0193" + "0" * 24 + "beef", "ast_0193…beef"),
        ("sha256:" + DIGEST, "sha256:7c1e…90af"),
        ("7c1e90af", "7c1e90af"),
        (None, ""),
    ],
)
def test_a_digest_is_shortened_in_the_middle(
    value: str | bytes | None, words: str
) -> None:
    assert short_hash(value) == words


@pytest.mark.parametrize(
    ("distance", "words"),
    [
        (timedelta(minutes=-9), "9 minutes ago"),
        (timedelta(hours=-1), "1 hour ago"),
        (timedelta(hours=3), "in 3 hours"),
        (timedelta(seconds=-20), "just now"),
        (timedelta(seconds=20), "in a moment"),
        (timedelta(days=-400), "1 year ago"),
    ],
)
def test_a_time_is_told_by_its_distance(distance: timedelta, words: str) -> None:
    assert ago(NOON + distance, NOON) == words


def test_times_are_written_in_utc() -> None:
    moment = datetime.fromisoformat("2026-11-12T10:14:05+01:00")
    assert utc_time(moment) == "12 Nov 2026, 09:14 UTC"
    assert iso_time(moment) == "2026-11-12T09:14:05Z"


def test_a_missing_time_is_empty_text() -> None:
    assert (ago(None), utc_time(None), iso_time(None)) == ("", "", "")


def test_counts_have_separators() -> None:
    assert thousands(2_841_650) == "2,841,650"


@pytest.mark.parametrize(
    ("path", "root", "inside"),
    [
        ("/verify", "/verify", True),
        ("/verify/", "/verify", True),
        ("/verify/report/1", "/verify", True),
        ("/verifying", "/verify", False),
        ("/", "/", True),
        ("/library", "/", False),
        (None, "/", False),
    ],
)
def test_a_path_belongs_to_a_section(path: str | None, root: str, inside: bool) -> None:
    assert under(path, root) is inside
