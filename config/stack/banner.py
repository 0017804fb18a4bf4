"""What `make demo` prints: one ticked line a stage, then where to go."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from config.stack.stack import Stack

WIDTH = 44


def stage(number: int, of: int, words: str, seconds: float) -> str:
    """One finished stage of the start."""
    return f"  [{number}/{of}] {words:<{WIDTH}} ✓ {seconds:5.1f} s"


def welcome(stack: Stack, *, first_run: bool, took: float) -> str:
    """Addresses, people and files of a running demo.

    Args:
        first_run: whether the content was made just now.
        took: seconds from the first line to this one.
    """
    kind = "first run" if first_run else "start"
    files = stack.var / "demo"
    lines = [
        "",
        f"Colophon is running{' ' * 34}({kind}: {took:.0f} s)",
        f"  Explore      {stack.url}/",
        f"  Verify       {stack.url}/verify      ← drop {files}/tampered.jpg there",
        f"  Sign in      {stack.url}/accounts/login/   one click for each role:",
        *(f"               {words}" for words in people()),
        f"  Try          {files}/: genuine.jpg resized.jpg stripped.png",
        "               tampered.jpg foreign.jpg   (see README.md)",
        f"  Chain        {_chain(stack)}",
    ]
    if first_run:
        lines.append("  Payments of the demo content settle in the next minute.")
    lines += [
        f"Ctrl-C stops everything · data and logs in {stack.var} · reset: make reset",
        "",
    ]
    return "\n".join(lines)


def people() -> list[str]:
    """The roles that one click signs in as (accounts/demo.py), two a line."""
    names = (
        "Ada (creator)",
        "Ben (buyer)",
        "Mia (model owner)",
        "Dan (data set owner)",
        "Cora (certifier)",
        "Remy (second certifier)",
    )
    return [" · ".join(names[at : at + 3]) for at in range(0, len(names), 3)]


def _chain(stack: Stack) -> str:
    if stack.chain is None and stack.no_chain:
        return f"none ({stack.no_chain}); anchors and payments stay queued"
    if stack.chain is None:
        return stack.environment.get("COLOPHON_RPC_URLS", "none")
    return f"{stack.chain.url}   a local test network; nothing on it has value"
