"""Want the newest head of the log on the chain, one anchor at a time.

The intent names no head: the sender binds it to the newest one at the moment of
signing, so a slow chain never anchors what is already old.
"""

from __future__ import annotations

from django.db import transaction

from chain.intend import intend
from chain.kinds import LEDGER
from chain.models import Event, Intent, Network
from log.models import Checkpoint
from outbox.claims import Claim

KIND = "anchor"


def wanted() -> bool:
    """Whether a head is newer than what is anchored or under way."""
    newest = Checkpoint.objects.order_by("-size").first()
    if newest is None or not Network.objects.exists():
        return False
    open_states = (Intent.State.QUEUED, *Intent.UNDER_WAY)
    if Intent.objects.filter(kind=KIND, state__in=open_states).exists():
        return False
    return newest.size > _anchored()


def anchor(*, claim: Claim | None = None) -> Intent | None:
    """Intends an anchor when a newer head waits and none is under way.

    Writes: Intent, Job. Lock: unique Intent.key.
    """
    with transaction.atomic():
        if claim:
            claim.hold()
        if not wanted():
            return None
        size = Checkpoint.objects.order_by("-size")[0].size
        before = Intent.objects.filter(key__startswith=f"{KIND}:{size}:").count()
        return intend(KIND, {}, key=f"{KIND}:{size}:{before}")


def _anchored() -> int:
    """The largest size on the chain, as far as this database has seen."""
    seen = Event.objects.filter(
        contract=LEDGER, name="Anchored", removed_at__isnull=True
    ).order_by("-block_number", "-log_index")
    sent = Intent.objects.filter(kind=KIND, state=Intent.State.FINAL).order_by("-id")
    args = [rows.values_list("args", flat=True).first() for rows in (seen, sent)]
    return max(int(one["size"]) if one else 0 for one in args)
