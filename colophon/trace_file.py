"""A payout's trace as a file: read from untrusted JSON, not yet checked.

Format: docs/statement-format.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from colophon.digest import from_base64
from colophon.errors import InputError
from colophon.evidence import Record
from colophon.fields import MAX_RECORD_BYTES, Fields, load_json
from colophon.lines import Line, parse_line
from colophon.statement import NAMESPACE, Envelope
from colophon.statement_file import (
    MAX_LINES,
    LeafProof,
    Payment,
    Settled,
    parse_leaf,
    parse_payment,
    parse_settled,
)
from colophon.tlogproof import LogProof

FORMAT = f"{NAMESPACE}/trace/v1"
MAX_BYTES = 256 * 1024 * 1024
MAX_EVENTS = 100_000
MAX_PROOF_TEXT = 64 * 1024
COUNTED = "counted"
EVENT_STATES = ("received", COUNTED, "quarantined")


@dataclass(frozen=True)
class Event:
    """One reported use: the canonical text that was hashed, and what came of it."""

    text: str
    state: str
    reason: str


@dataclass(frozen=True)
class Batch:
    """What one request reported, under one signed record."""

    id: str
    root: bytes
    count: int
    record: Record | None
    events: tuple[Event, ...]


@dataclass(frozen=True)
class LicenseTrace:
    """A license down to its uses."""

    id: str
    record: Record | None
    agreement: Record | None
    batches: tuple[Batch, ...]


@dataclass(frozen=True)
class Trace:
    """Everything between a payout and the first step, unverified.

    Attributes:
        evidence: bundle of each work by its id; None where it was erased.
    """

    payout: Payment
    holder: str
    position: int
    settled: Settled
    leaf: LeafProof | None
    lines: tuple[Line, ...]
    licenses: Mapping[str, LicenseTrace]
    evidence: Mapping[str, bytes | None]

    @property
    def records(self) -> list[Record]:
        """Every sealed record of the trace, for the proofs from the log."""
        found = []
        for one in self.licenses.values():
            found += [one.record, one.agreement, *(b.record for b in one.batches)]
        return [record for record in found if record is not None]


def load_trace(data: bytes | str) -> Trace:
    """Read a trace.

    Raises:
        InputError: not a trace; the field is named.
    """
    outer = Fields(load_json(data, max_bytes=MAX_BYTES))
    outer.choice("format", (FORMAT,))
    holder = outer.object("holder")
    licenses = [_license(one) for one in outer.objects("licenses", limit=MAX_LINES)]
    evidence = outer.object("evidence")
    return Trace(
        payout=parse_payment(outer.object("payout")),
        holder=holder.identifier("id"),
        position=holder.integer("position"),
        settled=parse_settled(outer.object("settlement")),
        leaf=parse_leaf(outer.object("leaf")) if outer.has("leaf") else None,
        lines=tuple(_line(one) for one in outer.objects("lines", limit=MAX_LINES)),
        licenses={one.id: one for one in licenses},
        evidence={name: _bundle(evidence, name) for name in evidence.keys()},  # noqa: SIM118 - Fields.keys
    )


def _line(fields: Fields) -> Line:
    return parse_line(fields, fields.integer("epoch"), fields.integer("log_size"))


def _license(fields: Fields) -> LicenseTrace:
    return LicenseTrace(
        id=fields.identifier("id"),
        record=_record(fields, "license", "record", "log"),
        agreement=_record(fields, "agreement", "agreement", "agreement_log"),
        batches=tuple(
            _batch(one) for one in fields.objects("batches", limit=MAX_LINES)
        ),
    )


def _batch(fields: Fields) -> Batch:
    return Batch(
        id=fields.identifier("id"),
        root=fields.hexadecimal("root"),
        count=fields.integer("count", 1, MAX_EVENTS),
        record=_record(fields, "usage", "record", "log"),
        events=tuple(_event(one) for one in fields.objects("events", limit=MAX_EVENTS)),
    )


def _event(fields: Fields) -> Event:
    return Event(
        text=fields.text("body", limit=MAX_RECORD_BYTES),
        state=fields.choice("state", EVENT_STATES),
        reason=fields.text("reason") if fields.raw("reason") else "",
    )


def _record(fields: Fields, kind: str, key: str, log: str) -> Record | None:
    """A record with its salt and proof; None where it was erased."""
    if not fields.has(key):
        return None
    envelope = Envelope.from_json(fields.raw(key))
    if not fields.has(log):
        return Record(kind, envelope)
    place = fields.object(log)
    salt = place.hexadecimal("salt") if place.has("salt") else None
    text = place.text("proof", limit=MAX_PROOF_TEXT)
    try:
        proof = LogProof.from_text(text)
    except InputError as error:
        raise InputError(error.message, place.at("proof")) from error
    return Record(kind, envelope, salt, (proof,))


def _bundle(fields: Fields, name: str) -> bytes | None:
    value: Any = fields.raw(name) if fields.has(name) else None
    return None if value is None else from_base64(value, fields.at(name))
