"""A real chain for each test: one anvil per session, put back after every test."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from chain import confirm, faults, identity, send
from chain.anvil import Anvil
from chain.deploy import deploy
from chain.gateway import Gateway, connect
from chain.intend import intend
from chain.models import Intent, Network
from log.models import Checkpoint

PUBLIC_JOBS = {"test.then": ("tests.chain.conftest.seen", "default")}


def seen(claim: Any) -> None:
    """Handler of the `then` jobs of these tests; does nothing."""


@pytest.fixture(scope="session")
def node() -> Iterator[Anvil]:
    with Anvil.start() as chain:
        yield chain


@pytest.fixture(scope="session")
def base(node: Anvil, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Keys and addresses of this session's deployment, filled by the first test."""
    return {"dir": tmp_path_factory.mktemp("chain"), "snapshot": None}


@pytest.fixture
def settled(
    settings: Any, node: Anvil, base: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Any]:
    """Settings that point at the chain; the chain is put back afterwards."""
    from config import jobs

    directory: Path = base["dir"]
    settings.CHAIN_RPC_URLS = [node.url]
    settings.KEYS_DIR = directory / "keys"
    settings.CHAIN_CONTRACTS_FILE = directory / "contracts.json"
    settings.CHAIN_CONFIRMATIONS = 2
    settings.CHAIN_STUCK_SECONDS = 3600
    settings.CHAIN_DROPPED_SECONDS = 0
    settings.CHALLENGE_WINDOW_SECONDS = 5
    settings.REFUND_DELAY_SECONDS = 10
    monkeypatch.setattr(jobs, "TABLE", {**jobs.TABLE, **PUBLIC_JOBS})
    identity.forget()
    if base["snapshot"] is not None:
        node.rpc("evm_revert", base["snapshot"])
        base["snapshot"] = node.rpc("evm_snapshot")
    yield settings
    for name in faults.POINTS:
        faults.hook(name, None)
    node.rpc("anvil_dropAllTransactions")
    node.rpc("evm_setIntervalMining", 0)
    node.rpc("evm_setAutomine", True)


@pytest.fixture
def live(
    settled: Any, node: Anvil, base: dict[str, Any], request: pytest.FixtureRequest
) -> Network:
    """Contracts on the chain, and a database that knows them."""
    threads = request.node.get_closest_marker("django_db")
    request.getfixturevalue(
        "transactional_db" if threads and threads.kwargs.get("transaction") else "db"
    )
    network = deploy(say=lambda _: None)
    if base["snapshot"] is None:
        base["snapshot"] = node.rpc("evm_snapshot")
    return network


@pytest.fixture
def gateway(live: Network) -> Gateway:
    return connect()


@pytest.fixture
def mine(node: Anvil) -> Callable[..., None]:
    """Mines some blocks."""

    def act(blocks: int = 1) -> None:
        for _ in range(blocks):
            node.rpc("evm_mine")

    return act


class Actor:
    """What the worker does, one call at a time."""

    def __init__(self, node: Anvil) -> None:
        self.node = node
        self._numbers = itertools.count(1)

    def want(self, kind: str = "fund", key: str = "", **args: Any) -> Intent:
        number = next(self._numbers)
        if kind == "fund" and not args:
            args = {"to": "0x" + "ab" * 20, "amount": 1_000 + number}
        with transaction.atomic():
            return intend(
                kind, args, key=key or f"{kind}:{number}", then=("test.then", {"n": 1})
            )

    def send(self, intent: Intent) -> Intent:
        send.send(intent.pk)
        intent.refresh_from_db()
        return intent

    def confirm(self, *intents: Intent) -> None:
        confirm.confirm()
        for intent in intents:
            intent.refresh_from_db()

    def finish(self, intent: Intent, blocks: int = 2) -> Intent:
        """Waits for the block, adds confirmations, and confirms."""
        self.wait(intent)
        for _ in range(blocks):
            self.node.rpc("evm_mine")
        self.confirm(intent)
        return intent

    def wait(self, intent: Intent) -> None:
        """Automine answers before it has mined: wait for the receipt."""
        import time

        until = time.monotonic() + 5
        hashes = [a.tx_hash for a in intent.attempts.all()]
        while time.monotonic() < until:
            if connect().receipts(hashes):
                return
            time.sleep(0.01)
        raise AssertionError(f"{intent} was not mined")


@pytest.fixture
def act(live: Network, node: Anvil) -> Actor:
    return Actor(node)


@pytest.fixture
def checkpoint() -> Callable[..., Checkpoint]:
    def make(size: int = 3) -> Checkpoint:
        return Checkpoint.objects.create(
            size=size, root=size.to_bytes(32, "big"), note=f"test {size}"
        )

    return make
