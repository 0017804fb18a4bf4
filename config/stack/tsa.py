"""`python -m config.stack.tsa`: the demo's time-stamp authority, without Django.

The same server as `manage.py tsa`; a process that imports no framework starts in a
third of the time.
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path
from types import FrameType

from colophon.authority import make_authorities
from log import tsa


def main() -> int:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    options = parser.parse_args()
    files = make_authorities(options.folder).tsa
    server = tsa.server(tsa.load(files.chain, files.key), options.port)
    signal.signal(signal.SIGTERM, _end)
    with server:
        server.serve_forever()
    return 0


def _end(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)


if __name__ == "__main__":
    sys.exit(main())
