"""The whole stack in order: broker, chain, data, contracts, site, workers, relay."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from chain.anvil import Anvil, AnvilError
from config.stack import broker, ports
from config.stack.environment import environment_of
from config.stack.process import STOP_SECONDS, Process, StackError, tail

ROOT = Path(__file__).resolve().parent.parent.parent
READY_SECONDS = 90.0
BLOCK_SECONDS = 1
# What the others need while they finish what they are doing ends after them.
LAST_TO_STOP = ("tsa", "witness", "broker")
Say = Callable[[str], None]
CELERY = ("-m", "celery", "-A", "config.celery", "worker", "--loglevel", "WARNING")
QUIET = ("--without-gossip", "--without-mingle")


@dataclass
class Stack:
    """Everything that one installation on this machine needs.

    Attributes:
        var: folder of its data, keys, logs and chain state.
        port: of the site.
        say: told one line for each stage.
        overrides: settings of this stack, such as a shorter window.
        warn: told how a process died before it is started again.
        chain: the local chain; None when there is none.
        no_chain: why there is no local chain, in words.
    """

    var: Path
    port: int
    say: Say
    overrides: dict[str, str] = field(default_factory=dict)
    warn: Say | None = None
    chain: Anvil | None = None
    no_chain: str = ""
    processes: list[Process] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    used_ports: dict[str, int] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://{ports.HOST}:{self.port}"

    def start(self) -> None:
        """Start all of it; returns when the site answers.

        Raises:
            StackError: a part did not start; what was started is still running.
        """
        self.var.mkdir(parents=True, exist_ok=True)
        self.environment = environment_of(self.var, self.url) | self.overrides
        with self._stage("Broker and chain"):
            self._start_broker()
            self._start_chain()
        with self._stage("Database and contracts" if self.chain else "Database"):
            self._prepare()
        with self._stage("Site and workers"):
            self._start_site()

    def done(self, words: str, seconds: float) -> None:
        """One stage of the start is done."""
        self.say(f"{words} ({seconds:.0f} s)")

    def stop(self) -> None:
        """Stop what this stack started, by process id, the chain last.

        Workers get a few seconds to finish what they hold; whatever is left then is
        killed, and its jobs run again at the next start.
        """
        until = time.monotonic() + STOP_SECONDS
        last = [one for one in self.processes if one.name in LAST_TO_STOP]
        first = [one for one in self.processes if one not in last]
        for group in (first, last):
            for process in group:
                process.ask_to_stop()
            for process in group:
                process.wait_or_kill(until)
        if self.chain is not None:
            self.chain.stop()

    def kill(self) -> None:
        """End everything at once."""
        for process in self.processes:
            process.kill()
        if self.chain is not None:
            self.chain.process.kill()

    def watch(self) -> None:
        """Restart what died.

        Raises:
            StackError: something keeps dying.
        """
        for process in self.processes:
            process.watch(self.warn)
        if self.chain is not None and self.chain.process.poll() is not None:
            self._restart_chain(self.chain)

    def manage(self, *arguments: str, seconds: float = 300.0) -> str:
        """Run a management command with this stack's settings; returns its output.

        Raises:
            StackError: it failed; its output is in the message.
        """
        done = subprocess.run(  # noqa: S603 - our own command
            self.command("manage.py", *arguments),
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
            start_new_session=True,
        )
        if done.returncode:
            words = (done.stderr or done.stdout).strip()[-2000:]
            raise StackError(f"manage.py {arguments[0]} failed:\n{words}")
        return done.stdout

    def command(self, script: str, *arguments: str) -> list[str]:
        """The argv of one of our scripts."""
        return [sys.executable, str(ROOT / script), *arguments]

    def run(self, name: str, command: Sequence[str], *, keep: bool = True) -> Process:
        """Start one supervised process with this stack's settings."""
        log, environment = self.log_of(name), dict(self.environment)
        process = Process(name, command, environment, log, ROOT, keep=keep)
        process.start()
        self.processes.append(process)
        return process

    def log_of(self, name: str) -> Path:
        """The log file of a process."""
        path = self.var / "log" / f"{name}.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _start_broker(self) -> None:
        if "REDIS_URL" in self.environment:
            self.say("Broker: the one at REDIS_URL")
            return
        port = self.used_ports["broker"] = ports.any_free()
        self.run("broker", broker.command(port, self.var / "broker"))
        self.environment["REDIS_URL"] = f"redis://{ports.HOST}:{port}/0"

    def _start_chain(self) -> None:
        if self.environment.get("COLOPHON_RPC_URLS"):
            self.say("Chain: the one at COLOPHON_RPC_URLS")
            return
        try:
            self.chain = self._anvil()
        except AnvilError as error:
            self.no_chain = str(error)
            self.say(f"No local chain ({error}): anchors and payments stay queued")
            return
        self.used_ports["chain"] = self.chain.port
        self.environment["COLOPHON_RPC_URLS"] = self.chain.url

    def _anvil(self, port: int | None = None) -> Anvil:
        """A chain that mines at once; `_prepare` sets its clock going."""
        return Anvil.start(
            port=port,
            state=self.var / "chain" / "state.json",
            log=self.log_of("chain"),
        )

    def _prepare(self) -> None:
        """Tables and contracts; then the chain mines each second, as chains do."""
        if self.environment.get("COLOPHON_WITNESSES"):
            self.say("Witnesses: those of COLOPHON_WITNESSES")
            self.manage("prepare")
        else:
            said = self.manage("prepare", "--witness", str(self.var / "witness"))
            port = self.used_ports["witness"] = ports.any_free()
            place = f"http://{ports.HOST}:{port} {said.split()[-1]}"
            self.environment["COLOPHON_WITNESSES"] = place
        if self.chain is not None:
            self.chain.rpc("evm_setIntervalMining", BLOCK_SECONDS)

    def _restart_chain(self, dead: Anvil) -> None:
        words = f"chain ended with status {dead.process.returncode}"
        shown = f"{words}; {self.log_of('chain')}:\n{tail(self.log_of('chain'))}"
        if self.warn is None:
            raise StackError(shown)
        self.warn(f"{shown}\n  starting chain again")
        try:
            self.chain = self._anvil(dead.port)
            self.chain.rpc("evm_setIntervalMining", BLOCK_SECONDS)
        except AnvilError as error:
            raise StackError(f"{shown}\nand did not start again: {error}") from error

    def _start_site(self) -> None:
        tsa = self.used_ports["tsa"] = ports.any_free()
        self.used_ports["web"] = self.port
        self.environment["COLOPHON_TSA_URL"] = f"http://{ports.HOST}:{tsa}/"
        folder = self.environment["COLOPHON_AUTHORITIES"]
        python = sys.executable
        web = [python, "-m", "gunicorn", "config.wsgi", "--worker-class", "gthread"]
        web += ["--workers", "1", "--threads", "8"]
        web += ["--bind", f"{ports.HOST}:{self.port}"]
        self.run("web", web)
        self.run(
            "tsa",
            [python, "-m", "config.stack.tsa", "--port", str(tsa), "--folder", folder],
        )
        if "witness" in self.used_ports:
            command = [python, "-m", "config.stack.witness"]
            command += ["--port", str(self.used_ports["witness"])]
            self.run("witness", [*command, "--folder", str(self.var / "witness")])
        self.run("worker", [python, *CELERY, *QUIET, *self._pool("default,media", 2)])
        self.run("chain-worker", [python, *CELERY, *QUIET, *self._pool("chain", 1)])
        self.run("relay", self.command("manage.py", "relay"))
        self._wait_for(f"{self.url}/healthz")

    def _pool(self, queues: str, size: int) -> Sequence[str]:
        name = queues.replace(",", "-")
        return ("-Q", queues, "-c", str(size), "-n", f"{name}@{self.port}")

    @contextmanager
    def _stage(self, words: str) -> Iterator[None]:
        begun = time.monotonic()
        yield
        self.done(words, time.monotonic() - begun)

    def _wait_for(self, url: str) -> None:
        until = time.monotonic() + READY_SECONDS
        while time.monotonic() < until:
            self.watch()
            try:
                with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - loopback
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        raise StackError(
            f"the site did not answer at {url}; {self.log_of('web')}:\n"
            f"{tail(self.log_of('web'))}"
        )

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
