"""A real chain for each test: its own anvil, loaded with the contracts.

`evm_revert` does not put everything back (base fee, pool), and starting anvil takes a
tenth of a second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from chain import faults, identity
from chain.anvil import Anvil
from chain.deploy import deploy
from chain.gateway import Gateway, connect
from chain.models import Network
from log.models import Checkpoint
from tests.chain.actor import Actor
from tests.chain.proxy import Proxy

JOBS = {
    "test.then": ("tests.chain.conftest.seen", "default"),
    "test.event": ("tests.chain.conftest.seen", "default"),
}


def seen(claim: Any) -> None:
    """Handler of these tests' own jobs; does nothing."""


@pytest.fixture(scope="session")
def deployed() -> dict[str, object]:
    """The state that the first test with contracts leaves for the others."""
    return {}


@pytest.fixture
def node(deployed: dict[str, object]) -> Iterator[Anvil]:
    """A chain of this test's own."""
    with Anvil.start() as chain:
        if "state" in deployed:
            chain.rpc("anvil_loadState", deployed["state"])
        yield chain


@pytest.fixture(scope="session")
def chain_files(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Keys and contracts file of the session's chain."""
    return tmp_path_factory.mktemp("chain")


@pytest.fixture
def chain_settings(
    settings: Any, node: Anvil, chain_files: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Any]:
    """Settings that point at the chain; quick timers."""
    from config import jobs

    settings.CHAIN_RPC_URLS = [node.url]
    settings.KEYS_DIR = chain_files / "keys"
    settings.CHAIN_CONTRACTS_FILE = chain_files / "contracts.json"
    settings.CHAIN_PUBLIC = False
    settings.CHAIN_CONFIRMATIONS = 2
    settings.CHAIN_FINALITY_TAG = ""
    settings.CHAIN_STUCK_SECONDS = 3600
    settings.CHAIN_DROPPED_SECONDS = 0
    settings.CHAIN_MAX_HEAD_AGE_SECONDS = 0
    settings.CHALLENGE_WINDOW_SECONDS = 5
    settings.REFUND_DELAY_SECONDS = 10
    monkeypatch.setattr(jobs, "TABLE", {**jobs.TABLE, **JOBS})
    monkeypatch.setattr(jobs, "EVENTS", {})
    identity.forget()
    yield settings
    for name in faults.POINTS:
        faults.hook(name, None)


@pytest.fixture
def live(
    chain_settings: Any,
    node: Anvil,
    deployed: dict[str, object],
    request: pytest.FixtureRequest,
) -> Network:
    """Contracts on the chain, and a database that knows them."""
    mark = request.node.get_closest_marker("django_db")
    threads = mark is not None and mark.kwargs.get("transaction")
    request.getfixturevalue("transactional_db" if threads else "db")
    network = deploy(say=lambda _: None)
    if "state" not in deployed:
        deployed["state"] = node.rpc("anvil_dumpState")
    return network


@pytest.fixture
def gateway(live: Network) -> Gateway:
    """To the chain itself."""
    return connect()


@pytest.fixture
def act(live: Network, node: Anvil) -> Actor:
    """What the worker does."""
    return Actor(node)


@pytest.fixture
def proxy(live: Network, node: Anvil, settings: Any) -> Iterator[Proxy]:
    """A node that misbehaves on demand; the only one that settings name."""
    with_faults = Proxy(node.url)
    settings.CHAIN_RPC_URLS = [with_faults.url]
    settings.CHAIN_TIMEOUT_SECONDS = 5.0
    yield with_faults
    with_faults.stop()


@pytest.fixture
def checkpoint() -> Callable[[int], Checkpoint]:
    """Makes a head of the log of some size."""

    def make(size: int) -> Checkpoint:
        return Checkpoint.objects.create(
            size=size, root=size.to_bytes(32, "big"), note=f"test {size}"
        )

    return make
