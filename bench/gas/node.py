"""A private anvil for one measurement, and the contracts on it.

The node is the binary that npm put into node_modules, with the hardfork pinned; it
listens on loopback only and ends with the `with` block.
"""

from __future__ import annotations

import json
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount
from web3 import Web3
from web3.types import RPCEndpoint

ROOT = Path(__file__).resolve().parents[2]
ANVIL = ROOT / "node_modules" / "@foundry-rs" / "anvil-linux-amd64" / "bin" / "anvil"
HARDFORK = "prague"
START_SECONDS = 20


@contextmanager
def anvil() -> Iterator[Web3]:
    """A fresh chain that mines each transaction at once."""
    if not ANVIL.exists():
        raise SystemExit(f"{ANVIL.relative_to(ROOT)} is missing; run: npm ci")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(ANVIL), "--host", "127.0.0.1", "--port", str(port), "--silent"]
    command += ["--hardfork", HARDFORK, "--gas-limit", "60000000"]
    with (
        tempfile.TemporaryDirectory(prefix="gas-") as folder,
        subprocess.Popen(command, cwd=folder) as process,
    ):
        try:
            yield _connect(f"http://127.0.0.1:{port}", process)
        finally:
            process.terminate()


def _connect(url: str, process: subprocess.Popen[bytes]) -> Web3:
    web3 = Web3(Web3.HTTPProvider(url))
    deadline = time.monotonic() + START_SECONDS
    while not web3.is_connected():
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit("anvil did not start")
        time.sleep(0.05)
    return web3


def deploy(web3: Web3, name: str, *arguments: Any) -> Any:
    """Deploy a committed artifact from the first account; the contract's handle."""
    path = ROOT / "contracts" / "artifacts" / f"{name}.json"
    artifact = json.loads(path.read_text())
    factory = web3.eth.contract(abi=artifact["abi"], bytecode=artifact["bytecode"])
    receipt = mine(web3, factory.constructor(*arguments), web3.eth.accounts[0])
    return web3.eth.contract(address=receipt["contractAddress"], abi=artifact["abi"])


def mine(web3: Web3, call: Any, sender: str) -> Any:
    """Send a call and give its receipt; a failed transaction ends the program."""
    digest = call.transact({"from": sender, "gas": 16_000_000})
    receipt = web3.eth.wait_for_transaction_receipt(digest, poll_latency=0.01)
    if receipt["status"] != 1:
        raise SystemExit(f"reverted: {call}")
    return receipt


def skip(web3: Web3, seconds: int) -> None:
    """Move the chain's clock forward."""
    web3.provider.make_request(RPCEndpoint("evm_increaseTime"), [seconds])
    web3.provider.make_request(RPCEndpoint("evm_mine"), [])


def person(name: str) -> LocalAccount:
    """A key made from a name, the same in every run."""
    signer: LocalAccount = Account.from_key(
        Web3.keccak(text=f"colophon gas bench: {name}")
    )
    return signer
