"""The whole stack in order: broker, chain, data, contracts, site, workers, relay."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from chain.anvil import Anvil, AnvilError
from config.stack import broker, ports
from config.stack.process import STOP_SECONDS, Process, StackError

ROOT = Path(__file__).resolve().parent.parent.parent
READY_SECONDS = 60.0
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
    """

    var: Path
    port: int
    say: Say
    overrides: dict[str, str] = field(default_factory=dict)
    chain: Anvil | None = None
    processes: list[Process] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://{ports.HOST}:{self.port}"

    def start(self) -> None:
        """Start all of it; returns when the site answers.

        Raises:
            StackError: a part did not start; what was started is still running.
        """
        self.var.mkdir(parents=True, exist_ok=True)
        self.environment = self._environment()
        self._start_broker()
        self._start_chain()
        self._stage("Database", self._migrate)
        if self.chain is not None:
            self._stage("Contracts", self._deploy)
        self._stage("Site and workers", self._start_site)

    def stop(self) -> None:
        """Stop what this stack started, newest first, by process id."""
        for process in reversed(self.processes):
            process.ask_to_stop()
        until = time.monotonic() + STOP_SECONDS
        for process in reversed(self.processes):
            process.wait_or_kill(until)
        if self.chain is not None:
            self.chain.stop()

    def watch(self) -> None:
        """Restart what died.

        Raises:
            StackError: something keeps dying.
        """
        for process in self.processes:
            process.watch()

    def manage(self, *arguments: str, seconds: float = 300.0) -> str:
        """Run a management command with this stack's settings; returns its output.

        Raises:
            StackError: it failed; its output is in the message.
        """
        command = [sys.executable, str(ROOT / "manage.py"), *arguments]
        done = subprocess.run(  # noqa: S603 - our own command
            command,
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        if done.returncode:
            words = (done.stderr or done.stdout).strip()[-2000:]
            raise StackError(f"manage.py {arguments[0]} failed:\n{words}")
        return done.stdout

    def _environment(self) -> dict[str, str]:
        authorities = self.var / "secrets" / "authorities"
        found = {
            "COLOPHON_VAR": str(self.var),
            "COLOPHON_DEMO": "1",
            "COLOPHON_SITE_URL": self.url,
            "COLOPHON_AUTHORITIES": str(authorities),
            "COLOPHON_CHALLENGE_WINDOW": "5",
            "COLOPHON_REFUND_DELAY": "10",
            "COLOPHON_SETTLE_SECONDS": "10",
            "COLOPHON_CHECKPOINT_SECONDS": "2",
            "COLOPHON_LOG_LEVEL": "WARNING",
            "C_FORCE_ROOT": "1",
            "PYTHONUNBUFFERED": "1",
            "DJANGO_SETTINGS_MODULE": "config.settings",
        }
        return {**os.environ, **found, **self.overrides}

    def _start_broker(self) -> None:
        if "REDIS_URL" in self.environment:
            self.say("Broker: the one at REDIS_URL")
            return
        port = ports.any_free()
        self._run("broker", broker.command(port, self.var / "broker"))
        self.environment["REDIS_URL"] = f"redis://{ports.HOST}:{port}/0"
        self.say(f"Broker on port {port}")

    def _start_chain(self) -> None:
        if self.environment.get("COLOPHON_RPC_URLS"):
            self.say("Chain: the one at COLOPHON_RPC_URLS")
            return
        try:
            self.chain = Anvil.start(
                block_seconds=1,
                state=self.var / "chain" / "state.json",
                log=self._log("chain"),
            )
        except AnvilError as error:
            self.say(f"No local chain ({error}): anchors and payments stay queued")
            return
        self.environment["COLOPHON_RPC_URLS"] = self.chain.url
        self.say(f"Chain {self.chain.url}")

    def _migrate(self) -> None:
        self.manage("migrate", "--verbosity", "0")

    def _deploy(self) -> None:
        self.manage("deploy_contracts", "--if-needed")

    def _start_site(self) -> None:
        tsa = ports.any_free()
        self.environment["COLOPHON_TSA_URL"] = f"http://{ports.HOST}:{tsa}/"
        folder = self.environment["COLOPHON_AUTHORITIES"]
        manage = str(ROOT / "manage.py")
        python = sys.executable
        self._run(
            "tsa", [python, manage, "tsa", "--port", str(tsa), "--folder", folder]
        )
        self._run("relay", [python, manage, "relay"])
        self._run("worker", [python, *CELERY, *QUIET, *self._pool("default,media", 2)])
        self._run("chain-worker", [python, *CELERY, *QUIET, *self._pool("chain", 1)])
        web = [python, "-m", "gunicorn", "config.wsgi", "--worker-class", "gthread"]
        web += ["--bind", f"{ports.HOST}:{self.port}", "--threads", "8", "--workers", "1"]
        self._run("web", web)
        self._wait_for(f"{self.url}/healthz")

    def _pool(self, queues: str, size: int) -> Sequence[str]:
        name = queues.replace(",", "-")
        return ("-Q", queues, "-c", str(size), "-n", f"{name}@{self.port}")

    def _run(self, name: str, command: Sequence[str]) -> None:
        process = Process(name, command, dict(self.environment), self._log(name))
        process.start()
        self.processes.append(process)

    def _log(self, name: str) -> Path:
        path = self.var / "log" / f"{name}.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _stage(self, words: str, work: Callable[[], None]) -> None:
        begun = time.monotonic()
        work()
        self.say(f"{words} ({time.monotonic() - begun:.0f} s)")

    def _wait_for(self, url: str) -> None:
        until = time.monotonic() + READY_SECONDS
        while time.monotonic() < until:
            self.watch()
            try:
                with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - loopback
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        raise StackError(f"the site did not answer at {url}; see {self._log('web')}")

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
