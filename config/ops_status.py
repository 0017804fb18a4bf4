"""What an operator has to know, from rows alone: nothing here asks Redis or a node."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, F, Min, Q, Sum
from django.utils import timezone

from chain.models import Intent, Network
from log.models import Checkpoint, Entry, Head
from marketplace.models import License
from outbox import health
from outbox.models import Job
from provenance.heads import newest_final, witnesses
from provenance.models import Anchor
from royalties.due import overdue, unclosed_fees
from royalties.models import Payout, Settlement, Tally
from royalties.paid import unanswered
from royalties.verify import Answer, verify

PARKED_SHOWN = 50
STUCK_SHOWN = 20
ANSWERED_WITHIN = timedelta(minutes=10)
NOT_SENT = (Intent.State.QUEUED, Intent.State.SIGNED)


def jobs() -> dict[str, Any]:
    """Counts, the oldest due job, depth by kind, and what is parked."""
    live = Q(done_at__isnull=True, parked_at__isnull=True)
    now = timezone.now()
    kinds = (
        Job.objects.filter(live | Q(parked_at__isnull=False))
        .values("kind", "queue")
        .annotate(
            due=Count("pk", filter=live & Q(due_at__lte=now)),
            later=Count("pk", filter=live & Q(due_at__gt=now)),
            parked=Count("pk", filter=Q(parked_at__isnull=False)),
            oldest=Min("due_at", filter=live & Q(due_at__lte=now)),
        )
        .order_by("-due", "kind")
    )
    return {
        "counts": health.counts(),
        "oldest": timedelta(seconds=int(health.oldest_pending_seconds())),
        "kinds": list(kinds),
        "parked": health.parked()[:PARKED_SHOWN],
    }


def log() -> dict[str, Any]:
    """Size, what waits, the newest checkpoint, and how far the anchor is behind."""
    head = Head.objects.first()
    size = head.size if head else 0
    checkpoint = Checkpoint.objects.order_by("-size").first()
    anchor = (
        Anchor.objects.select_related("checkpoint")
        .order_by("-checkpoint__size")
        .first()
    )
    return {
        "size": size,
        "pending": Entry.objects.filter(index__isnull=True).count(),
        "checkpoint": checkpoint,
        "uncovered": size - (checkpoint.size if checkpoint else 0),
        "anchor": anchor,
        "unanchored": size - (anchor.checkpoint.size if anchor else 0),
        "final": newest_final(),
        "witnesses": witnesses(),
    }


def chain() -> dict[str, Any]:
    """The network row, intents by kind and state, those that need a person or wait."""
    open_intents = Intent.objects.exclude(state__in=Intent.DONE)
    states = (
        Intent.objects.values("kind", "state")
        .annotate(count=Count("pk"))
        .order_by("kind", "state")
    )
    return {
        "network": Network.objects.first(),
        "states": list(states),
        "open": open_intents.count(),
        "stuck": open_intents.filter(state=Intent.State.NEEDS_HUMAN)[:STUCK_SHOWN],
        "waiting": open_intents.filter(state__in=NOT_SENT).exclude(error="")[
            :STUCK_SHOWN
        ],
        "oldest": open_intents.aggregate(at=Min("created_at"))["at"],
    }


def money() -> dict[str, Any]:
    """What waits to be settled or paid, the last settlement, and the ledger's state."""
    backed = License.objects.backed()  # nothing else is ever settled
    used = Tally.objects.aggregate(
        total=Sum(F("usage_units") - F("closed_units"), filter=Q(license__in=backed)),
        unfunded=Sum("unfunded_units"),
    )
    fees = unclosed_fees(backed).aggregate(total=Sum("price_units"))
    newest = Settlement.objects.order_by("-epoch").first()
    now = timezone.now()
    return {
        "unsettled_units": int(used["total"] or 0) + int(fees["total"] or 0),
        "unfunded_units": int(used["unfunded"] or 0),
        "settlement": newest,
        "overdue": overdue(now),
        "unanswered": unanswered(before=now - ANSWERED_WITHIN).count(),
        "payouts": _payouts(),
        "ledger": ledger(),
    }


def _payouts() -> list[Any]:
    rows = Payout.objects.values("state").annotate(
        count=Count("pk"), units=Sum("units")
    )
    return list(rows.order_by("state"))


def ledger() -> list[Answer]:
    """The quick invariants, asked now."""
    return list(verify(quick=True))


def late(moment: datetime | None, seconds: float) -> bool:
    """Whether something that happens regularly is overdue."""
    return moment is None or timezone.now() - moment > timedelta(seconds=seconds)
