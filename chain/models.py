"""Intents to act on the chain, their attempts, and what the chain answered."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone


class Network(models.Model):
    """The one chain this database belongs to; checked at every start."""

    only = models.BooleanField(default=True, unique=True)
    chain_id = models.PositiveBigIntegerField()
    genesis_hash = models.CharField(max_length=66)
    contracts = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"eip155:{self.chain_id}"


class Account(models.Model):
    """A sending key's next nonce; the row is locked while one is given out."""

    role = models.CharField(max_length=16, unique=True)
    address = models.CharField(max_length=42, unique=True)
    next_nonce = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.role} {self.address}"


class Intent(models.Model):
    """One effect wanted on the chain. `key` makes it unique for ever."""

    class State(models.TextChoices):
        QUEUED = "queued"
        SIGNED = "signed"
        BROADCAST = "broadcast"
        MINED = "mined"
        CONFIRMED = "confirmed"
        FINAL = "final"
        REPLACED = "replaced"
        DROPPED = "dropped"
        REORGED = "reorged"
        REVERTED = "reverted"
        CANCELED = "canceled"
        NEEDS_HUMAN = "needs_human"

    kind = models.CharField(max_length=32)
    key = models.CharField(max_length=200, unique=True)
    args = models.JSONField(default=dict)
    then_kind = models.CharField(max_length=64, blank=True, default="")
    then_payload = models.JSONField(default=dict, blank=True)
    state = models.CharField(
        max_length=16, choices=State.choices, default=State.QUEUED
    )
    role = models.CharField(max_length=16)
    nonce = models.PositiveBigIntegerField(null=True, blank=True)
    tx_hash = models.CharField(max_length=66, blank=True, default="")
    block_number = models.PositiveBigIntegerField(null=True, blank=True)
    block_hash = models.CharField(max_length=66, blank=True, default="")
    gas_used = models.PositiveBigIntegerField(null=True, blank=True)
    error = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(default=timezone.now)
    mined_at = models.DateTimeField(null=True, blank=True)
    final_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["id"],
                name="intent_open",
                condition=~Q(state__in=["final", "reverted", "canceled"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key} {self.state}"


class Attempt(models.Model):
    """One signed transaction for an intent: stored before it is sent."""

    intent = models.ForeignKey(
        Intent, on_delete=models.PROTECT, related_name="attempts"
    )
    role = models.CharField(max_length=16)
    nonce = models.PositiveBigIntegerField()
    raw = models.BinaryField()
    tx_hash = models.CharField(max_length=66, unique=True)
    max_fee_wei = models.PositiveBigIntegerField()
    priority_fee_wei = models.PositiveBigIntegerField()
    signed_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True, blank=True)
    answer = models.TextField(blank=True, default="")

    def __str__(self) -> str:
        return self.tx_hash


class Block(models.Model):
    """A block the follower has read; its hash tells a reorganization."""

    number = models.PositiveBigIntegerField(unique=True)
    hash = models.CharField(max_length=66)
    mined_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.number} {self.hash}"


class Event(models.Model):
    """One log of our contracts on the canonical chain."""

    contract = models.CharField(max_length=32)
    name = models.CharField(max_length=32)
    args = models.JSONField(default=dict)
    block_number = models.PositiveBigIntegerField()
    block_hash = models.CharField(max_length=66)
    tx_hash = models.CharField(max_length=66)
    log_index = models.PositiveIntegerField()
    removed_at = models.DateTimeField(null=True, blank=True)
    final_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["block_hash", "tx_hash", "log_index"], name="event_once"
            )
        ]
        indexes = [models.Index(fields=["name", "block_number"], name="event_name")]

    def __str__(self) -> str:
        return f"{self.contract}.{self.name} {self.tx_hash}"
