"""Digests, canonical JSON and hex: the byte-level vocabulary of every record.

Digests are ``bytes`` inside and lowercase hex at the edge. Canonical JSON is
RFC 8785 (JCS). Keccak-256 is the Ethereum variant, not SHA3-256; it is taken from
safe-pysha3 itself, because eth-hash may pick a backend that is seven times slower.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import secrets
from typing import Any, BinaryIO

import rfc8785
import sha3

from colophon.errors import InputError

SHA256_BYTES = 32
SALT_BYTES = 16
SEAL_SALT_BYTES = 32
_BLOCK_BYTES = 64 * 1024
_HEX = re.compile(r"[0-9a-f]*", re.ASCII)


def sha256(data: bytes) -> bytes:
    """SHA-256 of some bytes."""
    return hashlib.sha256(data).digest()


def sha256_stream(stream: BinaryIO) -> bytes:
    """SHA-256 of a file object, read to its end in 64 KiB blocks."""
    digest = hashlib.sha256()
    while block := stream.read(_BLOCK_BYTES):
        digest.update(block)
    return digest.digest()


def keccak256(data: bytes) -> bytes:
    """Ethereum's Keccak-256 of some bytes."""
    return bytes(sha3.keccak_256(data).digest())


def canonical(value: Any) -> bytes:
    """RFC 8785 canonical JSON of a value.

    Raises:
        InputError: the value has no canonical form (NaN, integers beyond 2^53,
            lone surrogates, keys that are not text, foreign types, too deep).
    """
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, TypeError) as error:
        raise InputError(f"has no canonical JSON form: {error}") from error
    except RecursionError as error:
        raise InputError("is nested too deeply for canonical JSON") from error


def from_hex(text: Any, size: int | None = SHA256_BYTES, field: str = "") -> bytes:
    """Bytes of a lowercase hex text without prefix.

    Args:
        text: untrusted value.
        size: number of bytes wanted, or None for any.
        field: named in the error.

    Raises:
        InputError: not text, not lowercase hex, or not of that size.
    """
    if not isinstance(text, str) or _HEX.fullmatch(text) is None or len(text) % 2:
        raise InputError("is not lowercase hex", field)
    if size is not None and len(text) != 2 * size:
        raise InputError(f"has {len(text)} hex digits, expected {2 * size}", field)
    return bytes.fromhex(text)


def to_base64(data: bytes) -> str:
    """Standard base64 with padding (RFC 4648 §4)."""
    return base64.b64encode(data).decode()


def from_base64(text: Any, field: str = "") -> bytes:
    """Bytes of standard base64; only the one canonical text of them is read.

    Raises:
        InputError: not text, not base64, or not in its canonical form.
    """
    if not isinstance(text, str):
        raise InputError("is not base64 text", field)
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InputError("is not base64", field) from error
    if to_base64(data) != text:
        raise InputError("is not base64 in its one canonical form", field)
    return data


def new_salt(size: int = SALT_BYTES) -> bytes:
    """Fresh random salt of ``size`` bytes from the operating system."""
    return secrets.token_bytes(size)


def commitment(value: Any, salt: bytes) -> bytes:
    """Salted commitment: SHA-256(salt ‖ canonical(value)).

    The salt is at least 128 bits, so that a guessable value stays hidden and the
    erasure of the salt erases the link.

    Raises:
        InputError: the salt is too short or the value has no canonical form.
    """
    if len(salt) < SALT_BYTES:
        raise InputError(f"salt has {len(salt)} bytes, needs {SALT_BYTES}", "salt")
    return sha256(salt + canonical(value))
