"""Money as integers: split without losing a unit, format and parse exactly.

``_units`` are the settlement token's smallest unit (6 decimals); ``_ppm`` are
parts per million that sum to exactly 1,000,000. No float comes near.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from colophon.errors import InputError

PPM = 1_000_000
DECIMALS = 6
SHOWN_DECIMALS = 2
_MAX_DIGITS = 30
_AMOUNT = re.compile(r"(0|[1-9][0-9]*)(?:\.([0-9]+))?", re.ASCII)


def split_ppm(amount_units: int, shares: Sequence[tuple[str, int]]) -> list[int]:
    """Split an amount among holders without losing a unit.

    Largest-remainder rule; equal remainders go to the smaller holder id, then to
    the earlier share.

    Args:
        amount_units: smallest units of the settlement token, >= 0.
        shares: (holder id, ppm) pairs, n >= 1; ppm sum to 1,000,000.

    Returns:
        n units in the same order; their sum is ``amount_units``, and each is
        less than one unit away from its exact share.

    Raises:
        InputError: negative amount, no shares, a negative share, or a wrong sum.

    Source: Hamilton's method of apportionment.
    """
    if amount_units < 0:
        raise InputError(f"is {amount_units}, expected 0 or more", "amount_units")
    if any(ppm < 0 for _, ppm in shares):
        raise InputError("has a negative share", "shares")
    total = sum(ppm for _, ppm in shares)
    if total != PPM:
        raise InputError(f"sum to {total} ppm, expected {PPM}", "shares")
    exact = [divmod(amount_units * ppm, PPM) for _, ppm in shares]
    parts = [floor for floor, _ in exact]
    order = sorted(
        range(len(shares)), key=lambda at: (-exact[at][1], shares[at][0], at)
    )
    for at in order[: amount_units - sum(parts)]:
        parts[at] += 1
    return parts


def amount_for(quantity: int, rate_units: int, per: int) -> int:
    """Price of a cumulative quantity, rounded down.

    Give it the running total, never one event: the floor of a running total
    only grows, and the sum of its increments loses nothing.

    Args:
        quantity: how many so far, >= 0.
        rate_units: price in units for each ``per``, >= 0.
        per: how many the rate buys, >= 1.

    Raises:
        InputError: a value is out of range.
    """
    if quantity < 0:
        raise InputError(f"is {quantity}, expected 0 or more", "quantity")
    if rate_units < 0:
        raise InputError(f"is {rate_units}, expected 0 or more", "rate_units")
    if per < 1:
        raise InputError(f"is {per}, expected 1 or more", "per")
    return quantity * rate_units // per


def format_units(amount_units: int, decimals: int = DECIMALS) -> str:
    """Exact decimal text with at least two decimals: 1_500_000 is ``1.50``."""
    sign = "-" if amount_units < 0 else ""
    whole, part = divmod(abs(amount_units), 10**decimals)
    digits = str(part).zfill(decimals) if decimals else ""
    kept = digits.rstrip("0").ljust(min(SHOWN_DECIMALS, decimals), "0")
    return f"{sign}{whole}.{kept}" if kept else f"{sign}{whole}"


def parse_units(text: Any, decimals: int = DECIMALS, field: str = "") -> int:
    """Units of a decimal text such as ``12`` or ``12.50``.

    Raises:
        InputError: not such a text, negative, or more decimals than the token
            has (never rounded).
    """
    match = _AMOUNT.fullmatch(text) if isinstance(text, str) else None
    if match is None or len(text) > _MAX_DIGITS:
        raise InputError("is not an amount like 12 or 12.50", field)
    whole, part = match[1], match[2] or ""
    if len(part) > decimals:
        raise InputError(f"has more than {decimals} decimals", field)
    return int(whole + part.ljust(decimals, "0"))
