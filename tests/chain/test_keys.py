"""Keys and signers: private files, and nothing signed that a role may not do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from hypothesis import given, settings
from hypothesis import strategies as st

from chain.errors import SignerRefusedError
from chain.keys import FileKey, RoleSigner, Transaction, key_of, role_address

TO = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
CALL = b"\1\2\3\4"
SECRET = bytes(range(1, 33))


def signer(**more: Any) -> RoleSigner:
    return RoleSigner(
        "relayer", FileKey(SECRET), 31337, frozenset({(TO, CALL)}), **more
    )


def transaction(**change: Any) -> Transaction:
    fields = {
        "chain_id": 31337,
        "nonce": 0,
        "to": TO,
        "data": CALL + b"\0",
        "gas_limit": 21_000,
        "max_fee_wei": 2,
        "priority_fee_wei": 1,
    }
    return Transaction(**{**fields, **change})


@settings(max_examples=30)  # a signature in pure Python takes a while
@given(
    st.integers(0, 2**64 - 1),
    st.integers(1, 2**63),
    st.integers(0, 2**63),
    st.binary(max_size=64),
)
def test_signed_bytes_are_those_of_another_implementation(
    nonce: int, fee: int, tip: int, rest: bytes
) -> None:
    made = signer().sign(
        transaction(
            nonce=nonce, max_fee_wei=fee + tip, priority_fee_wei=tip, data=CALL + rest
        )
    )
    wanted = Account.sign_transaction(
        {
            "type": 2,
            "chainId": 31337,
            "nonce": nonce,
            "to": TO,
            "data": CALL + rest,
            "gas": 21_000,
            "maxFeePerGas": fee + tip,
            "maxPriorityFeePerGas": tip,
            "value": 0,
        },
        SECRET,
    )
    assert made.raw == bytes(wanted.raw_transaction)
    assert made.tx_hash == wanted.hash.to_0x_hex()
    assert Account.recover_transaction(made.raw) == signer().address


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"chain_id": 1}, "chain"),
        ({"value_wei": 1}, "native coin"),
        ({"to": None}, "deploy"),
        ({"data": b"\1\2\3\5"}, "may not call"),
        ({"data": b""}, "may not call"),
        ({"to": "0x" + "11" * 20}, "may not call"),
    ],
)
def test_what_a_role_may_not_do_is_not_signed(
    change: dict[str, Any], word: str
) -> None:
    with pytest.raises(SignerRefusedError, match=word):
        signer().sign(transaction(**change))


def test_an_empty_transfer_to_oneself_only_uses_a_nonce() -> None:
    mine = signer()
    assert mine.sign(transaction(to=mine.address, data=b"")).raw
    with pytest.raises(SignerRefusedError):
        mine.sign(transaction(to=mine.address, data=b"\1"))


def test_the_deployer_creates_and_calls_nothing() -> None:
    deployer = RoleSigner("deployer", FileKey(SECRET), 31337, frozenset(), creates=True)
    assert deployer.sign(transaction(to=None)).raw
    with pytest.raises(SignerRefusedError):
        deployer.sign(transaction())


def test_a_key_is_made_once_and_private(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "chain-x"
    first = FileKey.load_or_create(path)
    assert FileKey.load_or_create(path).address == first.address
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "chain-x"
    FileKey.load_or_create(path)
    path.chmod(0o644)
    with pytest.raises(SignerRefusedError, match="chmod 600"):
        FileKey.load_or_create(path)


@pytest.mark.parametrize("text", ["", "zz", "00" * 32, "11" * 31, "ff" * 32])
def test_a_file_without_a_key_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "chain-x"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(SignerRefusedError):
        FileKey.load_or_create(path)


def test_roles_have_keys_of_their_own(settings: Any, tmp_path: Path) -> None:
    settings.KEYS_DIR = tmp_path
    settings.CHAIN_ROLE_ADDRESSES = {"guardian": TO.lower()}
    assert role_address("anchorer") != role_address("settler")
    assert role_address("guardian") == TO
    assert not (tmp_path / "chain-guardian").exists()
    with pytest.raises(SignerRefusedError, match="not on this host"):
        key_of("guardian")
    with pytest.raises(SignerRefusedError, match="not a role"):
        key_of("nobody")
