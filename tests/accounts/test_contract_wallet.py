"""Contract wallets sign in by EIP-1271, asked on a real chain."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from accounts import wallets
from accounts.errors import WalletProofError
from accounts.models import WalletChallenge
from chain import identity
from chain.anvil import Anvil
from chain.deploy import deploy
from colophon.digest import keccak256
from colophon.errors import CouldNotCheck
from tests.accounts.test_wallets import KEY, signed

pytestmark = [pytest.mark.django_db, pytest.mark.chain]

# isValidSignature(hash, signature): the magic value if the signature starts with the
# hash, else zero. A wallet anyone may sign for, but only for the very text.
CODE = "0x6064356004351463" + "1626ba7e" + "0260e01b60005260206000f3"
WALLET = "0x" + "00" * 18 + "c0de"


@pytest.fixture
def node(settings: Any, tmp_path: Path) -> Iterator[Anvil]:
    """A chain that the database belongs to, with a contract wallet on it."""
    with Anvil.start() as chain:
        settings.CHAIN_RPC_URLS = [chain.url]
        settings.KEYS_DIR = tmp_path / "keys"
        identity.forget()
        deploy(say=lambda _: None)
        chain.rpc("anvil_setCode", WALLET, CODE)
        yield chain
    identity.forget()


def issue() -> WalletChallenge:
    return wallets.challenge(WALLET, "login", "s1")


def digest(message: str) -> str:
    """The EIP-191 digest of a text, which this wallet takes as a signature."""
    text = message.encode()
    prefix = f"\x19Ethereum Signed Message:\n{len(text)}".encode()
    return "0x" + keccak256(prefix + text).hex()


@pytest.mark.usefixtures("node")
def test_a_contract_wallet_signs_in() -> None:
    made = issue()
    found = wallets.verify(made.nonce, digest(made.message), "s1", "login")
    assert found.lower() == WALLET
    assert "\nChain ID: 31337\n" in made.message


@pytest.mark.usefixtures("node")
def test_a_contract_wallet_refuses_another_text() -> None:
    made = issue()
    with pytest.raises(WalletProofError):
        wallets.verify(made.nonce, digest(made.message + " "), "s1", "login")


@pytest.mark.usefixtures("node")
def test_an_address_without_code_and_without_its_key_is_refused() -> None:
    made = wallets.challenge(KEY.address, "login", "s1")
    with pytest.raises(WalletProofError):
        wallets.verify(made.nonce, digest(made.message), "s1", "login")


def test_a_silent_chain_is_no_answer_for_contracts_and_no_matter_for_keys(
    node: Anvil,
) -> None:
    node.stop()
    made = issue()
    with pytest.raises(CouldNotCheck):
        wallets.verify(made.nonce, digest(made.message), "s1", "login")
    own = wallets.challenge(KEY.address, "login", "s1")
    proof = signed(own.message)
    assert wallets.verify(own.nonce, proof, "s1", "login") == KEY.address
    assert own.expires_at > timezone.now()
