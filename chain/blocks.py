"""What a node's JSON says, as plain values: blocks, receipts, logs.

Numbers are integers, hashes lowercase 0x hex, addresses EIP-55, times aware UTC. An
answer of another shape is the answer of a node that does not work.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from typing import Any, TypeVar

from chain.abi import checksum
from chain.errors import RpcDownError
from colophon.errors import InputError

T = TypeVar("T")


@dataclass(frozen=True)
class Header:
    """A block as far as the sender and the follower need it."""

    number: int
    hash: str
    parent_hash: str
    mined_at: datetime
    base_fee_wei: int


@dataclass(frozen=True)
class Receipt:
    """What became of a transaction."""

    tx_hash: str
    block_number: int
    block_hash: str
    index: int
    succeeded: bool
    gas_used: int
    created: str | None = None


@dataclass(frozen=True)
class Log:
    """One log as the node has it."""

    address: str
    topics: tuple[bytes, ...]
    data: bytes
    block_number: int
    block_hash: str
    tx_hash: str
    log_index: int


def _parser(parse: Callable[[Any], T]) -> Callable[[Any], T]:
    """Makes a wrong shape the fault of the node."""

    @wraps(parse)
    def act(answer: Any) -> T:
        try:
            return parse(answer)
        except (
            KeyError,
            TypeError,
            AttributeError,
            OverflowError,
            InputError,
        ) as error:
            raise RpcDownError(f"the answer has another shape: {error!r}") from error

    return act


def integer_of(value: Any) -> int:
    """A number from its 0x hex.

    Raises:
        RpcDownError: it is none.
    """
    try:
        return int(value, 16)
    except (TypeError, ValueError) as error:
        raise RpcDownError(f"the node gave {value!r}, expected a number") from error


def bytes_of(value: Any) -> bytes:
    """Bytes from their 0x hex.

    Raises:
        RpcDownError: they are none.
    """
    try:
        return bytes.fromhex(str(value).removeprefix("0x"))
    except ValueError as error:
        raise RpcDownError(f"the node gave {value!r}, expected hex") from error


def hash_of(value: Any) -> str:
    """32 bytes as lowercase 0x hex: the one form in rows, JSON and URLs."""
    return "0x" + bytes_of(value).hex()


@_parser
def header_of(answer: Any) -> Header | None:
    """A block; None for null."""
    if answer is None:
        return None
    return Header(
        number=integer_of(answer["number"]),
        hash=hash_of(answer["hash"]),
        parent_hash=hash_of(answer["parentHash"]),
        mined_at=datetime.fromtimestamp(integer_of(answer["timestamp"]), tz=UTC),
        base_fee_wei=integer_of(answer.get("baseFeePerGas", "0x0")),
    )


@_parser
def receipt_of(answer: Any) -> Receipt | None:
    """A receipt; None for null and for one that is in no block yet."""
    if answer is None or answer.get("blockHash") is None:
        return None
    created = answer.get("contractAddress")
    return Receipt(
        tx_hash=hash_of(answer["transactionHash"]),
        block_number=integer_of(answer["blockNumber"]),
        block_hash=hash_of(answer["blockHash"]),
        index=integer_of(answer["transactionIndex"]),
        succeeded=integer_of(answer["status"]) == 1,
        gas_used=integer_of(answer["gasUsed"]),
        created=checksum(created) if created else None,
    )


@_parser
def logs_of(answer: Any) -> list[Log]:
    """Logs in the order of the chain."""
    logs = [_log(one) for one in answer]
    return sorted(logs, key=lambda log: (log.block_number, log.log_index))


def _log(answer: Any) -> Log:
    return Log(
        address=checksum(answer["address"]),
        topics=tuple(bytes_of(topic) for topic in answer["topics"]),
        data=bytes_of(answer["data"]),
        block_number=integer_of(answer["blockNumber"]),
        block_hash=hash_of(answer["blockHash"]),
        tx_hash=hash_of(answer["transactionHash"]),
        log_index=integer_of(answer["logIndex"]),
    )
