"""`python -m config.stack.witness`: the demo's witness, as a process of its own.

The same server as `colophon witness serve`, without the other commands: it starts in a
fraction of the time.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from colophon.witness import Witness
from colophon.witness_serve import serve


def main() -> int:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    options = parser.parse_args()
    serve(Witness.open(options.folder), options.port)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
