"""Named points at which a test may kill the process or run a hook.

Every point lies between two steps that a crash can separate. Without a hook and
without COLOPHON_CRASH_AT a point does nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable

POINTS = frozenset(
    {
        "before_sign",
        "after_sign",
        "after_send",
        "before_final",
        "after_replace",
        "after_deploy",
    }
)
CRASH_STATUS = 137
_hooks: dict[str, Callable[[], None]] = {}


def point(name: str) -> None:
    """Runs the hook of this point, or ends the process when told to crash here."""
    assert name in POINTS, name
    if hook := _hooks.get(name):
        hook()
    if os.environ.get("COLOPHON_CRASH_AT") == name:
        os._exit(CRASH_STATUS)


def hook(name: str, act: Callable[[], None] | None) -> None:
    """Sets the hook of a point; None removes it. For tests."""
    assert name in POINTS, name
    if act is None:
        _hooks.pop(name, None)
    else:
        _hooks[name] = act
