"""Money: every unit is given out once, and amounts read back exactly."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colophon.errors import InputError
from colophon.units import PPM, amount_for, format_units, parse_units, split_ppm

AMOUNTS = st.integers(0, 10**18)
HOLDERS = st.text("abc012_", min_size=1, max_size=6)


@st.composite
def shares(draw: st.DrawFn) -> list[tuple[str, int]]:
    """Up to twelve shares that sum to 1,000,000 ppm."""
    cuts = sorted(draw(st.lists(st.integers(0, PPM), max_size=11)))
    parts = [high - low for low, high in zip([0, *cuts], [*cuts, PPM], strict=True)]
    return [(draw(HOLDERS), part) for part in parts]


@given(AMOUNTS, shares())
def test_no_unit_is_lost_or_made(amount: int, some: list[tuple[str, int]]) -> None:
    assert sum(split_ppm(amount, some)) == amount


@given(AMOUNTS, shares())
def test_each_part_is_within_one_unit_of_its_share(
    amount: int, some: list[tuple[str, int]]
) -> None:
    for part, (_, ppm) in zip(split_ppm(amount, some), some, strict=True):
        assert abs(part - Fraction(amount * ppm, PPM)) < 1
        assert part >= 0


@given(AMOUNTS, shares(), st.randoms(use_true_random=False))
def test_what_a_holder_gets_does_not_depend_on_the_order(
    amount: int, some: list[tuple[str, int]], random: Random
) -> None:
    def by_holder(pairs: list[tuple[str, int]]) -> dict[str, int]:
        totals: dict[str, int] = {}
        for (holder, _), part in zip(pairs, split_ppm(amount, pairs), strict=True):
            totals[holder] = totals.get(holder, 0) + part
        return totals

    other = list(some)
    random.shuffle(other)
    assert by_holder(some) == by_holder(other)


def test_the_largest_remainder_gets_the_unit_and_ties_go_by_id() -> None:
    assert split_ppm(10, [("b", 333_333), ("a", 333_333), ("c", 333_334)]) == [3, 3, 4]
    assert split_ppm(1, [("b", 500_000), ("a", 500_000)]) == [0, 1]
    assert split_ppm(3, [("b", 500_000), ("a", 500_000)]) == [1, 2]
    assert split_ppm(0, [("a", PPM)]) == [0]
    assert split_ppm(5, [("a", 0), ("b", PPM)]) == [0, 5]


@pytest.mark.parametrize(
    ("amount", "some"),
    [
        (-1, [("a", PPM)]),
        (1, []),
        (1, [("a", PPM - 1)]),
        (1, [("a", PPM + 1)]),
        (1, [("a", PPM + 1), ("b", -1)]),
    ],
)
def test_a_wrong_split_is_refused(amount: int, some: list[tuple[str, int]]) -> None:
    with pytest.raises(InputError):
        split_ppm(amount, some)


@given(st.lists(st.integers(0, 10**6), max_size=30), st.integers(0, 10**9))
def test_increments_of_the_running_amount_add_up(steps: list[int], rate: int) -> None:
    total = paid = 0
    for step in steps:
        total += step
        now = amount_for(total, rate, 1_000)
        assert now >= paid
        paid = now
    assert paid == sum(steps) * rate // 1_000


@pytest.mark.parametrize("wrong", [(-1, 1, 1), (1, -1, 1), (1, 1, 0)])
def test_an_amount_out_of_range_is_refused(wrong: tuple[int, int, int]) -> None:
    with pytest.raises(InputError):
        amount_for(*wrong)


@given(st.integers(0, 10**20), st.integers(0, 18))
def test_amounts_round_trip(amount: int, decimals: int) -> None:
    assert parse_units(format_units(amount, decimals), decimals) == amount


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (40_000_000, "40.00"),
        (1_500_000, "1.50"),
        (1_234_567, "1.234567"),
        (1, "0.000001"),
        (0, "0.00"),
        (-1_500_000, "-1.50"),
    ],
)
def test_amounts_show_at_least_two_decimals(amount: int, text: str) -> None:
    assert format_units(amount) == text


def test_a_whole_number_is_an_amount() -> None:
    assert parse_units("12") == 12_000_000
    assert parse_units("12.5") == 12_500_000


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-1",
        "+1",
        "1.",
        ".5",
        "1,5",
        "1e3",
        "01",
        " 1",
        "1\n",
        "\u0661",
        "1" * 40,
        5,
        None,
    ],
)
def test_what_is_no_amount_is_refused(text: object) -> None:
    with pytest.raises(InputError) as caught:
        parse_units(text, field="price")
    assert caught.value.field == "price"


def test_more_decimals_than_the_token_has_are_refused() -> None:
    with pytest.raises(InputError, match="6 decimals"):
        parse_units("1.0000001")
