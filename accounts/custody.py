"""Private keys that Colophon keeps: encrypted in rows, or files of the platform.

An account's key is sealed with AES-256-GCM; the sealing key comes from the secret
COLOPHON_CUSTODY_KEY by HKDF-SHA-256, and the key id is bound as associated data, so
that a sealed key moved to another row does not open.
Sources: NIST SP 800-38D, RFC 5869.
"""

from __future__ import annotations

import os
from functools import cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from colophon.errors import ColophonError
from colophon.keys import Ed25519Key, load_or_create

VERSION = b"\x01"
NONCE_BYTES = 12
PLATFORM_FILE = "platform"
VERDICT_FILE = "verdict"


class CustodyError(ColophonError):
    """A kept key that cannot be opened: another secret, or changed bytes."""


def seal(key: Ed25519Key) -> bytes:
    """Encrypt a private key for storage: version ‖ nonce ‖ ciphertext and tag."""
    nonce = os.urandom(NONCE_BYTES)
    bound = key.key_id.encode()
    return VERSION + nonce + _cipher().encrypt(nonce, key.to_pem(), bound)


def unseal(sealed: bytes, key_id: str) -> Ed25519Key:
    """Decrypt a stored private key.

    Raises:
        CustodyError: COLOPHON_CUSTODY_KEY is not the one that sealed it, the bytes
            were changed, or they belong to another key.
    """
    version, nonce = sealed[:1], sealed[1 : 1 + NONCE_BYTES]
    if version != VERSION:
        raise CustodyError(f"key {key_id[:12]} is sealed in an unknown format")
    try:
        pem = _cipher().decrypt(nonce, sealed[1 + NONCE_BYTES :], key_id.encode())
    except InvalidTag as error:
        raise CustodyError(
            f"key {key_id[:12]} does not open; COLOPHON_CUSTODY_KEY is not the secret "
            "that sealed it"
        ) from error
    return Ed25519Key.from_pem(pem)


def platform_key() -> Ed25519Key:
    """The platform's own key, from its file; made on first use."""
    return load_or_create(settings.KEYS_DIR / PLATFORM_FILE)


def verdict_key() -> Ed25519Key:
    """The key that signs verdicts, from its file; made on first use."""
    return load_or_create(settings.KEYS_DIR / VERDICT_FILE)


def _cipher() -> AESGCM:
    return AESGCM(_derive(settings.CUSTODY_KEY))


@cache
def _derive(secret: str) -> bytes:
    """The sealing key of a secret, for this one use."""
    derive = HKDF(SHA256(), length=32, salt=None, info=b"colophon custody v1")
    return derive.derive(secret.encode())
