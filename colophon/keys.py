"""Signing keys: the small signer interface, an Ed25519 key in a file, checks.

A key id is the hex SHA-256 of the DER SubjectPublicKeyInfo. Whoever signs
(a file here, a KMS elsewhere) offers the four members of ``Signer``.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Protocol, Self

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from colophon.digest import sha256
from colophon.errors import InputError, SignatureError

ED25519 = "ed25519"
_MAX_KEY_BYTES = 16 * 1024
_DER = serialization.Encoding.DER
_SPKI = serialization.PublicFormat.SubjectPublicKeyInfo
_RAW = serialization.Encoding.Raw


class Signer(Protocol):
    """Something that signs with one key that it keeps to itself."""

    @property
    def key_id(self) -> str: ...
    @property
    def algorithm(self) -> str: ...
    @property
    def public_spki(self) -> bytes: ...
    def sign(self, message: bytes) -> bytes: ...


def key_id_of(public_spki: bytes) -> str:
    """Key id: hex SHA-256 of the DER SubjectPublicKeyInfo."""
    return sha256(public_spki).hex()


class Ed25519Key:
    """An Ed25519 private key in memory."""

    algorithm = ED25519

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public_spki = private.public_key().public_bytes(_DER, _SPKI)
        self.key_id = key_id_of(self.public_spki)

    def __repr__(self) -> str:
        return f"Ed25519Key({self.key_id[:12]}…)"

    @classmethod
    def generate(cls) -> Self:
        """A fresh key from the operating system's random source."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def from_seed(cls, seed: bytes) -> Self:
        """The key of a 32-byte seed (RFC 8032 private key).

        Raises:
            InputError: the seed has another size.
        """
        try:
            return cls(Ed25519PrivateKey.from_private_bytes(seed))
        except ValueError as error:
            raise InputError("is not 32 bytes", "seed") from error

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """The key of a PKCS #8 PEM file that only its owner can read.

        Raises:
            InputError: missing, readable by others, or no Ed25519 key.
        """
        path = Path(path)
        try:
            mode = path.stat().st_mode
            with path.open("rb") as file:
                pem = file.read(_MAX_KEY_BYTES)
        except OSError as error:
            raise InputError(f"key cannot be read: {error.strerror}") from error
        if stat.S_IMODE(mode) & (stat.S_IRWXG | stat.S_IRWXO):
            raise InputError("key file is open to others; run chmod 600 on it")
        return cls.from_pem(pem)

    @classmethod
    def from_pem(cls, pem: bytes) -> Self:
        """The key of a PKCS #8 PEM text.

        Raises:
            InputError: it holds no Ed25519 key.
        """
        try:
            private = serialization.load_pem_private_key(pem, None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise InputError("is not an unencrypted private key in PEM") from error
        if not isinstance(private, Ed25519PrivateKey):
            raise InputError("is not an Ed25519 key")
        return cls(private)

    def to_pem(self) -> bytes:
        """The private key as unencrypted PKCS #8 PEM."""
        return self._private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )

    def save(self, path: Path | str) -> None:
        """Write the key to a new file, mode 0600.

        Raises:
            InputError: the file exists (a key is never overwritten) or cannot
                be written.
        """
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        try:
            handle = os.open(path, flags, 0o600)
        except FileExistsError as error:
            raise InputError("key file exists; a key is never overwritten") from error
        except OSError as error:
            raise InputError(f"key cannot be written: {error.strerror}") from error
        with os.fdopen(handle, "wb") as file:
            file.write(self.to_pem())

    def sign(self, message: bytes) -> bytes:
        """Ed25519 signature, 64 bytes."""
        return self._private.sign(message)


def load_or_create(path: Path | str) -> Ed25519Key:
    """The key at a path; made there, with its folder, on first use.

    Raises:
        InputError: the file is there but is no usable key.
    """
    path = Path(path)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        key = Ed25519Key.generate()
        try:
            key.save(path)
        except InputError:
            # Another process made it first: theirs is the key.
            if not path.exists():
                raise
        else:
            return key
    return Ed25519Key.load(path)


def raw_public(public_spki: bytes) -> bytes:
    """The 32 raw bytes of an Ed25519 SubjectPublicKeyInfo.

    Raises:
        InputError: it is no Ed25519 public key.
    """
    return _public(public_spki).public_bytes(_RAW, serialization.PublicFormat.Raw)


def spki_of_raw(raw: bytes) -> bytes:
    """The SubjectPublicKeyInfo of 32 raw Ed25519 public-key bytes.

    Raises:
        InputError: not 32 bytes.
    """
    try:
        public = Ed25519PublicKey.from_public_bytes(raw)
    except ValueError as error:
        raise InputError("is not 32 bytes", "public key") from error
    return public.public_bytes(_DER, _SPKI)


def verify(public_spki: bytes, message: bytes, signature: bytes) -> None:
    """Check an Ed25519 signature.

    Raises:
        SignatureError: the signature is not by that key over that message.
        InputError: the key is no Ed25519 public key.
    """
    try:
        _public(public_spki).verify(signature, message)
    except InvalidSignature as error:
        raise SignatureError("signature does not match key and message") from error


def _public(public_spki: bytes) -> Ed25519PublicKey:
    """Public key object of a DER SubjectPublicKeyInfo."""
    try:
        public = serialization.load_der_public_key(public_spki)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise InputError("is not a public key (DER SPKI)", "public key") from error
    if not isinstance(public, Ed25519PublicKey):
        raise InputError("is not an Ed25519 key", "public key")
    return public
