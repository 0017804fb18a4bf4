"""`var/run.json`: where a running stack listens, so that a second start finds it."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

NAME = "run.json"


def write(var: Path, *, url: str, ports: Mapping[str, int]) -> None:
    """Say that this process runs a stack in `var`."""
    path = var / NAME
    part = path.with_suffix(".part")
    found = {"url": url, "pid": os.getpid(), "ports": dict(sorted(ports.items()))}
    part.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    part.replace(path)


def remove(var: Path) -> None:
    """This process runs no stack any more."""
    (var / NAME).unlink(missing_ok=True)


def running(var: Path) -> str:
    """Address of the live site of a stack in `var`; empty when there is none.

    A file that a crash left behind is told by its supervisor being gone or its site
    being silent, and counts for nothing.
    """
    try:
        found: dict[str, Any] = json.loads((var / NAME).read_text(encoding="utf-8"))
        url, pid = str(found["url"]), int(found["pid"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return url if _alive(pid) and _answers(f"{url}/healthz") else ""


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=3) as answer:  # noqa: S310 - loopback
            return bool(answer.status == 200)  # noqa: PLR2004
    except (urllib.error.URLError, OSError, ValueError):
        return False
