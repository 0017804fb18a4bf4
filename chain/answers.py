"""What a node's refusal means: JSON-RPC error objects to this app's errors.

Nodes agree on few codes, so code and words are both read. The phrases are those of
anvil, geth, reth, Nethermind, Besu and Erigon.
"""

from __future__ import annotations

from typing import Any

from chain.errors import (
    AlreadyKnownError,
    ChainError,
    InsufficientFundsError,
    NonceTooHighError,
    NonceTooLowError,
    RejectedError,
    RevertedError,
    RpcBehindError,
    RpcBusyError,
    RpcError,
    UnderpricedError,
    WrongChainError,
)

REVERT_CODE = 3
LIMIT_CODES = frozenset({-32005, 429})

# The order matters: "replacement transaction underpriced" before anything general.
_PHRASES: tuple[tuple[type[ChainError], tuple[str, ...]], ...] = (
    (
        AlreadyKnownError,
        ("already known", "already imported", "known transaction", "already in pool"),
    ),
    (NonceTooLowError, ("nonce too low", "nonce is too low", "old nonce")),
    (NonceTooHighError, ("nonce too high", "nonce gap", "nonce too distant")),
    (
        UnderpricedError,
        (
            "underpriced",
            "less than block base fee",
            "fee too low",
            "feetoolow",
            "gas price below",
            "fee cap less than",
        ),
    ),
    (
        InsufficientFundsError,
        ("insufficient funds", "insufficientfunds", "insufficient balance"),
    ),
    (WrongChainError, ("invalid chain id", "chain id mismatch", "wrong chain")),
    (
        RpcBusyError,
        ("rate limit", "too many requests", "limit exceeded", "capacity exceeded"),
    ),
    (
        RpcBehindError,
        (
            "header not found",
            "block not found",
            "unknown block",
            "blockoutofrange",
            "out of range",
            "missing trie node",
        ),
    ),
    (
        RejectedError,
        (
            "intrinsic gas",
            "exceeds block gas limit",
            "gas limit is too",
            "gas limit too",
            "oversized data",
            "max initcode",
            "invalid sender",
            "tip above fee cap",
            "higher than max fee",
            "rlp",
        ),
    ),
)


def error_of(answer: Any) -> ChainError:
    """The error that a JSON-RPC error object stands for.

    Args:
        answer: the value of "error" in a response: an object, or whatever came.
    """
    if not isinstance(answer, dict):
        return RpcError(f"the node refused: {answer!r}")
    code = answer.get("code")
    code = code if isinstance(code, int) else 0
    message = str(answer.get("message", ""))
    words = message.lower()
    if code == REVERT_CODE or "revert" in words:
        return RevertedError(message, _revert_data(answer.get("data")))
    if code in LIMIT_CODES:
        return RpcBusyError(f"the node asks for fewer requests: {message}")
    for kind, phrases in _PHRASES:
        if any(phrase in words for phrase in phrases):
            return kind(message)
    return RpcError(message or "the node refused without a reason", code)


def _revert_data(data: Any) -> bytes:
    """Revert data as nodes give it: a 0x text, or an object that holds one."""
    if isinstance(data, dict):
        data = data.get("data")
    if isinstance(data, str) and data.startswith("0x"):
        try:
            return bytes.fromhex(data[2:])
        except ValueError:
            return b""
    return b""
