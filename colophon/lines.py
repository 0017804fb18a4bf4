"""One line of a statement: what a license added, and how that was split.

Read from untrusted JSON and recomputed: the split of the increment by largest
remainder, and the price as the floor of the running total, at most the deposit.
Format: docs/statement-format.md.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from colophon.errors import InputError
from colophon.fields import Fields
from colophon.units import PPM, amount_for, format_units, split_ppm

MAX_SHARES = 256
MAX_RATE_PER = 2**31 - 1
_UNITS = re.compile(r"0|[1-9][0-9]{0,23}", re.ASCII)


@dataclass(frozen=True)
class Share:
    """One frozen part of a license."""

    holder: str
    role: str
    source: str
    ppm: int


@dataclass(frozen=True)
class Line:
    """What one holder got from one license in one settlement.

    Attributes:
        position: the holder's place among the shares.
        log_size: entries of the log that the settlement rests on; 0 in a statement.
        agreement: SHA-256 of the agreement's envelope.
    """

    epoch: int
    license: str
    asset: str
    title: str
    role: str
    position: int
    units: int
    fee_units: int
    usage_units: int
    quantity: int
    rate_units: int
    rate_per: int
    deposit_units: int
    shares: tuple[Share, ...]
    agreement: bytes
    log_size: int = 0

    @property
    def increment(self) -> tuple[int, int, int]:
        """Fee, usage and quantity that the license added in this settlement."""
        return self.fee_units, self.usage_units, self.quantity

    @property
    def name(self) -> str:
        """How a message names the line."""
        return f"settlement {self.epoch}, {self.license} ({self.title})"


def units_of(fields: Fields, key: str) -> int:
    """An amount as decimal text of whole units.

    Raises:
        InputError: not such a text.
    """
    value = fields.raw(key)
    if not isinstance(value, str) or _UNITS.fullmatch(value) is None:
        raise InputError(
            'is not an amount of whole units like "1500000"', fields.at(key)
        )
    return int(value)


def parse_line(fields: Fields, epoch: int, log_size: int = 0) -> Line:
    """Read a line.

    Raises:
        InputError: names the field that is missing or malformed.
    """
    increment = fields.object("increment")
    return Line(
        epoch=epoch,
        log_size=log_size,
        license=fields.identifier("license"),
        asset=fields.identifier("asset"),
        title=fields.text("title"),
        role=fields.text("role"),
        position=fields.integer("position", 0, MAX_SHARES - 1),
        units=units_of(fields, "units"),
        fee_units=units_of(increment, "fee_units"),
        usage_units=units_of(increment, "usage_units"),
        quantity=increment.integer("quantity"),
        rate_units=units_of(increment, "rate_units"),
        rate_per=increment.integer("rate_per", 1, MAX_RATE_PER),
        deposit_units=units_of(increment, "deposit_units"),
        shares=tuple(_share(one) for one in fields.objects("shares", limit=MAX_SHARES)),
        agreement=fields.hexadecimal("agreement"),
    )


def wrong_split(line: Line, holder: str) -> str:
    """What is wrong with the split of a line's increment; empty when nothing is."""
    if sum(share.ppm for share in line.shares) != PPM:
        return f"the shares do not sum to {PPM} ppm"
    if line.position >= len(line.shares):
        return "the line's place is outside of the shares"
    share = line.shares[line.position]
    if (share.holder, share.role) != (holder, line.role):
        return f"share {line.position} belongs to {share.holder} as {share.role}"
    amount = line.fee_units + line.usage_units
    parts = split_ppm(amount, [(one.holder, one.ppm) for one in line.shares])
    if parts[line.position] != line.units:
        return (
            f"{_ppm(share.ppm)} of {format_units(amount)} is "
            f"{format_units(parts[line.position])}, the line says "
            f"{format_units(line.units)}"
        )
    return ""


def wrong_increments(lines: Sequence[Line]) -> list[tuple[Line, str]]:
    """Lines of one license and settlement that tell different increments or prices."""
    found = []
    first: dict[tuple[int, str], Line] = {}
    frozen: dict[str, Line] = {}
    for line in lines:
        twin = first.setdefault((line.epoch, line.license), line)
        if twin.increment != line.increment:
            found.append((line, "two lines tell different increments of one license"))
        elif twin is not line and twin.position == line.position:
            found.append((line, "the line is there twice"))
        older = frozen.setdefault(line.license, line)
        if _terms(older) != _terms(line):
            found.append((line, "the license's price or shares changed after its sale"))
    return found


def wrong_prices(lines: Sequence[Line]) -> list[tuple[Line, str]]:
    """Usage amounts that are not the price of the running total, by license.

    The amount so far is the floor of (uses so far * rate / per), at most the deposit.
    """
    found = []
    uses: dict[str, int] = defaultdict(int)
    charged: dict[str, int] = defaultdict(int)
    fees: dict[str, int] = defaultdict(int)
    for line in increments(lines):
        uses[line.license] += line.quantity
        charged[line.license] += line.usage_units
        worth = amount_for(uses[line.license], line.rate_units, line.rate_per)
        right = min(worth, line.deposit_units)
        if charged[line.license] != right:
            words = (
                f"{uses[line.license]:,} uses are worth {format_units(right)} so far, "
                f"the lines charge {format_units(charged[line.license])}"
            )
            found.append((line, words))
            charged[line.license] = right
        if line.fee_units and fees[line.license]:
            found.append((line, "the license fee is counted a second time"))
        fees[line.license] += line.fee_units
    return found


def increments(lines: Iterable[Line]) -> list[Line]:
    """One line for each (settlement, license), in the order of the settlements."""
    found: dict[tuple[int, str], Line] = {}
    for line in lines:
        found.setdefault((line.epoch, line.license), line)
    return [found[key] for key in sorted(found)]


def _terms(line: Line) -> tuple[object, ...]:
    rate = (line.rate_units, line.rate_per, line.deposit_units)
    return (*rate, line.shares, line.agreement, line.asset)


def _share(fields: Fields) -> Share:
    named = fields.has("source") and fields.raw("source") != ""
    return Share(
        holder=fields.identifier("holder"),
        role=fields.text("role"),
        source=fields.text("source") if named else "",
        ppm=fields.integer("ppm", 0, PPM),
    )


def _ppm(ppm: int) -> str:
    """Parts per million as an exact percentage."""
    return f"{format_units(ppm, 4)}%"
