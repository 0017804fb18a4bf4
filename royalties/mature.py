"""Follow a settlement from its commit to the end of its challenge window."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from chain.models import Intent
from outbox.claims import Claim
from outbox.enqueue import enqueue
from royalties.models import Settlement


def mark_committed(
    *, settlement_pk: int, block_at: datetime, claim: Claim | None = None
) -> Settlement:
    """The commit is final: the window runs from its block's time.

    Writes: Settlement. Lock: its row.
    """
    with transaction.atomic(durable=True):
        if claim:
            claim.hold()
        row = Settlement.objects.select_for_update().get(pk=settlement_pk)
        if row.state == Settlement.State.BUILT:
            row.state = Settlement.State.COMMITTED
            row.committed_at = block_at
            window = timedelta(seconds=settings.CHALLENGE_WINDOW_SECONDS)
            row.matures_at = block_at + window
            row.save()
    return row


def mark_vetoed(*, epoch: int, claim: Claim | None = None) -> None:
    """The guardian dropped a root: its increments are closed again by nobody.

    The settlement stays as a record; the next one starts from the same totals,
    since entitlements are cumulative.

    Writes: Settlement. Lock: its row.
    """
    with transaction.atomic(durable=True):
        if claim:
            claim.hold()
        Settlement.objects.filter(epoch=epoch, state__in=["built", "committed"]).update(
            state=Settlement.State.VETOED
        )


def mature_due(*, chain_time: datetime, claim: Claim | None = None) -> int:
    """Settlements whose window is over can be paid; returns how many.

    Args:
        chain_time: the newest block's time, the only clock the contract knows.

    Writes: Settlement, one `payouts.push` job each.
    """
    count = 0
    with transaction.atomic(durable=True):
        if claim:
            claim.hold()
        rows = Settlement.objects.select_for_update().filter(
            state=Settlement.State.COMMITTED, matures_at__lt=chain_time
        )
        for row in rows:
            if row.intent is None or row.intent.state != Intent.State.FINAL:
                continue
            row.state = Settlement.State.MATURED
            row.save(update_fields=["state"])
            enqueue(
                "payouts.push", key=f"push:{row.epoch}", payload={"settlement": row.pk}
            )
            count += 1
    return count
