"""What a transaction wrote to the chain, proved from a block header alone.

A header's RLP hashes to the block hash and names the receipts' root; a trie proof
shows one receipt under it; its logs hold our events. Whether the block is part of
the chain is for the caller to know. Sources: Ethereum Yellow Paper §4.3, EIP-2718.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from colophon import rlp, trie
from colophon.digest import keccak256
from colophon.errors import InputError, ProofError

ADDRESS_BYTES = 20
WORD_BYTES = 32
ANCHORED = keccak256(b"Anchored(uint64,bytes32)")
MAX_HEADER_BYTES = 4096
MAX_TX_INDEX = 2**20
_MIN_HEADER_FIELDS = 15
_MAX_HEADER_FIELDS = 32
_PARENT, _RECEIPTS, _NUMBER, _TIME = 0, 5, 8, 11
_MAX_TOPICS = 4
_RECEIPT_FIELDS = 4
_LOG_FIELDS = 3
_BLOOM_BYTES = 256
_FIRST_LIST = 0xC0
_MAX_TYPE = 0x7F
_MAX_SIZE = 2**64


@dataclass(frozen=True)
class Header:
    """What we read of a block header."""

    hash: bytes
    parent_hash: bytes
    receipts_root: bytes
    number: int
    timestamp: int

    @property
    def mined_at(self) -> datetime:
        """Block time, aware UTC."""
        return datetime.fromtimestamp(self.timestamp, UTC)

    @classmethod
    def from_rlp(cls, data: bytes) -> Self:
        """Read a header; any fields after the fifteen oldest may follow.

        Raises:
            InputError: not a header in RLP.
        """
        if len(data) > MAX_HEADER_BYTES:
            raise InputError(f"is over {MAX_HEADER_BYTES} bytes", "header")
        items = _items(rlp.decode(data), "header")
        if not _MIN_HEADER_FIELDS <= len(items) <= _MAX_HEADER_FIELDS:
            raise InputError(f"has {len(items)} fields", "header")
        return cls(
            keccak256(data),
            _sized(items[_PARENT], WORD_BYTES, "header/parentHash"),
            _sized(items[_RECEIPTS], WORD_BYTES, "header/receiptsRoot"),
            _number(items[_NUMBER], "header/number"),
            _number(items[_TIME], "header/timestamp"),
        )


@dataclass(frozen=True)
class Log:
    """One event: the contract's address, topics and data."""

    address: bytes
    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True)
class Receipt:
    """One transaction's outcome."""

    kind: int
    succeeded: bool
    logs: tuple[Log, ...]

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read an encoded receipt, typed (EIP-2718) or legacy.

        Raises:
            InputError: not a receipt.
        """
        kind = 0
        if data and data[0] <= _MAX_TYPE:
            kind, data = data[0], data[1:]
        elif not data or data[0] < _FIRST_LIST:
            raise InputError("is of no known form", "receipt")
        items = _items(rlp.decode(data), "receipt")
        if len(items) != _RECEIPT_FIELDS:
            raise InputError(f"has {len(items)} fields", "receipt")
        if items[0] not in (b"", b"\x01"):
            raise InputError("has no status", "receipt")
        _number(items[1], "receipt/cumulativeGasUsed")
        _sized(items[2], _BLOOM_BYTES, "receipt/logsBloom")
        logs = tuple(_log(one) for one in _items(items[3], "receipt/logs"))
        return cls(kind, items[0] == b"\x01", logs)


def verify_receipt(header: bytes, proof: Sequence[bytes], tx_index: int) -> Receipt:
    """The receipt of a transaction, proved under a block header.

    Args:
        header: RLP of the header.
        proof: trie nodes from the receipts' root down.
        tx_index: 0-based place of the transaction in the block.

    Raises:
        ProofError: the proof does not hold.
        InputError: the header or the receipt is malformed.
    """
    if not 0 <= tx_index < MAX_TX_INDEX:
        raise InputError(f"is {tx_index}, expected 0 or more", "tx_index")
    root = Header.from_rlp(header).receipts_root
    return Receipt.from_bytes(trie.verify(root, rlp.encode_int(tx_index), proof))


def build_receipt_proof(
    receipts: Sequence[bytes], index: int
) -> tuple[bytes, list[bytes]]:
    """Root and proof of one receipt among all encoded receipts of a block.

    The root must equal the header's, which the caller compares.

    Raises:
        InputError: no such index.
    """
    if not 0 <= index < len(receipts):
        raise InputError(f"is {index}, expected 0 to {len(receipts) - 1}", "index")
    tree = trie.Trie({rlp.encode_int(at): one for at, one in enumerate(receipts)})
    return tree.root, tree.proof(rlp.encode_int(index))


def anchored(logs: Iterable[Log], ledger: bytes) -> list[tuple[int, bytes]]:
    """The (size, root) pairs that a ledger contract anchored, in order.

    Reads ``Anchored(uint64 indexed size, bytes32 root)`` of that address only.

    Raises:
        ProofError: an event of that name has another shape.
    """
    found = []
    for log in logs:
        if log.address != ledger or log.topics[:1] != (ANCHORED,):
            continue
        if len(log.topics) != 2 or len(log.data) != WORD_BYTES:  # noqa: PLR2004
            raise ProofError("an Anchored event has another shape")
        size = int.from_bytes(log.topics[1], "big")
        if size >= _MAX_SIZE:
            raise ProofError("an Anchored event has a size over 64 bits")
        found.append((size, log.data))
    return found


def _log(item: rlp.Decoded) -> Log:
    parts = _items(item, "receipt/logs")
    if len(parts) != _LOG_FIELDS:
        raise InputError(f"has {len(parts)} fields", "receipt/logs")
    topics = _items(parts[1], "receipt/logs/topics")
    if len(topics) > _MAX_TOPICS:
        raise InputError(f"has {len(topics)} items", "receipt/logs/topics")
    data = parts[2]
    if not isinstance(data, bytes):
        raise InputError("is a list", "receipt/logs/data")
    return Log(
        _sized(parts[0], ADDRESS_BYTES, "receipt/logs/address"),
        tuple(_sized(one, WORD_BYTES, "receipt/logs/topics") for one in topics),
        data,
    )


def _items(item: rlp.Decoded, where: str) -> list[rlp.Decoded]:
    if not isinstance(item, list):
        raise InputError("is no list", where)
    return item


def _sized(item: rlp.Decoded, size: int, where: str) -> bytes:
    if not isinstance(item, bytes) or len(item) != size:
        raise InputError(f"is not {size} bytes", where)
    return item


def _number(item: rlp.Decoded, where: str) -> int:
    if not isinstance(item, bytes) or len(item) > WORD_BYTES // 4 or item[:1] == b"\0":
        raise InputError("is not a number of at most 64 bits", where)
    return int.from_bytes(item, "big")
