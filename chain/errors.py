"""Everything that can go wrong between a row and the chain, one base.

Node answers and network faults are translated into these where they enter
(`chain.answers`, `chain.gateway`). `Later` means: nothing is wrong with the intent,
try again; all the others need a decision.
"""

from __future__ import annotations

from colophon.errors import InputError
from outbox.errors import Retry


class ChainError(Exception):
    """Base of all errors of this app."""


class ArgsError(InputError, ChainError):
    """An intent's kind or arguments are not what the contract function takes.

    Attributes:
        field: the argument that is wrong, empty when the whole intent is meant.
    """


class KeyReusedError(ChainError):
    """The same intent key came with another kind or other arguments."""


class NotDeployedError(ChainError):
    """This database knows no contracts yet: run `manage.py deploy_contracts`."""


class WrongChainError(ChainError):
    """The node serves another chain than the one this database belongs to."""


class SignerRefusedError(ChainError):
    """A key was asked to sign a call that its role may not make."""


class IntentStateError(ChainError):
    """The act does not fit the state of the intent."""


class FeeCapError(ChainError):
    """The next fee would exceed CHAIN_MAX_FEE_GWEI."""


class Later(ChainError, Retry):  # noqa: N818 - a state, not a fault
    """Not now: run again after some seconds; no effect happened or is lost.

    A job's handler may let it through: to `outbox` it is a `Retry`.

    Attributes:
        after_seconds: how long to wait at least.
    """

    after_seconds: float = 2.0

    def __init__(self, message: str, after_seconds: float | None = None) -> None:
        super().__init__(message, after_seconds or type(self).after_seconds)


class RpcDownError(Later):
    """No node answered: refused, timed out, cut, or an answer that is not JSON-RPC."""


class RpcBusyError(Later):
    """The node asks for fewer requests (HTTP 429 or its JSON-RPC form)."""

    after_seconds = 5.0


class RpcBehindError(Later):
    """The node does not know a block that it should know: it lags or is stuck."""


class DisagreementError(Later):
    """The nodes tell different stories about one transaction; none is believed."""

    after_seconds = 5.0


class InsufficientFundsError(Later):
    """The sending account cannot pay for gas; somebody has to fund it."""

    after_seconds = 15.0


class RpcError(ChainError):
    """The node refused a request for a reason of its own.

    Attributes:
        code: the JSON-RPC error code, 0 when there was none.
    """

    def __init__(self, message: str, code: int = 0) -> None:
        super().__init__(f"{message} (code {code})" if code else message)
        self.code = code


class RevertedError(RpcError):
    """A call would revert, or did.

    Attributes:
        data: the revert data, ABI-encoded; empty when the node gave none.
    """

    def __init__(self, message: str, data: bytes = b"") -> None:
        super().__init__(message)
        self.data = data


class AlreadyKnownError(RpcError):
    """The node has this very transaction already: as good as sent."""


class NonceTooLowError(RpcError):
    """The nonce is used on the chain, by this intent or by somebody else."""


class NonceTooHighError(RpcError):
    """The node does not keep a transaction that is so far ahead."""


class UnderpricedError(RpcError):
    """The fee is below the base fee, or too little above the one it replaces."""


class RejectedError(RpcError):
    """The node will never take this transaction (gas limit, size, form)."""
