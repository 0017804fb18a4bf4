"""The brake: what the chain had called final was taken back, so settling stops.

Intents of kinds that settle wait while it is on. A person looks, and lets it go with
`manage.py chain_intent --resume`.
"""

from __future__ import annotations

import logging

from django.utils import timezone

from chain.models import Network

log = logging.getLogger(__name__)


def halt(reason: str) -> None:
    """Pulls the brake; the first reason stays. Inside the caller's transaction."""
    log.critical("chain.halted", extra={"why": reason})
    Network.objects.filter(halted_at__isnull=True).update(
        halted_at=timezone.now(), halted_reason=reason
    )


def resume() -> bool:
    """Lets it go; says whether it was on."""
    found = Network.objects.filter(halted_at__isnull=False)
    return bool(found.update(halted_at=None, halted_reason=""))
