"""Geometry of the bar chart partial: stacked columns in whole SVG units.

The partial draws one small SVG per column, so that text keeps its size and the
chart reflows; this module only turns amounts into positions. Integers throughout.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import template

register = template.Library()

HEIGHT = 1000  # SVG units from the base line to the top of the scale
STEPS = (1, 2, 5)  # the top of the scale is one of these times a power of ten


@dataclass(frozen=True)
class Bar:
    """One part of a column, measured from the top of its SVG."""

    y: int
    height: int
    kind: str
    name: str
    units: int


@dataclass(frozen=True)
class Column:
    """One label with its stacked bars, bottom first, and their sum."""

    label: str
    total: int
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class Chart:
    """What partials/bar_chart.html draws."""

    top: int
    height: int
    columns: tuple[Column, ...]


def scale_top(largest: int) -> int:
    """Return the smallest of 1, 2, 5 times a power of ten that is >= largest."""
    power = 1
    while True:
        for step in STEPS:
            if step * power >= largest:
                return step * power
        power *= 10


@register.simple_tag
def bar_chart(series: Sequence[Mapping[str, Any]], rows: Sequence[Any]) -> Chart:
    """Lay out stacked columns.

    Args:
        series: one ``{"name", "kind"}`` per part, bottom first; kind is a color by
            meaning: human, ai, seal, unknown.
        rows: one ``{"label", "values"}`` per column, values in the order of series,
            integers >= 0 (units or counts).

    Raises:
        ValueError: a row has another number of values than there are series, or a
            value is negative.
    """
    sums = [sum(checked(row, len(series))) for row in rows]
    top = scale_top(max(sums, default=0))
    columns = tuple(
        Column(str(row["label"]), total, stack(row["values"], series, top))
        for row, total in zip(rows, sums, strict=True)
    )
    return Chart(top=top, height=HEIGHT, columns=columns)


def checked(row: Mapping[str, Any], length: int) -> Sequence[int]:
    """Return the values of a row, or say what is wrong with them."""
    values: Sequence[int] = row["values"]
    if len(values) != length:
        message = f"row {row['label']!r} has {len(values)} values for {length} series"
        raise ValueError(message)
    if any(value < 0 for value in values):
        message = f"row {row['label']!r} has a negative value; a bar cannot show it"
        raise ValueError(message)
    return values


def stack(
    values: Sequence[int], series: Sequence[Mapping[str, Any]], top: int
) -> tuple[Bar, ...]:
    """Place bars on each other; edges are rounded once, so they always meet."""
    bars = []
    below = 0
    for units, part in zip(values, series, strict=True):
        low = HEIGHT - below * HEIGHT // top
        below += units
        high = HEIGHT - below * HEIGHT // top
        bars.append(Bar(high, low - high, part["kind"], part["name"], units))
    return tuple(bars)
