"""Exit 0 when workers and relay have fresh heartbeats: the containers' health check."""

from __future__ import annotations

import os
import sys

STALE_SECONDS = 60


def main() -> int:
    """Look at the heartbeat rows; nothing is asked of the broker."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    from outbox.health import processes

    return 0 if any(not one.is_stale for one in processes(STALE_SECONDS)) else 1


if __name__ == "__main__":
    sys.exit(main())
