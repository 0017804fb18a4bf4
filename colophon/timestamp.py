"""RFC 3161 time-stamps over a digest: ask, read the answer, check a token.

A token is checked for its signature, a chain to one of the given roots that was
valid at its own time, the critical time-stamping purpose and the digest. In
Colophon the digest is the SHA-256 of a checkpoint's note text.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

from cryptography import x509
from rfc3161_client import (
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from colophon.errors import InputError, ProofError

QUERY_TYPE = "application/timestamp-query"
REPLY_TYPE = "application/timestamp-reply"
MAX_TOKEN_BYTES = 64 * 1024
_SHA256_OID = "2.16.840.1.101.3.4.2.1"
_SHA256_DER = bytes.fromhex("0609608648016503040201")
_DIGEST_BYTES = 32
_NONCE_BYTES = 8
_LONG_FORM = 0x80


def make_query(digest: bytes, nonce: int | None = None) -> bytes:
    """DER TimeStampReq for a SHA-256 digest, asking for the certificates.

    Args:
        digest: 32 bytes.
        nonce: None draws a fresh one of 63 bits.

    Raises:
        InputError: not 32 bytes, or a negative nonce.
    """
    if len(digest) != _DIGEST_BYTES:
        raise InputError(f"has {len(digest)} bytes, expected {_DIGEST_BYTES}", "digest")
    if nonce is None:
        nonce = secrets.randbits(8 * _NONCE_BYTES - 1)
    if nonce < 0:
        raise InputError("is negative", "nonce")
    algorithm = _der(0x30, _SHA256_DER + _der(0x05, b""))
    imprint = _der(0x30, algorithm + _der(0x04, digest))
    number = nonce.to_bytes(nonce.bit_length() // 8 + 1, "big")
    body = _der(0x02, b"\x01") + imprint + _der(0x02, number) + _der(0x01, b"\xff")
    return _der(0x30, body)


def token_of(response: bytes) -> bytes:
    """The DER token of a DER TimeStampResp that was granted.

    Raises:
        ProofError: malformed, or the authority refused.
    """
    return bytes(_decode(response).time_stamp_token())


def check(token: bytes, digest: bytes, roots_pem: bytes) -> datetime:
    """The proven time of a token over a digest.

    Args:
        token: DER TimeStampToken (CMS SignedData).
        digest: the SHA-256 digest it must cover.
        roots_pem: the trusted authorities' root certificates.

    Returns:
        The token's time, aware UTC.

    Raises:
        ProofError: malformed, of another digest, or not by a trusted authority.
        InputError: the roots are no PEM certificates.
    """
    builder = VerifierBuilder()
    for root in _certificates(roots_pem):
        builder = builder.add_root_certificate(root)
    granted = _der(0x30, _der(0x30, _der(0x02, b"\x00")) + token)
    response = _decode(granted)
    try:
        builder.build().verify(response, digest)
        # Parts of the token are decoded only when they are asked for.
        info = response.tst_info
        algorithm = info.message_imprint.hash_algorithm.dotted_string
        moment = info.gen_time
    except (VerificationError, ValueError) as error:
        raise ProofError(f"time-stamp does not hold: {error}") from error
    if algorithm != _SHA256_OID:
        raise ProofError("time-stamp is not over a SHA-256 digest")
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _decode(response: bytes) -> TimeStampResponse:
    if len(response) > MAX_TOKEN_BYTES:
        raise ProofError(f"time-stamp is over {MAX_TOKEN_BYTES} bytes")
    try:
        decoded = decode_timestamp_response(response)
        if decoded.status != 0:
            raise ProofError(f"time-stamp was refused: status {decoded.status}")
        decoded.time_stamp_token()
    except ValueError as error:
        raise ProofError(f"time-stamp is malformed: {error}") from error
    return decoded


def _certificates(pem: bytes) -> list[x509.Certificate]:
    try:
        roots = x509.load_pem_x509_certificates(pem)
    except ValueError as error:
        raise InputError("holds no PEM certificate", "roots_pem") from error
    return list(dict.fromkeys(roots))


def _der(tag: int, content: bytes) -> bytes:
    """One DER element."""
    size = len(content)
    if size < _LONG_FORM:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, _LONG_FORM | len(length)]) + length + content
