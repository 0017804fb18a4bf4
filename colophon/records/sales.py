"""Records of a sale and what follows: license, delivery, refund, usage, settlement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from colophon.digest import canonical, sha256
from colophon.errors import InputError
from colophon.fields import Fields, format_time
from colophon.records.shape import (
    MAX_UNITS,
    about_file,
    about_itself,
    check_self,
    only_subject,
    sha,
)
from colophon.statement import (
    DELIVERY_TYPE,
    LICENSE_TYPE,
    REFUND_TYPE,
    SETTLEMENT_TYPE,
    USAGE_TYPE,
    Json,
    open_predicate,
)

MAX_EVENTS = 100_000
MAX_TERMS_BYTES = 16 * 1024
_MAX_LOG = 2**53 - 1


@dataclass(frozen=True)
class License:
    """An issued offer: terms, price and agreement are frozen in it.

    Attributes:
        file: SHA-256 of the sealed file.
        agreement: SHA-256 of the agreement's envelope.
        terms: the offer's terms, a JSON object.
    """

    license: str
    asset: str
    file: bytes
    agreement: bytes
    terms: Mapping[str, Any]
    amount_units: int
    buyer: str
    issued_at: datetime


def license_issued(
    *,
    license_id: str,
    asset: str,
    file: bytes,
    agreement: bytes,
    terms: Mapping[str, Any],
    amount_units: int,
    buyer: str,
    issued_at: datetime,
) -> Json:
    """The license statement, signed by the platform.

    Raises:
        InputError: names the field that is wrong.
    """
    predicate = {
        "license": license_id,
        "asset": asset,
        "agreement": sha(agreement),
        "terms": dict(terms),
        "amount_units": amount_units,
        "buyer": buyer,
        "issued_at": format_time(issued_at),
    }
    made = about_file(asset, file, LICENSE_TYPE, predicate)
    parse_license(made)
    return made


def parse_license(value: Mapping[str, Any]) -> License:
    """Check a license statement.

    Raises:
        InputError: names the field that is wrong.
    """
    fields = open_predicate(value, LICENSE_TYPE)
    found = License(
        license=fields.identifier("license"),
        asset=fields.identifier("asset"),
        file=only_subject(value),
        agreement=fields.sha256("agreement"),
        terms=_terms(fields),
        amount_units=fields.integer("amount_units", 0, MAX_UNITS),
        buyer=fields.identifier("buyer"),
        issued_at=fields.time("issued_at"),
    )
    fields.close()
    return found


@dataclass(frozen=True)
class Delivery:
    """A buyer's own copy of a sealed file, with the license id inside.

    Attributes:
        delivered: SHA-256 of the copy.
        file: SHA-256 of the sealed file.
    """

    license: str
    asset: str
    delivered: bytes
    file: bytes
    made_at: datetime


def delivery(
    *, license_id: str, asset: str, delivered: bytes, file: bytes, made_at: datetime
) -> Json:
    """The delivery statement, signed by the platform.

    Raises:
        InputError: names the field that is wrong.
    """
    predicate = {
        "license": license_id,
        "asset": asset,
        "file": sha(file),
        "made_at": format_time(made_at),
    }
    made = about_file(license_id, delivered, DELIVERY_TYPE, predicate)
    parse_delivery(made)
    return made


def parse_delivery(value: Mapping[str, Any]) -> Delivery:
    """Check a delivery statement.

    Raises:
        InputError: names the field that is wrong.
    """
    fields = open_predicate(value, DELIVERY_TYPE)
    found = Delivery(
        fields.identifier("license"),
        fields.identifier("asset"),
        only_subject(value),
        fields.sha256("file"),
        fields.time("made_at"),
    )
    fields.close()
    return found


@dataclass(frozen=True)
class Refund:
    """A purchase that was taken back: the license ends, its fee is never earned.

    Attributes:
        units: the fee, free again in the buyer's account at the ledger.
    """

    license: str
    units: int
    refunded_at: datetime


def refund(*, license_id: str, units: int, refunded_at: datetime) -> Json:
    """The refund statement, signed by the platform.

    Raises:
        InputError: names the field that is wrong.
    """
    predicate = {
        "license": license_id,
        "units": units,
        "refunded_at": format_time(refunded_at),
    }
    made = about_itself(license_id, REFUND_TYPE, predicate)
    parse_refund(made)
    return made


def parse_refund(value: Mapping[str, Any]) -> Refund:
    """Check a refund statement.

    Raises:
        InputError: names the field that is wrong.
    """
    fields = open_predicate(value, REFUND_TYPE)
    found = Refund(
        fields.identifier("license"),
        fields.integer("units", 0, MAX_UNITS),
        fields.time("refunded_at"),
    )
    fields.close()
    check_self(value)
    return found


@dataclass(frozen=True)
class Usage:
    """One ingest batch: the Merkle root over its canonical events.

    Attributes:
        root: RFC 6962 root; leaves are the canonical JSON of the events, in order.
    """

    batch: str
    license: str
    root: bytes
    count: int
    received_at: datetime


def usage(
    *, batch: str, license_id: str, root: bytes, count: int, received_at: datetime
) -> Json:
    """The usage statement, signed by the platform.

    Raises:
        InputError: names the field that is wrong.
    """
    predicate = {
        "batch": batch,
        "license": license_id,
        "count": count,
        "received_at": format_time(received_at),
    }
    made = about_file(batch, root, USAGE_TYPE, predicate)
    parse_usage(made)
    return made


def parse_usage(value: Mapping[str, Any]) -> Usage:
    """Check a usage statement.

    Raises:
        InputError: names the field that is wrong.
    """
    fields = open_predicate(value, USAGE_TYPE)
    found = Usage(
        fields.identifier("batch"),
        fields.identifier("license"),
        only_subject(value),
        fields.integer("count", 1, MAX_EVENTS),
        fields.time("received_at"),
    )
    fields.close()
    return found


@dataclass(frozen=True)
class Settlement:
    """The roots of one settlement epoch, as committed on the chain.

    Attributes:
        log_size: log entries that it rests on.
        earnings_root, spend_root: keccak balance trees (``colophon.earnings``).
        earned_units: cumulative total of the earnings tree.
        count: usage events that this epoch closed, as `commit` tells the chain.
    """

    epoch: int
    log_size: int
    earnings_root: bytes
    spend_root: bytes
    earned_units: int
    count: int


def settlement(
    *,
    epoch: int,
    log_size: int,
    earnings_root: bytes,
    spend_root: bytes,
    earned_units: int,
    count: int,
) -> Json:
    """The settlement statement, signed by the platform; a public log entry.

    Raises:
        InputError: names the field that is wrong.
    """
    predicate = {
        "epoch": epoch,
        "log_size": log_size,
        "earnings_root": earnings_root.hex(),
        "spend_root": spend_root.hex(),
        "earned_units": earned_units,
        "count": count,
    }
    made = about_itself(f"settlement/{epoch}", SETTLEMENT_TYPE, predicate)
    parse_settlement(made)
    return made


def parse_settlement(value: Mapping[str, Any]) -> Settlement:
    """Check a settlement statement.

    Raises:
        InputError: names the field that is wrong.
    """
    fields = open_predicate(value, SETTLEMENT_TYPE)
    found = Settlement(
        fields.integer("epoch"),
        fields.integer("log_size", 0, _MAX_LOG),
        fields.hexadecimal("earnings_root"),
        fields.hexadecimal("spend_root"),
        fields.integer("earned_units", 0, MAX_UNITS),
        fields.integer("count"),
    )
    fields.close()
    check_self(value)
    return found


def terms_digest(terms: Mapping[str, Any]) -> bytes:
    """SHA-256 of the canonical terms: what an order and an agreement name."""
    return sha256(canonical(dict(terms)))


def _terms(fields: Fields) -> Mapping[str, Any]:
    """The terms object, of bounded size."""
    terms = fields.raw("terms")
    Fields(terms, fields.at("terms"))
    if len(canonical(dict(terms))) > MAX_TERMS_BYTES:
        raise InputError(f"are over {MAX_TERMS_BYTES} bytes", fields.at("terms"))
    return dict(terms)
