"""Keys: RFC 8032's vectors, files that stay private, signatures that fail."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from colophon import keys
from colophon.errors import InputError, SignatureError

# RFC 8032 §7.1, TEST 2.
SEED = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
PUBLIC = bytes.fromhex(
    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
)
SIGNATURE = bytes.fromhex(
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)


def test_a_seed_gives_the_key_and_signature_of_rfc_8032() -> None:
    key = keys.Ed25519Key.from_seed(SEED)
    assert keys.raw_public(key.public_spki) == PUBLIC
    assert key.sign(b"\x72") == SIGNATURE
    assert keys.spki_of_raw(PUBLIC) == key.public_spki
    assert key.key_id == keys.key_id_of(key.public_spki)
    assert key.algorithm == "ed25519"


def test_a_signature_holds_for_its_message_and_key_only() -> None:
    key, other = keys.Ed25519Key.from_seed(SEED), keys.Ed25519Key.generate()
    keys.verify(key.public_spki, b"\x72", SIGNATURE)
    for public, message, signature in (
        (key.public_spki, b"\x73", SIGNATURE),
        (other.public_spki, b"\x72", SIGNATURE),
        (key.public_spki, b"\x72", SIGNATURE[:-1] + b"\x01"),
        (key.public_spki, b"\x72", b""),
    ):
        with pytest.raises(SignatureError):
            keys.verify(public, message, signature)


def test_other_public_keys_are_refused() -> None:
    curve = ec.generate_private_key(ec.SECP256R1()).public_key()
    spki = curve.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    for wrong in (spki, b"", b"\x30\x00"):
        with pytest.raises(InputError):
            keys.verify(wrong, b"x", b"y")


def test_a_saved_key_is_private_and_reads_back(tmp_path: Path) -> None:
    key = keys.Ed25519Key.generate()
    path = tmp_path / "key"
    key.save(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert keys.Ed25519Key.load(path).key_id == key.key_id
    with pytest.raises(InputError, match="never overwritten"):
        key.save(path)


def test_a_key_file_open_to_others_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key"
    keys.Ed25519Key.generate().save(path)
    path.chmod(0o640)
    with pytest.raises(InputError, match="chmod 600"):
        keys.Ed25519Key.load(path)


def test_a_file_without_such_a_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key"
    with pytest.raises(InputError, match="cannot be read"):
        keys.Ed25519Key.load(path)
    path.touch(0o600)
    with pytest.raises(InputError, match="PEM"):
        keys.Ed25519Key.load(path)
    curve = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    with pytest.raises(InputError, match="Ed25519"):
        keys.Ed25519Key.from_pem(curve)


def test_a_key_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "key"
    first = keys.load_or_create(path)
    assert keys.load_or_create(path).key_id == first.key_id


def test_a_key_never_shows_its_private_half() -> None:
    key = keys.Ed25519Key.from_seed(SEED)
    assert SEED.hex() not in repr(key)
    assert "PRIVATE" not in repr(key)


def test_a_seed_is_32_bytes() -> None:
    with pytest.raises(InputError):
        keys.Ed25519Key.from_seed(b"short")
