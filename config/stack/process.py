"""One supervised child process: own group, own log file, restarted when it dies."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

STOP_SECONDS = 12.0
TAIL_LINES = 15
TAIL_BYTES = 64 * 1024
MAX_RESTARTS = 5
RESTART_WINDOW_SECONDS = 60.0


class StackError(Exception):
    """Something did not start or did not stay; the message says what and where."""


def end_with_parent() -> list[str]:
    """Where util-linux is there: a child ends when its supervisor is killed."""
    wrapper = shutil.which("setpriv")
    return [wrapper, "--pdeathsig", "TERM"] if wrapper else []


def tail(log: Path) -> str:
    """The last lines of a log file, indented."""
    if not log.is_file():
        return "    (no output)"
    with log.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - TAIL_BYTES))
        lines = file.read().decode(errors="replace").splitlines()[-TAIL_LINES:]
    return "\n".join(f"    {line}" for line in lines) or "    (no output)"


@dataclass
class Process:
    """A child that runs until it is told to stop.

    Attributes:
        name: short, also the name of its log file.
        command: argv.
        environment: the whole environment of the child.
        log: file that its output is appended to.
        folder: that it works in.
        keep: start it again when it dies by itself.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    folder: Path
    keep: bool = True
    _child: subprocess.Popen[bytes] | None = None
    _restarts: list[float] = field(default_factory=list)

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child else None

    @property
    def status(self) -> int | None:
        """Its exit status; None while it runs or before it started."""
        return self._child.poll() if self._child else None

    def start(self) -> None:
        """Start it in a process group of its own. Call from the main thread.

        A Ctrl-C in the terminal reaches the supervisor alone, which stops the
        children in order.
        """
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as out:
            self._child = subprocess.Popen(  # noqa: S603 - our own commands
                [*end_with_parent(), *self.command],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env=dict(self.environment),
                cwd=self.folder,
                start_new_session=True,
            )

    def watch(self, say: Callable[[str], None] | None = None) -> None:
        """Restart it if it died; give up after a few times a minute.

        Args:
            say: told how it died, with its last lines, before the restart.

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
        if say is not None:
            say(f"{self.obituary()}\n  starting {self.name} again")
        self._restarts.append(now)
        self.start()

    def ended(self) -> bool:
        """Whether it is not running."""
        return self._child is None or self._child.poll() is not None

    def ask_to_stop(self) -> None:
        """Send SIGTERM; returns at once. It stops its own children."""
        if self._child is None or self._child.poll() is not None:
            return
        self._child.send_signal(signal.SIGTERM)

    def wait_or_kill(self, until: float) -> None:
        """Wait for its end until a monotonic moment, then kill its group."""
        if self._child is None:
            return
        with suppress(subprocess.TimeoutExpired):
            self._child.wait(max(until - time.monotonic(), 0.1))
        self.kill()

    def kill(self) -> None:
        """End whatever is left of its group at once."""
        if self._child is None:
            return
        try:
            os.killpg(self._child.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        finally:
            self._child.wait()

    def obituary(self) -> str:
        """How it ended and its last lines."""
        return (
            f"{self.name} ended with status {self.status}; {self.log}:\n"
            f"{tail(self.log)}"
        )
