"""Filters that turn stored values into words: money, parts, digests, times.

Pure functions, no query. Money is integer units of a six-decimal token, parts are
parts per million; a float is refused because none may come near money.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

UNITS_PER_DOLLAR = 1_000_000
CENT_DECIMALS = 2
PPM_PER_PERCENT = 10_000
HEX_SHOWN = 4
MINUS = "\N{MINUS SIGN}"
ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"
# (seconds in one unit, its name), largest first, for ago()
SPANS = (
    (365 * 86_400, "year"),
    (30 * 86_400, "month"),
    (86_400, "day"),
    (3_600, "hour"),
    (60, "minute"),
)


def whole(value: Any, what: str) -> int | None:
    """Return the integer in ``value``; None when the template has no value.

    Raises:
        TypeError: for a float or a bool, which are never an amount or a part.
    """
    if value is None or value == "":
        return None
    if isinstance(value, (bool, float)):
        message = f"{what} must be a whole number, got {type(value).__name__} {value!r}"
        raise TypeError(message)
    return int(value)


@register.filter
def money(units: Any) -> str:
    """Write units (1,000,000 = one dollar) as "$40.00".

    Two decimals, more only when needed, six at most: 600 is "$0.0006".
    """
    amount = whole(units, "money")
    if amount is None:
        return ""
    sign = MINUS if amount < 0 else ""
    dollars, rest = divmod(abs(amount), UNITS_PER_DOLLAR)
    decimals = f"{rest:06d}".rstrip("0").ljust(2, "0")
    return f"{sign}${dollars:,}.{decimals}"


@register.filter
def fine_money(units: Any) -> SafeString | str:
    """`money` with what is under a cent marked, so that columns read by cents."""
    text = money(units)
    whole_cents, point, decimals = text.partition(".")
    if len(decimals) <= CENT_DECIMALS:
        return text
    return format_html(
        '<span class="money">{}{}{}<span class="money__rest">{}</span></span>',
        whole_cents,
        point,
        decimals[:CENT_DECIMALS],
        decimals[CENT_DECIMALS:],
    )


@register.filter
def thousands(number: Any) -> str:
    """Write a count with separators: 2841650 is "2,841,650"."""
    count = whole(number, "count")
    if count is None:
        return ""
    return f"{MINUS if count < 0 else ''}{abs(count):,}"


@register.filter
def percent_ppm(ppm: Any) -> str:
    """Write parts per million exactly: 75000 is "7.5%", 1 is "0.0001%"."""
    parts = whole(ppm, "ppm")
    if parts is None:
        return ""
    percent, rest = divmod(abs(parts), PPM_PER_PERCENT)
    decimals = f"{rest:04d}".rstrip("0")
    sign = MINUS if parts < 0 else ""
    return f"{sign}{percent}.{decimals}%" if decimals else f"{sign}{percent}%"


@register.filter
def percent_about(ppm: Any) -> str:
    """Write a measured part as a whole percent: 618000 is "62%".

    A part that is there never reads 0% and one that is not whole never reads 100%.
    """
    parts = whole(ppm, "ppm")
    if parts is None:
        return ""
    rounded = (parts + PPM_PER_PERCENT // 2) // PPM_PER_PERCENT
    if parts > 0 and rounded == 0:
        return "under 1%"
    if parts < 100 * PPM_PER_PERCENT and rounded == 100:  # noqa: PLR2004  one hundred percent
        return "over 99%"
    return f"{rounded}%"


@register.filter
def hex_text(value: Any) -> str:
    """Return bytes as lowercase hex; text unchanged."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).hex()
    return "" if value is None else str(value)


@register.filter
def short_hash(value: Any) -> str:
    """Shorten a digest, address or id in the middle: "7c1e…90af", "0x5e1c…aa38".

    A prefix up to the last "_" or ":" or a leading "0x" is kept whole.
    """
    text = hex_text(value)
    cut = max(text.rfind("_"), text.rfind(":")) + 1
    if text[cut : cut + 2] == "0x":
        cut += 2
    prefix, body = text[:cut], text[cut:]
    if len(body) <= 2 * HEX_SHOWN + 1:
        return text
    return f"{prefix}{body[:HEX_SHOWN]}{ELLIPSIS}{body[-HEX_SHOWN:]}"


@register.filter
def ago(moment: datetime | None, now: datetime | None = None) -> str:
    """Say how far a time is from now: "9 minutes ago", "in 3 hours", "just now"."""
    if not moment:
        return ""
    distance = (now or timezone.now()) - moment
    seconds = int(abs(distance).total_seconds())
    for size, name in SPANS:
        if seconds >= size:
            count = seconds // size
            span = f"{count} {name}{'' if count == 1 else 's'}"
            return f"in {span}" if distance < timedelta(0) else f"{span} ago"
    return "in a moment" if seconds and distance < timedelta(0) else "just now"


@register.filter
def utc_time(moment: datetime | None) -> str:
    """Write a time as "12 Nov 2026, 09:14 UTC"."""
    if not moment:
        return ""
    at = moment.astimezone(UTC)
    return f"{at.day} {at:%b %Y, %H:%M} UTC"


@register.filter
def iso_time(moment: datetime | None) -> str:
    """Write a time for the datetime attribute: "2026-11-12T09:14:05Z"."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if moment else ""


@register.filter
def under(path: Any, root: Any) -> bool:
    """Tell whether a request path is the page ``root`` or lies below it."""
    if not path or not root:
        return False
    here, base = str(path), str(root).rstrip("/")
    if not base:
        return here == "/"
    return here.rstrip("/") == base or here.startswith(f"{base}/")
