"""A holder's statement as a file: read from untrusted JSON, not yet checked.

Format: docs/statement-format.md.
"""

from __future__ import annotations

from dataclasses import dataclass

from colophon.digest import from_hex
from colophon.fields import Fields, load_json
from colophon.lines import Line, parse_line, units_of
from colophon.statement import NAMESPACE, Envelope

FORMAT = f"{NAMESPACE}/statement/v1"
MAX_BYTES = 64 * 1024 * 1024
MAX_LINES = 200_000
MAX_PROOF = 32
STATES = ("built", "committed", "matured", "vetoed", "failed")
PAYOUT_STATES = ("sending", "paid", "blocked", "reversed", "covered")
_ADDRESS_BYTES = 20
_HASH_BYTES = 32
_HASH_TEXT = 66


@dataclass(frozen=True)
class LeafProof:
    """A holder's leaf in an earnings tree, with its proof."""

    position: int
    account: str
    units: int
    proof: tuple[bytes, ...]


@dataclass(frozen=True)
class Settled:
    """One settlement as a statement carries it."""

    epoch: int
    state: str
    log_size: int
    earnings_root: bytes
    spend_root: bytes
    earned_units: int
    count: int
    tx_hash: str
    record: Envelope | None


@dataclass(frozen=True)
class Part:
    """A settlement with the holder's lines and leaf in it."""

    settled: Settled
    lines: tuple[Line, ...]
    leaf: LeafProof | None


@dataclass(frozen=True)
class Payment:
    """One payout."""

    id: str
    epoch: int
    units: int
    account: str
    state: str
    tx_hash: str


@dataclass(frozen=True)
class Statement:
    """A whole statement, read but not yet checked."""

    holder: str
    name: str
    position: int | None
    parts: tuple[Part, ...]
    payouts: tuple[Payment, ...]
    figures: dict[str, int] | None

    @property
    def lines(self) -> list[Line]:
        """Every line, oldest settlement first."""
        return [line for part in self.parts for line in part.lines]


def load_statement(data: bytes | str) -> Statement:
    """Read a statement.

    Raises:
        InputError: not a statement; the field is named.
    """
    outer = Fields(load_json(data, max_bytes=MAX_BYTES))
    outer.choice("format", (FORMAT,))
    holder = outer.object("holder")
    parts = [_part(one) for one in outer.objects("settlements", limit=MAX_LINES)]
    return Statement(
        holder=holder.identifier("id"),
        name=holder.text("name"),
        position=holder.integer("position") if holder.has("position") else None,
        parts=tuple(sorted(parts, key=lambda one: one.settled.epoch)),
        payouts=tuple(
            parse_payment(one) for one in outer.objects("payouts", limit=MAX_LINES)
        ),
        figures=_figures(outer) if outer.has("figures") else None,
    )


def _part(fields: Fields) -> Part:
    settled = parse_settled(fields)
    lines = fields.objects("lines", limit=MAX_LINES)
    leaf = parse_leaf(fields.object("leaf")) if fields.has("leaf") else None
    return Part(settled, tuple(parse_line(one, settled.epoch) for one in lines), leaf)


def parse_settled(fields: Fields) -> Settled:
    """Read the public part of a settlement.

    Raises:
        InputError: names the field.
    """
    return Settled(
        epoch=fields.integer("epoch"),
        state=fields.choice("state", STATES),
        log_size=fields.integer("log_size"),
        earnings_root=fields.hexadecimal("earnings_root"),
        spend_root=fields.hexadecimal("spend_root"),
        earned_units=units_of(fields, "earned_units"),
        count=fields.integer("count"),
        tx_hash=_maybe_hash(fields),
        record=_envelope(fields, "record"),
    )


def parse_leaf(fields: Fields) -> LeafProof:
    """Read a leaf and its proof.

    Raises:
        InputError: names the field.
    """
    proof = fields.items("proof", limit=MAX_PROOF)
    return LeafProof(
        position=fields.integer("position"),
        account=_account(fields),
        units=units_of(fields, "cumulative_units"),
        proof=tuple(from_hex(one, 32, fields.at("proof")) for one in proof),
    )


def parse_payment(fields: Fields) -> Payment:
    """Read a payout.

    Raises:
        InputError: names the field.
    """
    return Payment(
        id=fields.identifier("id"),
        epoch=fields.integer("epoch"),
        units=units_of(fields, "units"),
        account=_account(fields),
        state=fields.choice("state", PAYOUT_STATES),
        tx_hash=_maybe_hash(fields),
    )


def _figures(outer: Fields) -> dict[str, int]:
    shown = outer.object("figures")
    names = ("lifetime", "paid", "available", "pending")
    return {name: units_of(shown, name) for name in names}


def _maybe_hash(fields: Fields) -> str:
    given = fields.has("tx_hash") and fields.raw("tx_hash") != ""
    if not given:
        return ""
    text = fields.text("tx_hash", limit=_HASH_TEXT)
    from_hex(text.removeprefix("0x").lower(), _HASH_BYTES, fields.at("tx_hash"))
    return text


def _account(fields: Fields) -> str:
    """An address, in any case."""
    text = fields.text("account")
    from_hex(text.removeprefix("0x").lower(), _ADDRESS_BYTES, fields.at("account"))
    return text


def _envelope(fields: Fields, key: str) -> Envelope | None:
    return Envelope.from_json(fields.raw(key)) if fields.has(key) else None
