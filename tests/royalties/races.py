"""Acts that begin at once, each in a thread and on a connection of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from django.db import connections

from accounts.models import Party
from tests.cast import open_user, party_of

PATIENCE_SECONDS = 60


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """What each act gave, or the error it ended with, in the order of the acts."""
    found: list[Any] = [None] * len(acts)
    gate = threading.Barrier(len(acts))

    def run(at: int, act: Callable[[], Any]) -> None:
        try:
            gate.wait(PATIENCE_SECONDS)
            found[at] = act()
        except Exception as error:  # noqa: BLE001 - the test looks at what it was
            found[at] = error
        finally:
            connections.close_all()

    threads = [
        threading.Thread(target=run, args=(at, act)) for at, act in enumerate(acts)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    return found


def people() -> tuple[Party, Party, Party]:
    """Ada, Mia and Ben, in a test without the cast's transaction."""
    ada, mia, ben = (open_user(name) for name in ("Ada", "Mia", "Ben"))
    return party_of(ada), party_of(mia), party_of(ben)
