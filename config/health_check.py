"""`python -m config.health_check PROCESS`: exit 0 when it is well; for containers.

`web` is asked over HTTP. A worker or the relay is well when its heartbeat row is
fresh: nothing is asked of the broker (DESIGN §7). Loads no Django, so that asking
every few seconds costs little.
"""

from __future__ import annotations

import os
import socket
import sys
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

from outbox import STALE_SECONDS

TIMEOUT_SECONDS = 4
OK = 200
BEAT = """
    SELECT EXTRACT(EPOCH FROM now() - beat_at)
    FROM outbox_heartbeat WHERE process = %s
"""


def main() -> int:
    """Check the named process; says why when it is not well."""
    name = sys.argv[1] if len(sys.argv) > 1 else "web"
    why = _web() if name == "web" else _heartbeat(_full(name))
    if why:
        print(f"{name}: {why}", file=sys.stderr)  # noqa: T201
    return 1 if why else 0


def _web() -> str:
    """Why the site does not answer as its own host over TLS; empty when it does."""
    port = os.environ.get("PORT", "8000")
    host = urlsplit(os.environ.get("COLOPHON_SITE_URL", "")).netloc or "localhost"
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/healthz",
        headers={"Host": host, "X-Forwarded-Proto": "https"},
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
            return "" if answer.status == OK else f"answers {answer.status}"
    except (urllib.error.URLError, OSError) as error:
        return str(error)


def _full(name: str) -> str:
    """`worker:media` is this container's worker; the relay has no host in its name."""
    return f"{name}@{socket.gethostname()}" if name.startswith("worker:") else name


def _heartbeat(process: str) -> str:
    """Why the heartbeat of a process is not fresh; empty when it is."""
    import psycopg

    try:
        with psycopg.connect(_database(), connect_timeout=TIMEOUT_SECONDS) as link:
            row = link.execute(BEAT, (process,)).fetchone()
    except psycopg.Error as error:
        return f"the database does not answer: {error}"
    if row is None:
        return "has never beaten"
    age = float(row[0])
    return "" if age <= STALE_SECONDS else f"last beat {age:.0f} s ago"


def _database() -> str:
    """The database's address, from the variable or the file that it names."""
    if path := os.environ.get("DATABASE_URL_FILE"):
        return Path(path).read_text(encoding="utf-8").strip()
    return os.environ["DATABASE_URL"]


if __name__ == "__main__":
    sys.exit(main())
