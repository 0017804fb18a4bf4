"""Reported uses, what they are worth, and how that reached the holders."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import Holder
from chain.models import Intent
from colophon.ids import new_id
from log.models import Entry
from marketplace.models import License


def batch_id() -> str:
    """Public id of a usage batch."""
    return new_id("bat")


def usage_id() -> str:
    """Public id of a usage event."""
    return new_id("use")


def settlement_id() -> str:
    """Public id of a settlement."""
    return new_id("stl")


def payout_id() -> str:
    """Public id of a payout."""
    return new_id("pay")


class UsageBatch(models.Model):
    """What one request reported; one log entry with the Merkle root of its events.

    The `_after` columns are the license's running totals once the batch is counted,
    so that a settlement can close exactly what its checkpoint covers.
    """

    code = models.CharField(max_length=40, unique=True, default=batch_id)
    license = models.ForeignKey(
        License, on_delete=models.PROTECT, related_name="batches"
    )
    root = models.BinaryField(max_length=32)
    count = models.PositiveIntegerField()
    counted = models.PositiveIntegerField(default=0)
    quantity_after = models.PositiveBigIntegerField(default=0)
    usage_units_after = models.BigIntegerField(default=0)
    received_at = models.DateTimeField(default=timezone.now)
    recorded_at = models.DateTimeField(null=True, blank=True)
    entry = models.OneToOneField(Entry, on_delete=models.PROTECT, null=True, blank=True)

    def __str__(self) -> str:
        return self.code


class UsageEvent(models.Model):
    """One reported use. (license, event_id) is unique for ever."""

    class State(models.TextChoices):
        RECEIVED = "received"
        COUNTED = "counted"
        QUARANTINED = "quarantined"

    code = models.CharField(max_length=40, unique=True, default=usage_id)
    batch = models.ForeignKey(
        UsageBatch, on_delete=models.PROTECT, related_name="events"
    )
    position = models.PositiveIntegerField()
    license = models.ForeignKey(License, on_delete=models.PROTECT, related_name="uses")
    event_id = models.CharField(max_length=128)
    body = models.JSONField()
    digest = models.BinaryField(max_length=32)
    quantity = models.PositiveBigIntegerField()
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField(default=timezone.now)
    state = models.CharField(
        max_length=12, choices=State.choices, default=State.RECEIVED
    )
    reason = models.CharField(max_length=40, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["license", "event_id"], name="event_once_per_license"
            )
        ]

    def __str__(self) -> str:
        return self.event_id


class Tally(models.Model):
    """The running total of a license. The amount is a cumulative floor: it grows.

    What no deposit covers can be any number; above MOST_UNITS its column says that.
    """

    MOST_UNITS = 2**63 - 1

    license = models.OneToOneField(License, on_delete=models.PROTECT)
    quantity = models.PositiveBigIntegerField(default=0)
    usage_units = models.BigIntegerField(default=0)
    unfunded_units = models.BigIntegerField(default=0)
    closed_units = models.BigIntegerField(default=0)
    counted_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"tally of {self.license}"


class Settlement(models.Model):
    """One committed epoch: the two trees, their roots and totals.

    `intent` is the newest one that was to commit it. `count` is how many usage events
    it closed. A failed one is committed again while its epoch is due.
    """

    class State(models.TextChoices):
        BUILT = "built"
        COMMITTED = "committed"
        MATURED = "matured"
        VETOED = "vetoed"
        FAILED = "failed"

    code = models.CharField(max_length=40, unique=True, default=settlement_id)
    epoch = models.PositiveIntegerField(unique=True)
    log_size = models.PositiveBigIntegerField(default=0)
    log_root = models.BinaryField(max_length=32)
    earnings_root = models.BinaryField(max_length=32)
    spend_root = models.BinaryField(max_length=32)
    earned_units = models.BigIntegerField()
    count = models.PositiveIntegerField()
    state = models.CharField(max_length=12, choices=State.choices, default=State.BUILT)
    intent = models.OneToOneField(
        Intent, on_delete=models.PROTECT, null=True, blank=True
    )
    entry = models.OneToOneField(Entry, on_delete=models.PROTECT, null=True, blank=True)
    built_at = models.DateTimeField(default=timezone.now)
    committed_at = models.DateTimeField(null=True, blank=True)
    matures_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"settlement {self.epoch}"


class Increment(models.Model):
    """What one license added in one epoch; split once, by largest remainder."""

    settlement = models.ForeignKey(
        Settlement, on_delete=models.PROTECT, related_name="increments"
    )
    license = models.ForeignKey(
        License, on_delete=models.PROTECT, related_name="increments"
    )
    fee_units = models.BigIntegerField(default=0)
    usage_units = models.BigIntegerField(default=0)
    quantity = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["settlement", "license"], name="one_increment"
            )
        ]

    def __str__(self) -> str:
        return f"{self.license} in {self.settlement}"

    @property
    def units(self) -> int:
        """The whole increment in settlement-token units."""
        return self.fee_units + self.usage_units


class Accrual(models.Model):
    """What one holder gets from one (license, settlement)."""

    increment = models.ForeignKey(
        Increment, on_delete=models.PROTECT, related_name="accruals"
    )
    holder = models.ForeignKey(
        Holder, on_delete=models.PROTECT, related_name="accruals"
    )
    role = models.CharField(max_length=8)
    ppm = models.PositiveIntegerField()
    units = models.BigIntegerField()
    position = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["increment", "position"], name="one_accrual"
            ),
            models.CheckConstraint(condition=Q(units__gte=0), name="accrual_units"),
        ]

    def __str__(self) -> str:
        return f"{self.units} to {self.holder}"


class Leaf(models.Model):
    """One leaf of a settlement's trees, as committed: rebuilds any proof."""

    class Tree(models.TextChoices):
        EARNINGS = "earnings"
        SPEND = "spend"

    settlement = models.ForeignKey(
        Settlement, on_delete=models.PROTECT, related_name="leaves"
    )
    tree = models.CharField(max_length=8, choices=Tree.choices)
    position = models.PositiveIntegerField()
    holder = models.ForeignKey(Holder, on_delete=models.PROTECT, null=True, blank=True)
    account = models.CharField(max_length=42)
    cumulative_units = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["settlement", "tree", "position"], name="one_leaf"
            )
        ]

    def __str__(self) -> str:
        return f"{self.tree} {self.position}"


