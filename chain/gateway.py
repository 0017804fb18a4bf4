"""The one door to a node: JSON-RPC over HTTP, and the only importer of web3.

Everything that leaves here is plain: integers, `bytes`, 0x hex in lowercase, EIP-55
addresses, aware times, and the errors of `chain.errors`. Reads fail over to the next
URL. A send is tried once: a request that timed out may have been accepted, so the
sender stores the bytes first and sends the same bytes again later.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any, TypeVar

import requests
from django.conf import settings
from web3.providers.rpc import HTTPProvider
from web3.types import RPCEndpoint

from chain.answers import error_of
from chain.blocks import (
    Header,
    Log,
    Receipt,
    bytes_of,
    header_of,
    integer_of,
    logs_of,
    receipt_of,
)
from chain.errors import (
    ChainError,
    Later,
    RpcBehindError,
    RpcBusyError,
    RpcDownError,
    RpcError,
    WrongChainError,
)
from colophon.digest import keccak256

TIMEOUT_SECONDS = 10.0
BATCH = 50
TOO_MANY_REQUESTS = 429
Params = list[Any]
T = TypeVar("T")


class Gateway:
    """A chain behind one or more URLs that all serve it.

    Args:
        urls: HTTP(S) endpoints, the preferred one first.
        timeout_seconds: for connecting and for each answer.
    """

    def __init__(
        self, urls: Sequence[str], *, timeout_seconds: float = TIMEOUT_SECONDS
    ) -> None:
        if not urls:
            raise RpcDownError("no node is configured: set COLOPHON_RPC_URLS")
        self.urls = tuple(urls)
        self._preferred = 0
        self._providers = [
            HTTPProvider(
                url,
                request_kwargs={"timeout": timeout_seconds},
                exception_retry_configuration=None,
            )
            for url in urls
        ]

    # ------------------------------------------------------------------ transport

    def request(self, method: str, params: Params | None = None) -> Any:
        """The result of one read, from the first node that answers.

        Raises:
            RpcDownError, RpcBusyError: no node answered.
            ChainError: what the node's refusal means.
        """
        return self._any(lambda at: self._one(at, method, params or []))

    def requests(self, calls: Sequence[tuple[str, Params]]) -> list[Any]:
        """The results of many reads in order, in as few round trips as possible."""
        found: list[Any] = []
        for start in range(0, len(calls), BATCH):
            found += self._any(partial(self._many, calls[start : start + BATCH]))
        return found

    def everywhere(self, method: str, params: Params) -> list[Any]:
        """The answers of all nodes that answer, for questions of trust.

        Raises:
            ChainError: none answered; the first one's trouble.
        """
        found: list[Any] = []
        trouble: ChainError | None = None
        for at in range(len(self.urls)):
            try:
                found.append(self._one(at, method, params))
            except (Later, RpcError) as error:
                trouble = trouble or error
        if not found:
            assert trouble is not None
            raise trouble
        return found

    def _any(self, ask: Callable[[int], T]) -> T:
        trouble: ChainError | None = None
        for step in range(len(self.urls)):
            at = (self._preferred + step) % len(self.urls)
            try:
                answer = ask(at)
            except (RpcDownError, RpcBusyError, RpcBehindError) as error:
                trouble = trouble or error
            else:
                self._preferred = at
                return answer
        assert trouble is not None
        raise trouble

    def _one(self, at: int, method: str, params: Params) -> Any:
        provider = self._providers[at]
        answer = self._post(
            at, lambda: provider.make_request(RPCEndpoint(method), params)
        )
        return _result(answer)

    def _many(self, calls: Sequence[tuple[str, Params]], at: int) -> list[Any]:
        provider = self._providers[at]
        batch = [(RPCEndpoint(method), params) for method, params in calls]
        answers = self._post(at, lambda: provider.make_batch_request(batch))
        if not isinstance(answers, list) or len(answers) != len(calls):
            return (
                [_result(answers)]
                if len(calls) == 1
                else [self._one(at, method, params) for method, params in calls]
            )
        return [_result(answer) for answer in answers]

    def _post(self, at: int, ask: Callable[[], Any]) -> Any:
        """One HTTP exchange, with transport faults in our own words."""
        host = _host(self.urls[at])
        try:
            return ask()
        except requests.HTTPError as error:
            status = error.response.status_code if error.response is not None else 0
            if status == TOO_MANY_REQUESTS:
                raise RpcBusyError(f"{host} asks for fewer requests") from error
            raise RpcDownError(f"{host} answered HTTP {status}") from error
        except requests.RequestException as error:
            raise RpcDownError(f"{host}: {type(error).__name__}") from error
        except (ValueError, TypeError, KeyError, UnicodeDecodeError) as error:
            raise RpcDownError(f"{host} did not answer in JSON-RPC") from error

    # ------------------------------------------------------------------- identity

    def chain_id(self) -> int:
        """The chain id that every answering node agrees on.

        Raises:
            WrongChainError: two nodes serve different chains.
        """
        ids = {integer_of(answer) for answer in self.everywhere("eth_chainId", [])}
        if len(ids) != 1:
            raise WrongChainError(f"the nodes serve different chains: {sorted(ids)}")
        return ids.pop()

    def genesis_hash(self) -> str:
        """Hash of block 0, which tells two chains with one id apart."""
        return self._need(self.header(0), "block 0").hash

    def code_hash(self, address: str) -> str:
        """keccak256 of the code at an address; empty when there is none."""
        code = bytes_of(self.request("eth_getCode", [address, "latest"]))
        return "0x" + keccak256(code).hex() if code else ""

    def client(self) -> str:
        """Name and version of the node's program."""
        return str(self.request("web3_clientVersion"))

    # --------------------------------------------------------------------- blocks

    def head(self) -> Header:
        """The newest block."""
        return self._need(self.header("latest"), "newest block")

    def header(self, block: int | str) -> Header | None:
        """A block by number or tag; None when the node has none."""
        return header_of(self.request("eth_getBlockByNumber", [_tag(block), False]))

    def headers(self, numbers: Sequence[int]) -> list[Header | None]:
        """Many blocks by number; None for each that the node does not have."""
        calls = [("eth_getBlockByNumber", [_tag(n), False]) for n in numbers]
        return [header_of(answer) for answer in self.requests(calls)]

    def block_parts(self, number: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """A block and all its receipts as the node's JSON, to prove a receipt."""
        block, receipts = self.requests(
            [
                ("eth_getBlockByNumber", [_tag(number), False]),
                ("eth_getBlockReceipts", [_tag(number)]),
            ]
        )
        if not isinstance(block, dict) or not isinstance(receipts, list):
            raise RpcBehindError(f"the node does not have block {number}")
        return block, receipts

    @staticmethod
    def _need(header: Header | None, what: str) -> Header:
        if header is None:
            raise RpcBehindError(f"the node does not have the {what}")
        return header

    # --------------------------------------------------------------- transactions

    def send_raw(self, raw: bytes) -> None:
        """Gives signed bytes to the preferred node, once.

        Raises:
            AlreadyKnownError, NonceTooLowError, UnderpricedError,
            InsufficientFundsError, RejectedError…: what the node said.
            RpcDownError: no answer; the bytes may have been accepted all the same.
        """
        try:
            self._one(self._preferred, "eth_sendRawTransaction", ["0x" + raw.hex()])
        except (RpcDownError, RpcBusyError):
            # the same bytes go to the next node when the sender comes again
            self._preferred = (self._preferred + 1) % len(self.urls)
            raise

    def receipts(self, hashes: Sequence[str]) -> dict[str, Receipt]:
        """The receipts that exist, by transaction hash."""
        calls = [("eth_getTransactionReceipt", [tx_hash]) for tx_hash in hashes]
        found = [receipt_of(answer) for answer in self.requests(calls)]
        return {receipt.tx_hash: receipt for receipt in found if receipt}

    def receipts_everywhere(self, tx_hash: str) -> list[Receipt | None]:
        """The receipt of one transaction according to each answering node."""
        answers = self.everywhere("eth_getTransactionReceipt", [tx_hash])
        return [receipt_of(answer) for answer in answers]

    def known(self, hashes: Sequence[str]) -> set[str]:
        """Those transactions that the node has, in its pool or in a block."""
        calls = [("eth_getTransactionByHash", [tx_hash]) for tx_hash in hashes]
        answers = self.requests(calls)
        return {h for h, answer in zip(hashes, answers, strict=True) if answer}

    def nonce(self, address: str, block: int | str = "latest") -> int:
        """How many transactions of an account the chain holds. Never `pending`."""
        return integer_of(
            self.request("eth_getTransactionCount", [address, _tag(block)])
        )

    def balance_wei(self, address: str) -> int:
        """Native balance of an account, to pay for gas."""
        return integer_of(self.request("eth_getBalance", [address, "latest"]))

    def tip_wei(self) -> int:
        """The priority fee that the node suggests."""
        return integer_of(self.request("eth_maxPriorityFeePerGas"))

    def call(
        self,
        to: str,
        data: bytes,
        *,
        sender: str | None = None,
        block: int | str = "latest",
    ) -> bytes:
        """The answer of a call that changes nothing.

        Raises:
            RevertedError: it would revert; carries the revert data.
        """
        return bytes_of(
            self.request("eth_call", [_call(to, data, sender), _tag(block)])
        )

    def calls(self, asked: Sequence[tuple[str, bytes]]) -> list[bytes]:
        """Many such calls (address, data) against the newest block."""
        calls = [("eth_call", [_call(to, d, None), "latest"]) for to, d in asked]
        return [bytes_of(answer) for answer in self.requests(calls)]

    def estimate_gas(self, to: str | None, data: bytes, *, sender: str) -> int:
        """Gas that the call would take on the newest block.

        Raises:
            RevertedError: it would revert.
        """
        asked = [_call(to, data, sender), "latest"]
        return integer_of(self.request("eth_estimateGas", asked))

    def logs(self, addresses: Sequence[str], first: int, last: int) -> list[Log]:
        """All logs of some contracts in a closed range of blocks, in order."""
        return logs_of(self.request("eth_getLogs", [_range(addresses, first, last)]))

    def logs_everywhere(
        self, addresses: Sequence[str], first: int, last: int
    ) -> list[list[Log]]:
        """The same according to each answering node."""
        asked = _range(addresses, first, last)
        return [logs_of(found) for found in self.everywhere("eth_getLogs", [asked])]

    def block_logs_everywhere(
        self, addresses: Sequence[str], block_hash: str
    ) -> list[list[Log]]:
        """Logs of some contracts in one block, according to each answering node."""
        asked = {"address": list(addresses), "blockHash": block_hash}
        return [logs_of(found) for found in self.everywhere("eth_getLogs", [asked])]


@cache
def _gateway(urls: tuple[str, ...], timeout_seconds: float) -> Gateway:
    return Gateway(urls, timeout_seconds=timeout_seconds)


def connect() -> Gateway:
    """This process's gateway to CHAIN_RPC_URLS.

    Raises:
        RpcDownError: none is configured.
    """
    return _gateway(tuple(settings.CHAIN_RPC_URLS), settings.CHAIN_TIMEOUT_SECONDS)


def _result(answer: Any) -> Any:
    if not isinstance(answer, dict):
        raise RpcDownError("the node did not answer in JSON-RPC")
    if "error" in answer and answer["error"] is not None:
        raise error_of(answer["error"])
    if "result" not in answer:
        raise RpcDownError("the node's answer has neither result nor error")
    return answer["result"]


def _host(url: str) -> str:
    """The endpoint without path and user part, which may hold a secret."""
    return url.split("://", 1)[-1].split("/", 1)[0].rsplit("@", 1)[-1]


def _tag(block: int | str) -> str:
    return hex(block) if isinstance(block, int) else block


def _call(to: str | None, data: bytes, sender: str | None) -> dict[str, str]:
    asked = {"data": "0x" + data.hex()}
    if to is not None:
        asked["to"] = to
    if sender is not None:
        asked["from"] = sender
    return asked


def _range(addresses: Sequence[str], first: int, last: int) -> dict[str, Any]:
    return {
        "address": list(addresses),
        "fromBlock": _tag(first),
        "toBlock": _tag(last),
    }
