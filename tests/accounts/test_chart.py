"""Geometry of the bar chart: accounts.templatetags.colophon_chart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.templatetags.colophon_chart import HEIGHT, bar_chart, scale_top

SERIES = [{"name": "Creator", "kind": "human"}, {"name": "Model", "kind": "ai"}]


def test_the_scale_ends_at_one_two_or_five_times_a_power_of_ten() -> None:
    assert [scale_top(n) for n in (0, 1, 3, 6, 20, 21, 4_218)] == [
        1,
        1,
        5,
        10,
        20,
        50,
        5_000,
    ]


def test_bars_stack_from_the_base_line() -> None:
    chart = bar_chart(SERIES, [{"label": "Nov", "values": [3, 1]}])
    human, ai = chart.columns[0].bars
    assert chart.top == 5
    assert (human.y, human.height) == (400, 600)
    assert (ai.y, ai.height) == (200, 200)
    assert chart.columns[0].total == 4


@given(
    st.lists(
        st.tuples(st.integers(0, 10**15), st.integers(0, 10**15)),
        max_size=14,
    )
)
def test_bars_of_a_column_always_meet_and_stay_in_the_plot(
    pairs: list[tuple[int, int]],
) -> None:
    rows = [{"label": str(i), "values": list(pair)} for i, pair in enumerate(pairs)]
    for column in bar_chart(SERIES, rows).columns:
        first, second = column.bars
        assert first.y + first.height == HEIGHT
        assert second.y + second.height == first.y
        assert second.y >= 0


def test_no_rows_give_an_empty_chart() -> None:
    assert bar_chart(SERIES, []).columns == ()


@pytest.mark.parametrize(
    ("values", "words"), [([1], "1 values for 2 series"), ([1, -1], "negative")]
)
def test_wrong_rows_are_refused_by_name(values: list[int], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        bar_chart(SERIES, [{"label": "Nov", "values": values}])
