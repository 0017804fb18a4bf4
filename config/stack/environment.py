"""The settings of a stack on this machine, as its processes read them."""

from __future__ import annotations

import os
from pathlib import Path


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
    }
    own = {
        "COLOPHON_VAR": str(var),
        "COLOPHON_DEMO": "1",
        "COLOPHON_SITE_URL": url,
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
    return {**os.environ, **quick, **own}
