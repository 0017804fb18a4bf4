"""One supervised child process: own group, own log file, restarted when it dies."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

STOP_SECONDS = 12.0
TAIL_LINES = 15
MAX_RESTARTS = 5
RESTART_WINDOW_SECONDS = 60.0


class StackError(Exception):
    """Something did not start or did not stay; the message says what and where."""


@dataclass
class Process:
    """A child that runs until it is told to stop.

    Attributes:
        name: short, also the name of its log file.
        command: argv.
        environment: the whole environment of the child.
        log: file that its output is appended to.
        keep: start it again when it dies by itself.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    keep: bool = True
    _child: subprocess.Popen[bytes] | None = None
    _restarts: list[float] = field(default_factory=list)

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child else None

    def start(self) -> None:
        """Start it in a process group of its own."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as out:
            self._child = subprocess.Popen(  # noqa: S603 - our own commands
                list(self.command),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env=dict(self.environment),
                start_new_session=True,
            )

    def watch(self) -> None:
        """Restart it if it died; give up after a few times a minute.

        Raises:
            StackError: it keeps dying, or is not to be kept.
        """
        if self._child is None or self._child.poll() is None:
            return
        now = time.monotonic()
        self._restarts = [
            at for at in self._restarts if now - at < RESTART_WINDOW_SECONDS
        ]
        if not self.keep or len(self._restarts) >= MAX_RESTARTS:
            raise StackError(self.obituary())
        self._restarts.append(now)
        self.start()

    def ended(self) -> bool:
        """Whether it is not running."""
        return self._child is None or self._child.poll() is not None

    def ask_to_stop(self) -> None:
        """Send SIGTERM to its group; returns at once."""
        self._signal(signal.SIGTERM)

    def wait_or_kill(self, until: float) -> None:
        """Wait for its end until a monotonic moment, then kill its group."""
        if self._child is None:
            return
        try:
            self._child.wait(max(until - time.monotonic(), 0.1))
        except subprocess.TimeoutExpired:
            self._signal(signal.SIGKILL)
            self._child.wait()

    def obituary(self) -> str:
        """How it ended and its last lines."""
        code = self._child.poll() if self._child else None
        lines = self.log.read_text(errors="replace").splitlines()[-TAIL_LINES:]
        shown = "\n".join(f"    {line}" for line in lines)
        return f"{self.name} ended with status {code}; {self.log}:\n{shown}"

    def _signal(self, number: signal.Signals) -> None:
        if self._child is None or self._child.poll() is not None:
            return
        try:
            os.killpg(self._child.pid, number)
        except ProcessLookupError:
            return
