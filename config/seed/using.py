"""A year of reported uses: ids, days and quantities follow from the license."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from colophon.cloudevent import EVENT_TYPE, Use, parse_event
from colophon.fields import format_time
from config.seed.buying import SEED
from marketplace.models import License
from royalties.receive import receive

EVENTS = 600
DAYS = 364
SITES = (
    "https://harbor-press.example/ads",
    "https://kestrel.example/web",
    "https://northlight.example/screens",
)


def uses(row: License, at: int, count: int, today: datetime) -> list[Use]:
    """The uses of one license, oldest first.

    Args:
        at: place of the license among all, which seeds its numbers.
        count: how many.
        today: the newest possible day; nothing claims to be later.
    """
    rng = np.random.default_rng([SEED, at])
    days = np.sort(DAYS * (1 - rng.power(1.6, count)))[::-1]
    sizes = np.clip(rng.lognormal(6.6, 0.8, count), 40, 9_000).astype(int)
    return [
        parse_event(_event(row, number, today - timedelta(days=float(ago)), int(size)))
        for number, (ago, size) in enumerate(zip(days, sizes, strict=True))
    ]


def _event(
    row: License, number: int, moment: datetime, quantity: int
) -> dict[str, Any]:
    site = SITES[row.pk % len(SITES)]
    return {
        "specversion": "1.0",
        "type": EVENT_TYPE,
        "id": f"demo-{number:04}",
        "source": site,
        "subject": row.code,
        "time": format_time(moment.replace(microsecond=0)),
        "datacontenttype": "application/json",
        "data": {"quantity": quantity},
    }


def year(
    rows: Sequence[License], today: datetime, total: int = EVENTS
) -> list[tuple[License, list[Use]]]:
    """All uses of the year, by license."""
    each, more = divmod(total, max(len(rows), 1))
    return [
        (row, uses(row, at, each + (at < more), today)) for at, row in enumerate(rows)
    ]


def parts(told: list[Use], share: float) -> tuple[list[Use], list[Use]]:
    """The earlier `share` of some uses, and the rest."""
    cut = round(len(told) * share)
    return told[:cut], told[cut:]


def report(
    told: list[tuple[License, list[Use]]], *, first: bool, share: float = 0.85
) -> int:
    """Report the first or the last part of the year; returns how many uses."""
    count = 0
    for row, known in told:
        early, late = parts(known, share)
        for batch in _batches(early if first else late):
            receive(uses=batch, party=row.buyer)
            count += len(batch)
    return count


def _batches(told: list[Use], size: int = 30) -> Iterator[list[Use]]:
    """As a buyer's monthly report would send them."""
    for at in range(0, len(told), size):
        yield told[at : at + size]
