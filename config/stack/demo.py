"""`make demo`: start everything, fill it once, say where to go, stop on Ctrl-C."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import NoReturn

from config.stack import banner, ports, runfile
from config.stack.process import Process, StackError
from config.stack.stack import ROOT, Stack

STAGES = 7
FIRST_STAGE = 4  # the stages before are those of config/first_run.py
POLL_SECONDS = 0.25
# written by `manage.py seed`: the pages have content, and everything is done
READY, FILLED = "seeding-ready", "seeded"


@dataclass
class DemoStack(Stack):
    """The stack with numbered, ticked lines."""

    stage: int = FIRST_STAGE

    def done(self, words: str, seconds: float) -> None:
        self.say(banner.stage(self.stage, STAGES, words, seconds))
        self.stage += 1


@dataclass
class Demo:
    """A demo that runs until it is told to stop.

    Attributes:
        var: folder of its data.
        asked: port that the site must have; None takes the next free one.
        begun: monotonic moment of the first line.
    """

    var: Path
    asked: int | None = None
    begun: float = field(default_factory=time.monotonic)
    stack: DemoStack = field(init=False)
    seed: Process | None = None
    painter: Process | None = None
    _stopping: bool = False

    def run(self) -> int:
        """Start, show the banner, wait; returns the exit status."""
        if url := runfile.running(self.var):
            say(f"Colophon is already running at {url}/")
            return 0
        try:
            with self.up():
                self.show()
                self.wait()
        except KeyboardInterrupt:
            return 0

    @contextlib.contextmanager
    def up(self) -> Iterator[DemoStack]:
        """The stack started and seeded; stopped at the end, however it comes.

        Raises:
            StackError: a part did not start.
        """
        port, words = ports.web_port(self.asked)
        if words:
            say(f"  {words}")
        self.stack = DemoStack(self.var, port, say, warn=warn)
        with self._signals():
            try:
                self._draw()
                self.stack.start()
                runfile.write(self.var, url=self.stack.url, ports=self.stack.used_ports)
                self._fill()
                yield self.stack
            finally:
                self._stop()

    def show(self) -> None:
        """The banner."""
        seconds = time.monotonic() - self.begun
        say(banner.welcome(self.stack, first_run=self.seed is not None, took=seconds))

    def wait(self) -> NoReturn:
        """Watch the processes until a signal comes.

        Raises:
            StackError: one keeps dying.
            KeyboardInterrupt: the first Ctrl-C or SIGTERM.
        """
        while True:
            self.stack.watch()
            self._watch_seed()
            time.sleep(POLL_SECONDS)

    def wait_for_seed(self) -> None:
        """Until the demo content is complete, its late parts too.

        Raises:
            StackError: seeding failed, or something keeps dying.
        """
        while self.seed is not None and not self.seed.ended():
            self.stack.watch()
            time.sleep(POLL_SECONDS)
        if self.seed is not None and self.seed.status:
            raise StackError(self.seed.obituary())

    @property
    def _is_filled(self) -> bool:
        return (self.var / FILLED).is_file()

    def _draw(self) -> None:
        """Draw the works' first pictures while the rest starts."""
        if self._is_filled:
            return
        self.painter = Process(
            "grounds",
            [
                sys.executable,
                "-m",
                "config.seed.grounds",
                str(self.var / "studio" / "grounds"),
            ],
            {**os.environ, "OPENBLAS_NUM_THREADS": "1"},
            self.stack.log_of("grounds"),
            ROOT,
        )
        self.painter.start()

    def _fill(self) -> None:
        """Seed what no earlier start seeded; returns when the pages are full."""
        begun = time.monotonic()
        if self._is_filled:
            return
        ready = self.var / READY
        ready.unlink(missing_ok=True)
        self.seed = Process(
            "seed",
            self.stack.command("manage.py", "seed"),
            dict(self.stack.environment),
            self.stack.log_of("seed"),
            ROOT,
        )
        self.seed.start()
        while not ready.is_file():
            self.stack.watch()
            if self.seed.ended() and not ready.is_file():
                raise StackError(self.seed.obituary())
            time.sleep(POLL_SECONDS)
        self.stack.done("Demo content", time.monotonic() - begun)

    def _watch_seed(self) -> None:
        """Say once how the late parts of the seeding ended."""
        if self.seed is None or not self.seed.ended():
            return
        if self.seed.status:
            warn(f"{self.seed.obituary()}\n  the next start goes on with it")
        self.seed = None

    def _stop(self) -> None:
        self._stopping = True
        say("\nStopping … (Ctrl-C again ends everything at once)")
        for process in (self.painter, self.seed):
            if process is not None:
                process.kill()
        self.stack.stop()
        runfile.remove(self.var)
        say("Stopped.")

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        """The first Ctrl-C (or SIGTERM) stops in order, the second at once."""

        def handle(number: int, _: FrameType | None) -> None:
            if not self._stopping:
                self._stopping = True
                raise KeyboardInterrupt
            if self.seed is not None:
                self.seed.kill()
            self.stack.kill()
            runfile.remove(self.var)
            os._exit(128 + number)

        before = {
            number: signal.signal(number, handle)
            for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            yield
        finally:
            for number, old in before.items():
                signal.signal(number, old)


def say(words: str) -> None:
    """A line for the person at the terminal."""
    print(words, flush=True)  # noqa: T201


def warn(words: str) -> None:
    """A line that should not be missed."""
    print(f"\n  {words}\n", file=sys.stderr, flush=True)  # noqa: T201
