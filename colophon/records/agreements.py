"""Who gets which part when a work earns, and each party's yes to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from colophon.digest import from_hex
from colophon.errors import InputError
from colophon.fields import Fields, format_time
from colophon.records.shape import about_file, address, only_subject, plain, sha
from colophon.statement import (
    ACCEPTANCE_TYPE,
    AGREEMENT_TYPE,
    Json,
    open_predicate,
)
from colophon.units import PPM

ROLES = ("creator", "source", "platform")
ACCOUNT_KEY, EIP712, STANDING_ASK = METHODS = (
    "account-key",
    "eip712",
    "standing-ask",
)
MAX_PARTS = 256
_MAX_VERSION = 1_000_000
_SIGNATURE_BYTES = 65
_MAX_CONTRACT_SIGNATURE_BYTES = 4_096


@dataclass(frozen=True)
class Part:
    """One holder's part of the gross; a source's part names the source.

    ``reserved`` marks the part of an owner who has not come forward.
    """

    holder: str
    role: str
    ppm: int
    source: str | None = None
    reserved: bool = False


@dataclass(frozen=True)
class Agreement:
    """A version of who gets which part; the platform's fee is one of the parts."""

    agreement: str
    asset: str
    file: bytes
    version: int
    fee_ppm: int
    parts: tuple[Part, ...]
    terms: bytes | None
    proposed_at: datetime


def agreement(
    *,
    agreement_id: str,
    asset: str,
    file: bytes,
    version: int,
    fee_ppm: int,
    parts: Sequence[Part],
    proposed_at: datetime,
    terms: bytes | None = None,
) -> Json:
    """The agreement statement, signed by who proposes it.

    The parts are ppm of the gross in the order of display and sum to 1,000,000;
    ``terms`` is the SHA-256 of the license terms that go with it.

    Raises:
        InputError: names the field that is wrong.
    """
    predicate = {
        "agreement": agreement_id,
        "asset": asset,
        "version": version,
        "fee_ppm": fee_ppm,
        "parts": [_part_json(one) for one in parts],
        "terms": terms and sha(terms),
        "proposed_at": format_time(proposed_at),
    }
    made = about_file(asset, file, AGREEMENT_TYPE, plain(predicate))
    parse_agreement(made)
    return made


def parse_agreement(value: Mapping[str, Any]) -> Agreement:
    """Check an agreement statement.

    Raises:
        InputError: names the field that is wrong; also when the parts do not sum
            to 1,000,000 or the platform's do not sum to the fee.
    """
    fields = open_predicate(value, AGREEMENT_TYPE)
    found = Agreement(
        agreement=fields.identifier("agreement"),
        asset=fields.identifier("asset"),
        file=only_subject(value),
        version=fields.integer("version", 1, _MAX_VERSION),
        fee_ppm=fields.integer("fee_ppm", 0, PPM),
        parts=tuple(_part(one) for one in fields.objects("parts", limit=MAX_PARTS)),
        terms=fields.maybe_sha256("terms"),
        proposed_at=fields.time("proposed_at"),
    )
    fields.close()
    where = fields.at("parts")
    total = sum(one.ppm for one in found.parts)
    if total != PPM:
        raise InputError(f"sum to {total} ppm, expected {PPM}", where)
    fee = sum(one.ppm for one in found.parts if one.role == "platform")
    if fee != found.fee_ppm:
        raise InputError(f"give the platform {fee} ppm, not fee_ppm", where)
    return found


@dataclass(frozen=True)
class Acceptance:
    """One holder's yes to one agreement.

    Attributes:
        agreement: SHA-256 of the agreement's envelope.
        method: account-key (the envelope's own signature), eip712 (a wallet's) or
            standing-ask (the source's registration).
        wallet: address that signed, for eip712.
        signature: its signature over ``Acceptance`` typed data, for eip712.
        source: SHA-256 of the source's envelope, for standing-ask.
    """

    agreement: bytes
    holder: str
    method: str
    accepted_at: datetime
    wallet: str | None = None
    chain_id: int | None = None
    signature: bytes | None = None
    source: bytes | None = None


def acceptance(
    *,
    agreement_digest: bytes,
    holder: str,
    method: str,
    accepted_at: datetime,
    wallet: str | None = None,
    chain_id: int | None = None,
    signature: bytes | None = None,
    source: bytes | None = None,
) -> Json:
    """The acceptance statement.

    Signed by the holder's account key, or by the platform that passes on a wallet's
    signature or a standing ask.

    Raises:
        InputError: names the field that is wrong.
    """
    predicate = {
        "holder": holder,
        "method": method,
        "accepted_at": format_time(accepted_at),
        "wallet": wallet,
        "chain_id": chain_id,
        "signature": signature and signature.hex(),
        "source": source and sha(source),
    }
    made = about_file("agreement", agreement_digest, ACCEPTANCE_TYPE, plain(predicate))
    parse_acceptance(made)
    return made


def parse_acceptance(value: Mapping[str, Any]) -> Acceptance:
    """Check an acceptance statement.

    Raises:
        InputError: names the field that is wrong.
    """
    fields = open_predicate(value, ACCEPTANCE_TYPE)
    method = fields.choice("method", METHODS)
    wallet = method == EIP712
    found = Acceptance(
        agreement=only_subject(value),
        holder=fields.identifier("holder"),
        method=method,
        accepted_at=fields.time("accepted_at"),
        wallet=address(fields, "wallet") if wallet else None,
        chain_id=fields.integer("chain_id", 1) if wallet else None,
        signature=_signature(fields) if wallet else None,
        source=fields.sha256("source") if method == STANDING_ASK else None,
    )
    fields.close()
    return found


def acceptance_typed_data(
    *, agreement_digest: bytes, holder: str, wallet: str, chain_id: int
) -> Json:
    """The EIP-712 typed data that a wallet signs to accept an agreement."""
    return {
        "types": {
            "EIP712Domain": [
                {"name": "name", "type": "string"},
                {"name": "version", "type": "string"},
                {"name": "chainId", "type": "uint256"},
            ],
            "Acceptance": [
                {"name": "agreement", "type": "bytes32"},
                {"name": "holder", "type": "string"},
                {"name": "wallet", "type": "address"},
            ],
        },
        "primaryType": "Acceptance",
        "domain": {"name": "Colophon", "version": "1", "chainId": chain_id},
        "message": {
            "agreement": "0x" + agreement_digest.hex(),
            "holder": holder,
            "wallet": wallet,
        },
    }


def _part(fields: Fields) -> Part:
    """One part; a source's part and only that names its source."""
    role = fields.choice("role", ROLES)
    part = Part(
        holder=fields.identifier("holder"),
        role=role,
        ppm=fields.integer("ppm", 0, PPM),
        source=fields.identifier("source") if role == "source" else None,
        reserved=fields.flag("reserved"),
    )
    fields.close()
    return part


def _part_json(part: Part) -> Json:
    data = {"holder": part.holder, "role": part.role, "ppm": part.ppm}
    return plain({**data, "source": part.source, "reserved": part.reserved or None})


def _signature(fields: Fields) -> bytes:
    """A wallet's signature: 65 bytes, or longer for a contract wallet (ERC-1271)."""
    found = from_hex(fields.raw("signature"), None, fields.at("signature"))
    if not _SIGNATURE_BYTES <= len(found) <= _MAX_CONTRACT_SIGNATURE_BYTES:
        raise InputError("is not a wallet's signature", fields.at("signature"))
    return found
