"""`make demo-check`: the demo unattended, every page and every sample file."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from config.stack import ports
from config.stack.demo import Demo, say
from config.stack.process import StackError
from config.stack.stack import ROOT, Stack

# What `colophon verify` must answer (docs/cli.md): genuine, altered, nothing on
# record (or: looks like), nothing on record, intact but of another signer.
EXPECTED = {
    "genuine.jpg": (0,),
    "tampered.jpg": (1,),
    "stripped.png": (2, 3),
    "resized.jpg": (2, 3),
    "foreign.jpg": (4,),
}


@dataclass
class Checked:
    """What was seen, in order."""

    problems: list[str] = field(default_factory=list)

    def look(self, words: str, work: Callable[[], str]) -> None:
        """One look; a StackError in it is a problem, and the next look follows."""
        begun = time.monotonic()
        try:
            found, mark = work(), "✓"
        except StackError as error:
            found, mark = str(error), "✗"
            self.problems.append(words)
        say(f"  {mark} {words} ({time.monotonic() - begun:.0f} s): {found}")


def check(var: Path) -> int:
    """Start on a free port in a scratch folder, seed, visit, verify, stop.

    The folder stays when something was wrong, for its logs.

    Raises:
        StackError: the demo did not start.
    """
    shutil.rmtree(var, ignore_errors=True)
    begun = time.monotonic()
    demo, checked = Demo(var, ports.any_free()), Checked()
    with demo.up() as stack:
        say(f"  ready after {time.monotonic() - begun:.0f} s")
        checked.look("all content", lambda: _wait(demo))
        checked.look("every page", lambda: _visit(stack))
        checked.look("sample files", lambda: _verify(stack))
        checked.look("the log from outside", lambda: _log(stack))
        checked.look("processes", lambda: _alive(stack))
    took = time.monotonic() - begun
    if checked.problems:
        say(f"demo-check failed after {took:.0f} s: {', '.join(checked.problems)}")
        return 1
    shutil.rmtree(var, ignore_errors=True)
    say(f"demo-check passed in {took:.0f} s")
    return 0


def _wait(demo: Demo) -> str:
    demo.wait_for_seed()
    lines = demo.stack.log_of("seed").read_text().splitlines()
    return "; ".join(line.strip() for line in lines)


def _visit(stack: Stack) -> str:
    found = json.loads(stack.manage("visit", stack.url))
    answers = ", ".join(
        f"{count} of {code}" for code, count in found["answers"].items()
    )
    return f"{found['addresses']} addresses, {len(found['roles'])} roles: {answers}"


def _verify(stack: Stack) -> str:
    """Pin the trust file, then judge every sample by it."""
    trust = stack.var / "trust.json"
    trust.unlink(missing_ok=True)
    _cli(stack, "trust", "fetch", stack.url, "-o", str(trust))
    answers: dict[str, int] = {}
    for name in EXPECTED:
        path = stack.var / "demo" / name
        answers[name] = _cli(
            stack, "verify", str(path), "--trust", str(trust), expected=None
        )
    wrong = {name: code for name, code in answers.items() if code not in EXPECTED[name]}
    if wrong:
        raise StackError(f"wrong answers {wrong}, expected {EXPECTED}")
    return ", ".join(f"{name} {code}" for name, code in answers.items())


def _log(stack: Stack) -> str:
    _cli(stack, "log", "check", f"{stack.url}/log")
    return "consistent"


def _alive(stack: Stack) -> str:
    stack.watch()
    return f"{len(stack.processes)} running"


def _cli(stack: Stack, *words: str, expected: int | None = 0) -> int:
    """Run `colophon` as anyone would; its exit status."""
    environment: dict[str, Any] = {
        **stack.environment,
        "COLOPHON_HOME": str(stack.var / "visitor"),
    }
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "colophon.cli", *words],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if expected is not None and done.returncode != expected:
        raise StackError(
            f"colophon {' '.join(words[:2])} ended with {done.returncode}:\n"
            f"{done.stdout[-1500:]}\n{done.stderr[-1500:]}"
        )
    return done.returncode
