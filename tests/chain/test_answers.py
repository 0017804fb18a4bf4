"""What nodes say, in the words that they use."""

from __future__ import annotations

import pytest

from chain import errors
from chain.answers import error_of

CASES = [
    (-32000, "already known", errors.AlreadyKnownError),
    (-32003, "transaction already imported", errors.AlreadyKnownError),
    (-32000, "nonce too low: next nonce 5, tx nonce 4", errors.NonceTooLowError),
    (-32003, "nonce too low", errors.NonceTooLowError),
    (-32000, "nonce too high", errors.NonceTooHighError),
    (-32000, "replacement transaction underpriced", errors.UnderpricedError),
    (-32003, "max fee per gas less than block base fee", errors.UnderpricedError),
    (
        -32000,
        "insufficient funds for gas * price + value",
        errors.InsufficientFundsError,
    ),
    (
        -32003,
        "Insufficient funds for gas * price + value",
        errors.InsufficientFundsError,
    ),
    (-32000, "invalid chain id for signer", errors.WrongChainError),
    (-32005, "whatever", errors.RpcBusyError),
    (429, "", errors.RpcBusyError),
    (-32000, "header not found", errors.RpcBehindError),
    (-32602, "BlockOutOfRangeError: block height is 3", errors.RpcBehindError),
    (-32000, "intrinsic gas too low", errors.RejectedError),
    (3, "execution reverted", errors.RevertedError),
    (-32000, "execution reverted: no", errors.RevertedError),
    (-32601, "the method does not exist", errors.RpcError),
]


@pytest.mark.parametrize(("code", "message", "kind"), CASES)
def test_an_answer_means_one_thing(code: int, message: str, kind: type) -> None:
    assert type(error_of({"code": code, "message": message})) is kind


@pytest.mark.parametrize("data", ["0x01020304", {"data": "0x01020304"}])
def test_revert_data_are_found_where_nodes_put_them(data: object) -> None:
    error = error_of({"code": 3, "message": "execution reverted", "data": data})
    assert isinstance(error, errors.RevertedError)
    assert error.data == b"\1\2\3\4"


@pytest.mark.parametrize("answer", [None, "no", {}, {"code": "x"}, {"data": "0xzz"}])
def test_an_odd_answer_is_still_an_error(answer: object) -> None:
    assert isinstance(error_of(answer), errors.RpcError)
