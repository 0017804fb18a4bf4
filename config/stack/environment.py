"""The settings of a stack on this machine, as its processes read them."""

from __future__ import annotations

import os
from pathlib import Path

OURS = ("COLOPHON_", "DATABASE_URL")


def environment_of(var: Path, url: str) -> dict[str, str]:
    """What every process of the stack gets, over the caller's own environment.

    Args:
        var: folder of its data, keys and logs.
        url: address of its site.
    """
    quick = {
        "COLOPHON_CHALLENGE_WINDOW": "5",
        "COLOPHON_REFUND_DELAY": "10",
        "COLOPHON_SETTLE_SECONDS": "10",
        "COLOPHON_CHECKPOINT_SECONDS": "2",
        "COLOPHON_POLL_SECONDS": "1",
    }
    own = {
        "COLOPHON_VAR": str(var),
        "COLOPHON_DEMO": "1",
        "COLOPHON_SITE_URL": url,
        # of this stack alone, whatever a .env file says of a deployment
        "COLOPHON_ALLOWED_HOSTS": "127.0.0.1,localhost",
        "COLOPHON_TRUSTED_ORIGINS": url,
        "COLOPHON_BEHIND_PROXY": "0",
        "COLOPHON_SECURE": "0",
        "COLOPHON_DEBUG": "0",
        "COLOPHON_CHAIN_PUBLIC": "0",
        "COLOPHON_KEYS": str(var / "secrets" / "keys"),
        "COLOPHON_STATIC_ROOT": str(var / "static"),
        "DATABASE_URL": f"sqlite:///{var / 'colophon.sqlite3'}",
        "COLOPHON_AUTHORITIES": str(var / "secrets" / "authorities"),
        "COLOPHON_LOG_LEVEL": "WARNING",
        # Celery's word of caution to root, which containers are
        "C_FORCE_ROOT": "1",
        # two cores are shared by all processes: no linear algebra on each
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "PYTHONUNBUFFERED": "1",
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not (name.startswith(OURS) and name.endswith("_FILE"))
    }
    inherited.setdefault("COLOPHON_RPC_URLS", "")
    return {**inherited, **quick, **own}
