"""Encode what an Ethereum node answers as JSON: block headers and receipts.

The server fetches blocks and receipts by JSON-RPC; these turn them into the bytes
that ``colophon.receipt`` proves things with. Nothing is trusted: the encoded header
must hash to the block hash, and the receipts' root must be the header's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from colophon import rlp
from colophon.digest import keccak256
from colophon.errors import InputError, ProofError

# (name, is a number), in header order; those from baseFeePerGas on came with
# London, Shanghai, Cancun and Prague and may be missing at the end.
_FIELDS = (
    ("parentHash", False),
    ("sha3Uncles", False),
    ("miner", False),
    ("stateRoot", False),
    ("transactionsRoot", False),
    ("receiptsRoot", False),
    ("logsBloom", False),
    ("difficulty", True),
    ("number", True),
    ("gasLimit", True),
    ("gasUsed", True),
    ("timestamp", True),
    ("extraData", False),
    ("mixHash", False),
    ("nonce", False),
    ("baseFeePerGas", True),
    ("withdrawalsRoot", False),
    ("blobGasUsed", True),
    ("excessBlobGas", True),
    ("parentBeaconBlockRoot", False),
    ("requestsHash", False),
)


def header_from_rpc(block: Mapping[str, Any]) -> bytes:
    """RLP of the header of an ``eth_getBlockBy…`` answer.

    Raises:
        InputError: a field is missing or malformed.
        ProofError: the header does not hash to the answer's block hash.
    """
    values = []
    for name, numeric in _FIELDS:
        if block.get(name) is None:
            break
        read = _number if numeric else _bytes
        values.append(read(block[name], name))
    header = rlp.encode(values)
    if keccak256(header) != _bytes(block.get("hash"), "hash"):
        raise ProofError("block header does not hash to its block hash")
    return header


def receipt_from_rpc(receipt: Mapping[str, Any]) -> bytes:
    """Encoded receipt of an ``eth_getTransactionReceipt`` answer (EIP-2718).

    Raises:
        InputError: a field is missing or malformed.
    """
    logs: list[rlp.Item] = [
        [
            _bytes(log.get("address"), "logs/address"),
            [_bytes(topic, "logs/topics") for topic in log.get("topics") or ()],
            _bytes(log.get("data"), "logs/data"),
        ]
        for log in receipt.get("logs") or ()
    ]
    body = rlp.encode(
        [
            _number(receipt.get("status"), "status"),
            _number(receipt.get("cumulativeGasUsed"), "cumulativeGasUsed"),
            _bytes(receipt.get("logsBloom"), "logsBloom"),
            logs,
        ]
    )
    return _number(receipt.get("type", 0), "type") + body


def _bytes(value: Any, name: str) -> bytes:
    """Bytes of a 0x text, or bytes as they are."""
    if isinstance(value, bytes | bytearray):
        return bytes(value)
    if isinstance(value, str) and value.startswith("0x"):
        try:
            return bytes.fromhex(value[2:])
        except ValueError as error:
            raise InputError("is not hex", name) from error
    raise InputError("is missing or no 0x text", name)


def _number(value: Any, name: str) -> bytes:
    """Shortest big-endian bytes of a number or of a 0x text."""
    if isinstance(value, int) and value >= 0:
        return rlp.int_bytes(value)
    if isinstance(value, str) and value.startswith("0x"):
        try:
            return rlp.int_bytes(int(value[2:] or "0", 16))
        except ValueError as error:
            raise InputError("is not a hex number", name) from error
    if isinstance(value, bytes | bytearray):
        return bytes(value).lstrip(b"\0")
    raise InputError("is missing or no number", name)
