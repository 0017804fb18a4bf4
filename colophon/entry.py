"""Log entries: canonical ``{v, kind, digest[, envelope]}``, sealed or public.

Public kinds carry their envelope. All others are sealed: the digest is
SHA-256(salt ‖ envelope), so that erasing salt and envelope leaves a proof that
says nothing about anyone.
"""

from __future__ import annotations

from dataclasses import dataclass

from colophon.digest import SEAL_SALT_BYTES, canonical, sha256
from colophon.errors import InputError, ProofError
from colophon.fields import Fields, load_json
from colophon.merkle import leaf_hash
from colophon.statement import Envelope
from colophon.tiles import MAX_ENTRY_BYTES

VERSION = 1
PUBLIC_KINDS = (
    "checkpoint-key",
    "enrollment",
    "policy",
    "revocation",
    "settlement",
)
SEALED_KINDS = (
    "acceptance",
    "agreement",
    "delivery",
    "dispute",
    "examination",
    "license",
    "refund",
    "review",
    "seal",
    "source",
    "standing",
    "step",
    "ticket",
    "usage",
    "verdict",
)
KINDS = tuple(sorted((*PUBLIC_KINDS, *SEALED_KINDS)))


@dataclass(frozen=True)
class Entry:
    """One parsed log entry."""

    kind: str
    digest: bytes
    envelope: Envelope | None = None


def sealed_digest(salt: bytes, envelope: Envelope) -> bytes:
    """Digest of a sealed entry: SHA-256(salt ‖ canonical envelope).

    Args:
        salt: 32 random bytes, one for each entry.
        envelope: the record.

    Raises:
        InputError: the salt has another size.
    """
    if len(salt) != SEAL_SALT_BYTES:
        raise InputError(f"has {len(salt)} bytes, expected {SEAL_SALT_BYTES}", "salt")
    return sha256(salt + envelope.to_bytes())


def entry(kind: str, digest: bytes, envelope: Envelope | None = None) -> bytes:
    """Canonical bytes of a log entry.

    Args:
        kind: one of KINDS.
        digest: the envelope's digest for a public kind, else ``sealed_digest``.
        envelope: only and always for a public kind.

    Raises:
        InputError: an unknown kind, an envelope where it must not be (or none
            where it must), another digest, or more than 65,535 bytes.
    """
    body = {"v": VERSION, "kind": kind, "digest": digest.hex()}
    if envelope is not None:
        body["envelope"] = envelope.to_json()
    data = canonical(body)
    parse_entry(data)
    return data


def public_entry(kind: str, envelope: Envelope) -> bytes:
    """Entry of a public kind, with its envelope."""
    return entry(kind, envelope.digest, envelope)


def sealed_entry(kind: str, salt: bytes, envelope: Envelope) -> bytes:
    """Entry of a sealed kind: digest only."""
    return entry(kind, sealed_digest(salt, envelope))


def parse_entry(data: bytes) -> Entry:
    """Read an entry strictly.

    Raises:
        InputError: not a canonical entry of a known kind.
    """
    value = load_json(data, max_bytes=MAX_ENTRY_BYTES)
    fields = Fields(value)
    fields.integer("v", VERSION, VERSION)
    kind = fields.choice("kind", KINDS)
    digest = fields.hexadecimal("digest")
    envelope = None
    if fields.has("envelope"):
        envelope = Envelope.from_json(fields.raw("envelope"))
    fields.close()
    if canonical(value) != data:
        raise InputError("is not canonical JSON (RFC 8785)")
    if (envelope is not None) != (kind in PUBLIC_KINDS):
        raise InputError(
            f"must be {'there' if envelope is None else 'absent'} for kind {kind}",
            "envelope",
        )
    if envelope is not None and envelope.digest != digest:
        raise InputError("is not the digest of the envelope", "digest")
    return Entry(kind, digest, envelope)


def entry_leaf(data: bytes) -> bytes:
    """Leaf hash of an entry's bytes."""
    return leaf_hash(data)


def open_sealed(data: bytes, salt: bytes, envelope: Envelope) -> Entry:
    """Check that a sealed entry is of that envelope and salt.

    Raises:
        ProofError: the digest is another.
        InputError: no entry, or a public one.
    """
    found = parse_entry(data)
    if found.kind in PUBLIC_KINDS:
        raise InputError("is a public entry, it has no salt", "kind")
    if sealed_digest(salt, envelope) != found.digest:
        raise ProofError("sealed entry does not belong to this envelope and salt")
    return found