class Payout(models.Model):
    """Money moved to one holder by one `pay`.

    A reversed one was paid in a block that left the chain, so it is owed again. A
    covered one moved nothing: another payment had moved the same money before.
    `position` is that of its log in the transaction, where one was seen.
    """

    class State(models.TextChoices):
        SENDING = "sending"
        PAID = "paid"
        BLOCKED = "blocked"
        REVERSED = "reversed"
        COVERED = "covered"

    code = models.CharField(max_length=40, unique=True, default=payout_id)
    settlement = models.ForeignKey(
        Settlement, on_delete=models.PROTECT, related_name="payouts"
    )
    holder = models.ForeignKey(Holder, on_delete=models.PROTECT, related_name="payouts")
    account = models.CharField(max_length=42)
    cumulative_units = models.BigIntegerField()
    units = models.BigIntegerField()
    intent = models.ForeignKey(Intent, on_delete=models.PROTECT, null=True, blank=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.SENDING)
    tx_hash = models.CharField(max_length=66, blank=True, default="")
    position = models.PositiveIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    paid_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["settlement", "holder"], name="one_payout_per_settlement"
            )
        ]

    def __str__(self) -> str:
        return self.code


class Receipt(models.Model):
    """The first answer to an Idempotency-Key, kept with the effect it answered."""

    scope = models.CharField(max_length=80)
    key = models.CharField(max_length=128)
    request_digest = models.BinaryField(max_length=32)
    status = models.PositiveSmallIntegerField()
    body = models.JSONField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["scope", "key"], name="one_receipt")
        ]

    def __str__(self) -> str:
        return f"{self.scope} {self.key}"
