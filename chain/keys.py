"""One key per role, and a signer that refuses what the role may not do.

A key is anything with an address that signs a digest: a file here (0600, made on
first run), a KMS elsewhere. The guard around it knows chain id and allow-list, so a
mistake above it cannot make the anchorer pay or the relayer commit.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from django.conf import settings
from eth_keys.datatypes import PrivateKey

from chain import contracts
from chain.abi import checksum
from chain.errors import SignerRefusedError
from chain.kinds import DEPLOYER, ROLES, allowed
from colophon import rlp
from colophon.digest import keccak256

DYNAMIC_FEE = b"\x02"
KEY_BYTES = 32
_CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


@dataclass(frozen=True)
class Transaction:
    """An EIP-1559 transaction before it is signed. `to` is None at deployment."""

    chain_id: int
    nonce: int
    to: str | None
    data: bytes
    gas_limit: int
    max_fee_wei: int
    priority_fee_wei: int
    value_wei: int = 0


@dataclass(frozen=True)
class Signed:
    """Bytes ready to send, and the hash the chain will know them by."""

    raw: bytes
    tx_hash: str


class Key(Protocol):
    """What signs: a file, a KMS, a hardware module."""

    @property
    def address(self) -> str:
        """EIP-55 address of the key."""

    def sign_digest(self, digest: bytes) -> tuple[int, int, int]:
        """(y parity, r, s) over 32 bytes, s in the lower half."""


class FileKey:
    """A secp256k1 key in a file that only its owner can read."""

    def __init__(self, secret: bytes) -> None:
        self._key = PrivateKey(secret)
        self.address = checksum(self._key.public_key.to_checksum_address())

    def sign_digest(self, digest: bytes) -> tuple[int, int, int]:
        """(y parity, r, s) over 32 bytes; deterministic (RFC 6979)."""
        parity, r, s = self._key.sign_msg_hash(digest).vrs
        return parity, r, s

    @classmethod
    def load_or_create(cls, path: Path) -> FileKey:
        """The key in a file of 64 hex digits, made when there is none.

        Raises:
            SignerRefusedError: the file is readable by others, or not a key.
        """
        if not path.exists():
            _write_new(path)
        if path.stat().st_mode & 0o077:
            raise SignerRefusedError(f"{path.name} is readable by others: chmod 600")
        try:
            secret = bytes.fromhex(path.read_text(encoding="ascii").strip())
        except ValueError as error:
            raise SignerRefusedError(f"{path.name} is not a key in hex") from error
        if len(secret) != KEY_BYTES or not 0 < int.from_bytes(secret) < _CURVE_ORDER:
            raise SignerRefusedError(f"{path.name} does not hold a secp256k1 key")
        return cls(secret)


def _write_new(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write((secrets.randbelow(_CURVE_ORDER - 1) + 1).to_bytes(32).hex())


@dataclass(frozen=True)
class RoleSigner:
    """A role's key behind its allow-list.

    Attributes:
        role: the name on the list of roles.
        key: what signs.
        chain_id: the only chain it signs for.
        calls: (address, selector) pairs it signs.
        creates: whether it may deploy contracts.
    """

    role: str
    key: Key
    chain_id: int
    calls: frozenset[tuple[str, bytes]]
    creates: bool = False

    @property
    def address(self) -> str:
        """EIP-55 address that sends."""
        return self.key.address

    def sign(self, transaction: Transaction) -> Signed:
        """Signs one transaction.

        Raises:
            SignerRefusedError: another chain, native value, or a call that is not
                this role's. An empty transfer to oneself is always allowed: it only
                uses up a nonce.
        """
        self._check(transaction)
        fields: list[rlp.Item] = [
            rlp.int_bytes(transaction.chain_id),
            rlp.int_bytes(transaction.nonce),
            rlp.int_bytes(transaction.priority_fee_wei),
            rlp.int_bytes(transaction.max_fee_wei),
            rlp.int_bytes(transaction.gas_limit),
            bytes.fromhex(transaction.to[2:]) if transaction.to else b"",
            rlp.int_bytes(transaction.value_wei),
            transaction.data,
            [],
        ]
        digest = keccak256(DYNAMIC_FEE + rlp.encode(fields))
        signature = [rlp.int_bytes(part) for part in self.key.sign_digest(digest)]
        raw = DYNAMIC_FEE + rlp.encode([*fields, *signature])
        return Signed(raw, "0x" + keccak256(raw).hex())

    def _check(self, transaction: Transaction) -> None:
        if transaction.chain_id != self.chain_id:
            raise SignerRefusedError(
                f"{self.role} signs for chain {self.chain_id}, "
                f"not for {transaction.chain_id}"
            )
        if transaction.value_wei:
            raise SignerRefusedError(f"{self.role} never sends native coin")
        if transaction.to is None:
            if not self.creates:
                raise SignerRefusedError(f"{self.role} does not deploy contracts")
            return
        if transaction.to == self.address and not transaction.data:
            return
        if (transaction.to, transaction.data[:4]) not in self.calls:
            raise SignerRefusedError(
                f"{self.role} may not call 0x{transaction.data[:4].hex()} "
                f"of {transaction.to}"
            )


def key_of(role: str) -> Key:
    """The role's key, from KEYS_DIR/chain-<role>.

    Raises:
        SignerRefusedError: unknown role, or a key that is not kept on this host.
    """
    if role not in (*ROLES, DEPLOYER):
        raise SignerRefusedError(f"{role!r} is not a role")
    if role in settings.CHAIN_ROLE_ADDRESSES:
        raise SignerRefusedError(
            f"the key of {role} is not on this host (COLOPHON_ROLE_ADDRESSES)"
        )
    return FileKey.load_or_create(Path(settings.KEYS_DIR) / f"chain-{role}")


def role_address(role: str) -> str:
    """The role's address, whether its key is here or elsewhere."""
    if elsewhere := settings.CHAIN_ROLE_ADDRESSES.get(role):
        return checksum(elsewhere, "COLOPHON_ROLE_ADDRESSES")
    return key_of(role).address


def signer_for(role: str) -> RoleSigner:
    """The role's signer for this database's chain and contracts."""
    return RoleSigner(
        role=role,
        key=key_of(role),
        chain_id=contracts.network().chain_id,
        calls=contracts.allowed_selectors(allowed(role)),
    )


def deployer(chain_id: int) -> RoleSigner:
    """The signer that creates contracts and calls nothing."""
    return RoleSigner(DEPLOYER, key_of(DEPLOYER), chain_id, frozenset(), creates=True)
