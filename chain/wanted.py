"""Questions that the timetable asks before it fires: is there anything to do?"""

from __future__ import annotations

from chain.anchor import wanted as anchor_wanted
from chain.models import Intent, Network

__all__ = ["anchor_wanted", "is_deployed", "under_way"]


def under_way() -> bool:
    """Whether an intent is between its signature and its finality."""
    return Intent.objects.filter(state__in=Intent.UNDER_WAY).exists()


def is_deployed() -> bool:
    """Whether this database knows a chain to follow."""
    return Network.objects.exists()
