"""The local chain as a child: ready when started, ended by its id, state kept."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from chain import anvil
from chain.anvil import Anvil, AnvilError

pytestmark = pytest.mark.chain

MNEMONIC = "test test test test test test test test test test test junk"


def send(chain: Anvil) -> str:
    (account,) = chain.rpc("eth_accounts")  # type: ignore[misc]
    transfer = {"from": account, "to": "0x" + "ab" * 20, "value": "0x1"}
    return str(chain.rpc("eth_sendTransaction", transfer))


def test_a_chain_answers_and_ends() -> None:
    with Anvil.start(chain_id=7) as chain:
        assert chain.rpc("eth_chainId") == "0x7"
        with pytest.raises(AnvilError):
            chain.rpc("no_such_method")
    assert chain.process.returncode is not None
    with pytest.raises(OSError, match="refused"):
        chain.rpc("eth_chainId")


def test_two_chains_have_ports_of_their_own() -> None:
    with Anvil.start() as one, Anvil.start() as two:
        assert one.port != two.port


def test_a_chain_keeps_its_blocks_over_a_restart(tmp_path: Path) -> None:
    state = tmp_path / "deep" / "state.json"
    with Anvil.start(state=state, mnemonic=MNEMONIC) as chain:
        tx_hash = send(chain)
        chain.rpc("evm_mine")
        genesis = chain.rpc("eth_getBlockByNumber", "0x0", False)
        receipt = chain.rpc("eth_getTransactionReceipt", tx_hash)
    assert receipt
    with Anvil.start(state=state, mnemonic=MNEMONIC) as chain:
        assert chain.rpc("eth_getBlockByNumber", "0x0", False) == genesis
        assert chain.rpc("eth_getTransactionReceipt", tx_hash) == receipt


def test_a_chain_is_the_same_however_often_it_is_restarted(tmp_path: Path) -> None:
    state, seen = tmp_path / "state.json", set()
    for _ in range(5):
        with Anvil.start(state=state) as chain:
            genesis = chain.rpc("eth_getBlockByNumber", "0x0", False)
            assert isinstance(genesis, dict)
            seen.add(genesis["hash"])
            time.sleep(1)  # so that the next start would make another first block
    assert len(seen) == 1


def test_a_chain_can_be_a_process_of_its_own(tmp_path: Path) -> None:
    port = anvil.free_port()
    place = ["--port", str(port), "--state", str(tmp_path / "state.json")]
    process = subprocess.Popen([sys.executable, "-m", "chain.anvil", *place])
    chain = Anvil(process, port)
    try:
        chain._wait()
        assert chain.rpc("eth_chainId") == hex(anvil.CHAIN_ID)
    finally:
        chain.stop()
    assert (tmp_path / "state.json").is_file()


def kept(state: Path, tx_hash: str) -> bool:
    """Whether a whole file with the transaction is on the disk."""
    try:
        text = state.read_text()
        json.loads(text)
    except (FileNotFoundError, ValueError):
        return False
    return tx_hash in text


def test_a_killed_chain_loses_at_most_the_last_moments(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    with Anvil.start(state=state, mnemonic=MNEMONIC) as chain:
        tx_hash = send(chain)
        until = time.monotonic() + 60
        while not kept(state, tx_hash):
            assert time.monotonic() < until
            time.sleep(0.05)
        chain.process.kill()
        chain.process.wait()
    with Anvil.start(state=state, mnemonic=MNEMONIC) as chain:
        assert chain.rpc("eth_getTransactionReceipt", tx_hash)


def test_blocks_come_by_the_clock(tmp_path: Path) -> None:
    log = tmp_path / "anvil.log"
    with Anvil.start(block_seconds=1, log=log) as chain:
        until = time.monotonic() + 60
        while int(chain.rpc("eth_blockNumber"), 16) < 2:  # nobody sent anything
            assert time.monotonic() < until
            time.sleep(0.05)
        tx_hash = send(chain)
        while chain.rpc("eth_getTransactionReceipt", tx_hash) is None:
            assert time.monotonic() < until
            time.sleep(0.05)
        blocks = [chain.rpc("eth_getBlockByNumber", hex(n), False) for n in (1, 2)]
        first, second = (int(block["timestamp"], 16) for block in blocks)
        assert second > first


def test_a_taken_port_is_told() -> None:
    with Anvil.start() as chain, pytest.raises(AnvilError, match="in use"):
        Anvil.start(port=chain.port)


def test_a_chain_that_ends_at_once_is_told(tmp_path: Path) -> None:
    broken = tmp_path / "state.json"
    broken.write_text("not a state")
    with pytest.raises(AnvilError, match="ended at once"):
        Anvil.start(state=broken)


def test_a_missing_binary_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(anvil, "ROOT", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(AnvilError, match="npm ci"):
        anvil.binary()
