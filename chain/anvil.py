"""A local test chain as a child process: the native anvil binary, on loopback.

For the demo and the tests; `python -m chain.anvil` is the test chain of a container.
It needs no Django settings. The npm launcher is not used: it leaves the chain running
when it is stopped itself.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

HOST = "127.0.0.1"
HARDFORK = "prague"
CHAIN_ID = 31337
READY_SECONDS = 20.0
STOP_SECONDS = 10.0
ROOT = Path(__file__).resolve().parent.parent


class AnvilError(Exception):
    """The local chain is not installed, or did not start."""


def binary() -> Path:
    """The native binary that npm installed, or one on the PATH.

    Raises:
        AnvilError: there is none.
    """
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(
        platform.machine(), platform.machine()
    )
    name = f"anvil-{platform.system().lower()}-{machine}"
    packaged = ROOT / "node_modules" / "@foundry-rs" / name / "bin" / "anvil"
    if packaged.is_file():
        return packaged
    if found := shutil.which("anvil"):
        return Path(found)
    raise AnvilError("anvil is not installed: run `npm ci` (it brings @foundry-rs)")


def free_port() -> int:
    """A TCP port on loopback that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def ask(url: str, method: str, *params: object, seconds: float = 5.0) -> object:
    """One JSON-RPC request to a local chain, its own methods included.

    Raises:
        AnvilError: it answers with an error.
        OSError: it does not answer.
    """
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    request = urllib.request.Request(  # noqa: S310 - loopback HTTP
        url,
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=seconds) as response:  # noqa: S310
        answer = json.load(response)
    if "error" in answer:
        raise AnvilError(f"{method}: {answer['error']}")
    return answer["result"]


@dataclass
class Anvil:
    """A running chain. Use as a context manager, or call `stop`."""

    process: subprocess.Popen[bytes]
    port: int

    @property
    def url(self) -> str:
        """Where it serves JSON-RPC."""
        return f"http://{HOST}:{self.port}"

    @classmethod
    def start(
        cls,
        *,
        port: int | None = None,
        block_seconds: float | None = None,
        state: Path | None = None,
        mnemonic: str | None = None,
        chain_id: int = CHAIN_ID,
        log: Path | None = None,
    ) -> Self:
        """Starts a chain and waits until it answers.

        Args:
            port: on loopback; a free one when None.
            block_seconds: mine at this interval; a block per transaction when None.
            state: file that the chain is loaded from and saved to each second.
            mnemonic: of the funded development accounts; random when None.
            chain_id: its id.
            log: file for its output; discarded when None.

        Raises:
            AnvilError: not installed, the port is taken, or it ended or stayed silent.
        """
        chosen = port or free_port()
        _check_free(chosen)
        command = [
            *_end_with_parent(),
            *_command(chosen, chain_id=chain_id, mnemonic=mnemonic),
        ]
        if block_seconds is not None:
            command += ["--block-time", f"{block_seconds:g}"]
        if state is not None:
            command += _kept_in(state)
        out = log.open("ab") if log else None
        try:
            process = subprocess.Popen(  # noqa: S603 - our own arguments
                command,
                stdin=subprocess.DEVNULL,
                stdout=out or subprocess.DEVNULL,
                stderr=subprocess.STDOUT,
                # a Ctrl-C in the terminal reaches its starter, which ends it last
                start_new_session=True,
            )
        finally:
            if out:
                out.close()
        chain = cls(process, chosen)
        chain._wait()
        return chain

    def rpc(self, method: str, *params: object, seconds: float = 5.0) -> object:
        """One JSON-RPC request to this chain (`ask`)."""
        return ask(self.url, method, *params, seconds=seconds)

    def stop(self) -> None:
        """Ends this process and no other; the state file is written by SIGTERM."""
        if self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _wait(self) -> None:
        until = time.monotonic() + READY_SECONDS
        while time.monotonic() < until:
            if (status := self.process.poll()) is not None:
                raise AnvilError(f"anvil ended at once with status {status}")
            try:
                self.rpc("eth_chainId", seconds=1.0)
            except (OSError, urllib.error.URLError, ValueError):
                time.sleep(0.02)
            else:
                return
        self.stop()
        raise AnvilError(f"anvil did not answer within {READY_SECONDS:g} s")


def _command(
    port: int,
    *,
    host: str = HOST,
    chain_id: int = CHAIN_ID,
    mnemonic: str | None = None,
) -> list[str]:
    """The binary with what every chain of ours has."""
    words = ["--mnemonic", mnemonic] if mnemonic else ["--mnemonic-random"]
    return [
        str(binary()),
        *("--host", host, "--port", str(port), "--chain-id", str(chain_id)),
        *("--hardfork", HARDFORK, "--accounts", "1", "--quiet"),
        *words,
    ]


def _kept_in(state: Path) -> list[str]:
    """Options to load a chain from a file and save it there each second."""
    state.parent.mkdir(parents=True, exist_ok=True)
    _keep_one_genesis(state)
    return ["--state", str(state), "--state-interval", "1"]


def _keep_one_genesis(state: Path) -> None:
    """Drop the first blocks that later starts have left in a saved chain.

    Each start makes a first block of its own, loads the saved one over it, and saves
    both. With two in the file it is chance which one is loaded, and with the other
    the chain is not the one that a database belongs to. The oldest is the true one.
    """
    try:
        saved = json.loads(state.read_text())
        firsts = [one for one in saved["blocks"] if _number(one) == 0]
    except (OSError, ValueError, KeyError, TypeError):
        return  # there is none yet, or anvil says what is wrong with it
    if len(firsts) <= 1:
        return
    true = min(firsts, key=lambda one: int(one["header"]["timestamp"], 16))
    saved["blocks"] = [one for one in saved["blocks"] if _number(one) or one is true]
    whole = state.with_suffix(".new")
    whole.write_text(json.dumps(saved))
    whole.replace(state)


def _number(block: dict[str, Any]) -> int:
    return int(block["header"]["number"], 16)


def _check_free(port: int) -> None:
    """Another chain on the port would answer in the place of the one started here."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise AnvilError(
                f"port {port} is in use: stop what listens there"
            ) from error


def _end_with_parent() -> list[str]:
    """Where util-linux is there: the chain ends when its starter is killed."""
    wrapper = shutil.which("setpriv")
    return [wrapper, "--pdeathsig", "TERM"] if wrapper else []


def main(arguments: list[str] | None = None) -> None:
    """Become the chain: mines each second, and is kept in a file."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--host", default=HOST)
    parser.add_argument("--port", type=int, default=8545)
    parser.add_argument("--state", type=Path, required=True)
    options = parser.parse_args(arguments)
    command = _command(options.port, host=options.host)
    command += ["--block-time", "1", *_kept_in(options.state)]
    os.execv(command[0], command)  # noqa: S606 - our own arguments


if __name__ == "__main__":
    main()
