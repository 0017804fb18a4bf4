"""Count a batch: validate against its license, price, roll up and log it."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from accounts.platform import platform_signer
from colophon import records, statement
from colophon.units import amount_for
from log.append import append
from marketplace.models import License
from outbox.claims import Claim
from royalties.models import Tally, UsageBatch, UsageEvent

MAX_AHEAD = timedelta(minutes=5)


def record_batch(*, batch_pk: int, claim: Claim | None = None) -> UsageBatch:
    """Count the events of a batch once, and log the batch with its Merkle root.

    The amount is the floor of the running total, so that it only grows; what the
    license's deposit does not cover is unfunded and never charged (DESIGN §9). A use
    after the deposit was asked back is not counted at all: nobody else's pays for it.

    Writes: UsageEvent.state, Tally, UsageBatch, Entry. Lock: the Tally row.
    """
    with transaction.atomic(durable=True):
        if claim:
            claim.hold()
        rows = UsageBatch.objects.select_related("license")
        license_row = rows.get(pk=batch_pk).license
        Tally.objects.get_or_create(license=license_row)
        tally = Tally.objects.select_for_update().get(license=license_row)
        batch = rows.get(pk=batch_pk)
        if batch.recorded_at:
            return batch
        counted, quantity = _validate(batch)
        _roll_up(tally, batch.license, quantity)
        envelope = statement.sign(
            records.usage(
                batch=batch.code,
                license_id=batch.license.code,
                root=bytes(batch.root),
                count=batch.count,
                received_at=batch.received_at,
            ),
            platform_signer(),
        )
        batch.entry = append("usage", envelope.to_json())
        batch.recorded_at = timezone.now()
        batch.counted = counted
        batch.quantity_after = tally.quantity
        batch.usage_units_after = tally.usage_units
        batch.save()
    return batch


def _validate(batch: UsageBatch) -> tuple[int, int]:
    """(events counted, their quantity); the others are quarantined with a reason."""
    counted, quantity = [], 0
    for event in batch.events.filter(state=UsageEvent.State.RECEIVED):
        reason = _reason(event, batch.license)
        if reason:
            event.state, event.reason = UsageEvent.State.QUARANTINED, reason
            event.save(update_fields=["state", "reason"])
            continue
        counted.append(event.pk)
        quantity += event.quantity
    UsageEvent.objects.filter(pk__in=counted).update(state=UsageEvent.State.COUNTED)
    return len(counted), quantity


def _reason(event: UsageEvent, license_row: License) -> str:
    """Why an event cannot be counted; empty when it can."""
    if license_row.state != License.State.ACTIVE:
        return "license_revoked"
    if not license_row.covers(event.occurred_at):
        return "account_frozen"
    if event.occurred_at > event.received_at + MAX_AHEAD:
        return "from_the_future"
    if event.occurred_at < license_row.valid_from - MAX_AHEAD:
        return "before_the_license"
    if event.occurred_at > license_row.valid_until:
        return "license_expired"
    return ""


def _roll_up(tally: Tally, license_row: License, quantity: int) -> None:
    """Add a quantity to the running total; never charge beyond the deposit."""
    tally.quantity += quantity
    worth = amount_for(tally.quantity, license_row.rate_units, license_row.rate_per)
    tally.usage_units = min(worth, license_row.deposit_units)
    tally.unfunded_units = min(worth - tally.usage_units, Tally.MOST_UNITS)
    tally.counted_at = timezone.now()
    tally.save()
