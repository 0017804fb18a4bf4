"""The door: plain values out, our errors only, and no retry of a send."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

from chain.anvil import Anvil
from chain.errors import (
    ChainError,
    RpcBusyError,
    RpcDownError,
    RpcError,
    WrongChainError,
)
from chain.gateway import Gateway
from tests.chain.actor import Actor
from tests.chain.proxy import Proxy

pytestmark = [pytest.mark.chain, pytest.mark.django_db]

ROOT = Path(__file__).resolve().parents[2]


def test_only_the_gateway_imports_web3() -> None:
    for path in (ROOT / "chain").rglob("*.py"):
        for part in ast.walk(ast.parse(path.read_text())):
            names = []
            if isinstance(part, ast.Import):
                names = [alias.name for alias in part.names]
            elif isinstance(part, ast.ImportFrom):
                names = [part.module or ""]
            if any(name.split(".")[0] == "web3" for name in names):
                assert path.name == "gateway.py", path


def test_hashes_and_addresses_have_one_form(act: Actor, gateway: Gateway) -> None:
    intent = act.send(act.want())
    act.finish(intent)
    receipt = gateway.receipts([intent.tx_hash])[intent.tx_hash]
    for text in (receipt.tx_hash, receipt.block_hash, gateway.genesis_hash()):
        assert text.startswith("0x")
        assert text == text.lower()
        assert len(text) == 66
    assert receipt.block_hash == intent.block_hash
    header = gateway.header(receipt.block_number)
    assert header is not None
    assert header.hash == receipt.block_hash


def test_many_requests_keep_their_order(gateway: Gateway) -> None:
    numbers = [number % 4 for number in range(130)]
    headers = gateway.headers(numbers)
    assert [header.number for header in headers if header] == numbers
    assert gateway.headers([10**6]) == [None]
    assert gateway.receipts(["0x" + "11" * 32]) == {}


def test_no_url_and_no_listener_are_told() -> None:
    with pytest.raises(RpcDownError, match="COLOPHON_RPC_URLS"):
        Gateway([])
    dead = Gateway(["http://user:secret@127.0.0.1:9/key"], timeout_seconds=1)
    with pytest.raises(RpcDownError) as caught:
        dead.head()
    assert "secret" not in str(caught.value)
    assert "key" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "kind"), [(429, RpcBusyError), (500, RpcDownError), (404, RpcDownError)]
)
def test_http_errors_are_ours(proxy: Proxy, status: int, kind: type) -> None:
    proxy.status = status
    with pytest.raises(kind):
        Gateway([proxy.url]).head()


@pytest.mark.parametrize(
    "answer",
    ["", [], {}, 7, {"number": "0x1"}, {"number": None}, {"hash": 5}, {"number": "x"}],
)
def test_an_answer_of_another_shape_is_a_node_that_is_down(
    proxy: Proxy, answer: Any
) -> None:
    gateway = Gateway([proxy.url])
    proxy.rewrites["eth_getBlockByNumber"] = lambda *_: answer
    with pytest.raises(RpcDownError):
        gateway.head()
    proxy.rewrites["eth_getLogs"] = lambda *_: [answer]
    with pytest.raises(ChainError):
        gateway.logs(["0x" + "11" * 20], 0, 1)
    proxy.rewrites["eth_getBalance"] = lambda *_: answer
    with pytest.raises(RpcDownError):
        gateway.balance_wei("0x" + "11" * 20)


def test_reads_go_to_the_next_node_and_stay_there(proxy: Proxy, node: Anvil) -> None:
    gateway = Gateway([proxy.url, node.url])
    proxy.status = 503
    gateway.head()
    before = proxy.seen.total()
    gateway.head()
    assert proxy.seen.total() == before


def test_a_send_is_tried_once_and_next_time_elsewhere(
    proxy: Proxy, node: Anvil
) -> None:
    gateway = Gateway([proxy.url, node.url])
    proxy.status = 503
    with pytest.raises(RpcDownError):
        gateway.send_raw(b"\2\1")
    assert proxy.seen["eth_sendRawTransaction"] == 1
    with pytest.raises(RpcError):  # the other node refuses such bytes itself
        gateway.send_raw(b"\2\1")
    assert proxy.seen["eth_sendRawTransaction"] == 1


def test_nodes_of_two_chains_are_refused(live: Any, node: Anvil) -> None:
    with Anvil.start(chain_id=99) as other, pytest.raises(WrongChainError):
        Gateway([node.url, other.url]).chain_id()
