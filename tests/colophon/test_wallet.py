"""Wallet signatures, against eth-account as the referee."""

from __future__ import annotations

from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from hypothesis import given, settings
from hypothesis import strategies as st

from colophon.errors import InputError, SignatureError
from colophon.records.agreements import acceptance_typed_data
from colophon.wallet import recover, typed_data_digest
from tests.colophon.bundles import an_id

N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def accepted(secret: int, agreement: bytes) -> tuple[dict[str, Any], bytes, str]:
    """Typed data, signature and address of an acceptance by a real wallet."""
    wallet = Account.from_key(secret.to_bytes(32, "big"))
    data = acceptance_typed_data(
        agreement_digest=agreement,
        holder=an_id("hld", 1),
        wallet=wallet.address.lower(),
        chain_id=31337,
    )
    signed = wallet.sign_message(encode_typed_data(full_message=data))
    return data, bytes(signed.signature), wallet.address.lower()


@settings(max_examples=20, deadline=None)
@given(st.integers(1, N - 1), st.binary(min_size=32, max_size=32))
def test_the_signing_wallet_is_recovered(secret: int, agreement: bytes) -> None:
    data, signature, address = accepted(secret, agreement)
    assert recover(typed_data_digest(data), signature) == address


def test_another_message_gives_another_wallet() -> None:
    data, signature, address = accepted(7, bytes(32))
    other, _, _ = accepted(7, b"x" * 32)
    assert recover(typed_data_digest(other), signature) != address
    assert recover(typed_data_digest(data), signature) == address


@pytest.mark.parametrize(
    "signature",
    [
        b"",
        bytes(65),
        bytes(64) + b"\x1b",
        b"\xff" * 64 + b"\x1b",
        (5).to_bytes(32, "big") + (1).to_bytes(32, "big") + b"\x1b",
    ],
)
def test_an_impossible_signature_is_refused(signature: bytes) -> None:
    with pytest.raises(SignatureError):
        recover(bytes(32), signature)


def test_the_mirrored_signature_is_refused() -> None:
    """Its s in the upper half: the same signature with other bytes."""
    data, signature, _ = accepted(7, bytes(32))
    s = N - int.from_bytes(signature[32:64], "big")
    mirrored = signature[:32] + s.to_bytes(32, "big") + bytes([55 - signature[64]])
    with pytest.raises(SignatureError, match="out of range"):
        recover(typed_data_digest(data), mirrored)


def test_a_nested_type_is_refused() -> None:
    data = accepted(7, bytes(32))[0]
    data["types"]["Acceptance"][0]["type"] = "Person"
    with pytest.raises(InputError, match="Person"):
        typed_data_digest(data)
