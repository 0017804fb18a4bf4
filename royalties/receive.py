"""Take reported uses: committed before the answer, each (license, id) once for ever."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction

from accounts.models import Party
from colophon import merkle
from colophon.cloudevent import MAX_EVENTS, Use
from colophon.digest import canonical
from marketplace.models import License
from outbox.enqueue import enqueue
from royalties.errors import ConflictingEventError, UnknownLicenseError, UsageError
from royalties.models import UsageBatch, UsageEvent

ATTEMPTS = 3


@dataclass(frozen=True)
class Received:
    """The answer for one event: where it is, and whether it was there before."""

    event_id: str
    row: UsageEvent
    is_new: bool


def receive(*, uses: Sequence[Use], party: Party) -> list[Received]:
    """Commit the raw events of one request and one `usage.record` job per batch.

    One batch is made per license named in the request. An event that was reported
    before with the same body gets its first answer; with another body nothing of
    the request is kept.

    Writes: UsageBatch, UsageEvent, Job. Lock: none, unique (license, event_id).

    Raises:
        UsageError: too many events.
        UnknownLicenseError: a license that is not the party's.
        ConflictingEventError: an event id was used before with another body.
    """
    if not 1 <= len(uses) <= MAX_EVENTS:
        raise UsageError(f"has {len(uses)} events, expected 1 to {MAX_EVENTS}")
    licenses = _licenses(uses, party)
    unique = _without_repeats(uses)
    for _ in range(ATTEMPTS):
        try:
            return _commit(unique, licenses)
        except IntegrityError:
            continue  # another request committed one of these ids: read its row
    return _commit(unique, licenses)


def _licenses(uses: Sequence[Use], party: Party) -> dict[str, License]:
    """The party's licenses that the events name."""
    codes = {use.license for use in uses}
    found = {row.code: row for row in License.objects.filter(code__in=codes)}
    for use in uses:
        row = found.get(use.license)
        if row is None or row.buyer_id != party.pk:
            raise UnknownLicenseError(use.at)
    return found


def _without_repeats(uses: Sequence[Use]) -> list[Use]:
    """The events without exact repeats inside the request."""
    seen: dict[tuple[str, str], Use] = {}
    for use in uses:
        first = seen.setdefault((use.license, use.event_id), use)
        if first.digest != use.digest:
            raise ConflictingEventError(use.event_id, use.at)
    return list(seen.values())


def _commit(uses: list[Use], licenses: dict[str, License]) -> list[Received]:
    with transaction.atomic(durable=True):
        known = _known(uses, licenses)
        fresh: dict[str, list[Use]] = defaultdict(list)
        answers: list[Received] = []
        for use in uses:
            row = known.get((licenses[use.license].pk, use.event_id))
            if row is None:
                fresh[use.license].append(use)
            elif bytes(row.digest) != use.digest:
                raise ConflictingEventError(use.event_id, use.at)
            else:
                answers.append(Received(use.event_id, row, is_new=False))
        for code, group in sorted(fresh.items()):
            answers += _batch(licenses[code], group)
    return answers


def _known(
    uses: list[Use], licenses: dict[str, License]
) -> dict[tuple[int, str], UsageEvent]:
    rows = UsageEvent.objects.filter(
        license__in={row.pk for row in licenses.values()},
        event_id__in={use.event_id for use in uses},
    ).select_related("batch")
    return {(row.license_id, row.event_id): row for row in rows}


def _batch(license_row: License, group: list[Use]) -> list[Received]:
    """One batch of new events of one license."""
    batch = UsageBatch.objects.create(
        license=license_row,
        root=merkle.root([merkle.leaf_hash(canonical(use.body)) for use in group]),
        count=len(group),
    )
    rows = UsageEvent.objects.bulk_create(
        UsageEvent(
            batch=batch,
            position=position,
            license=license_row,
            event_id=use.event_id,
            body=use.body,
            digest=use.digest,
            quantity=use.quantity,
            occurred_at=use.occurred_at,
        )
        for position, use in enumerate(group)
    )
    enqueue("usage.record", key=f"usage:{batch.code}", payload={"batch": batch.pk})
    return [Received(row.event_id, row, is_new=True) for row in rows]
