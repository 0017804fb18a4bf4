"""Intents to act on the chain, their attempts, and what the chain answered."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.fields.json import KeyTransform
from django.utils import timezone


class Network(models.Model):
    """The one chain this database belongs to; checked at every start.

    `contracts` maps a name to {address, code_hash, block}. `followed_block` is how
    far the follower has read. `halted_at` is set when the chain took back what it
    had called final: settling stops until a person has looked.
    """

    only = models.BooleanField(default=True, unique=True)
    chain_id = models.PositiveBigIntegerField()
    genesis_hash = models.CharField(max_length=66)
    contracts = models.JSONField(default=dict)
    followed_block = models.PositiveBigIntegerField(default=0)
    followed_at = models.DateTimeField(null=True, blank=True)
    halted_at = models.DateTimeField(null=True, blank=True)
    halted_reason = models.TextField(blank=True, default="")
    findings = models.JSONField(default=list, blank=True)
    checked_at = models.DateTimeField(null=True, blank=True)
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
    """One effect wanted on the chain. `key` makes it unique for ever.

    `args` are in the normal form of `chain.abi` (docs/chain.md). `abandon` names the
    state this intent ends in once an empty transaction has used up its nonce.
    """

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

    UNDER_WAY = (
        State.SIGNED,
        State.BROADCAST,
        State.REPLACED,
        State.DROPPED,
        State.REORGED,
        State.MINED,
        State.CONFIRMED,
    )
    DONE = (State.FINAL, State.REVERTED, State.CANCELED)

    kind = models.CharField(max_length=32)
    key = models.CharField(max_length=200, unique=True)
    args = models.JSONField(default=dict)
    then_kind = models.CharField(max_length=64, blank=True, default="")
    then_payload = models.JSONField(default=dict, blank=True)
    state = models.CharField(max_length=16, choices=State.choices, default=State.QUEUED)
    role = models.CharField(max_length=16)
    sender = models.CharField(max_length=42, blank=True, default="")
    nonce = models.PositiveBigIntegerField(null=True, blank=True)
    refusals = models.PositiveIntegerField(default=0)
    abandon = models.CharField(max_length=16, blank=True, default="")
    tx_hash = models.CharField(max_length=66, blank=True, default="")
    block_number = models.PositiveBigIntegerField(null=True, blank=True)
    block_hash = models.CharField(max_length=66, blank=True, default="")
    succeeded = models.BooleanField(null=True, blank=True)
    gas_used = models.PositiveBigIntegerField(null=True, blank=True)
    error = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(default=timezone.now)
    mined_at = models.DateTimeField(null=True, blank=True)
    final_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["sender", "nonce"],
                condition=Q(nonce__isnull=False),
                name="intent_nonce_once",
            )
        ]
        indexes = [
            models.Index(
                fields=["id"],
                name="intent_open",
                condition=~Q(state__in=["final", "reverted", "canceled"]),
            ),
            models.Index(fields=["kind", "state"], name="intent_kind"),
            models.Index(fields=["block_number"], name="intent_block"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key} {self.state}"

    def tries(self) -> list[Attempt]:
        """The transactions with the present sender and nonce, oldest first.

        An intent that a person queued again has older ones, whose nonce is used up.
        """
        mine = (self.sender, self.nonce)
        found = [one for one in self.attempts.all() if (one.sender, one.nonce) == mine]
        return sorted(found, key=lambda one: one.pk)

    def newest_attempt(self) -> Attempt:
        """The transaction signed last; an intent with a nonce has one."""
        return self.tries()[-1]


class Attempt(models.Model):
    """One signed transaction for an intent: stored before it is sent.

    A `noop` is an empty transfer to oneself that only uses up the nonce.
    """

    intent = models.ForeignKey(
        Intent, on_delete=models.PROTECT, related_name="attempts"
    )
    role = models.CharField(max_length=16)
    sender = models.CharField(max_length=42)
    nonce = models.PositiveBigIntegerField()
    raw = models.BinaryField()
    tx_hash = models.CharField(max_length=66, unique=True)
    gas_limit = models.PositiveBigIntegerField()
    max_fee_wei = models.PositiveBigIntegerField()
    priority_fee_wei = models.PositiveBigIntegerField()
    noop = models.BooleanField(default=False)
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
    """One log of our contracts on the canonical chain.

    `position` counts our contracts' logs inside the transaction: unlike
    `log_index` it stays the same when the transaction moves to another block.
    `args` are in the normal form of `chain.abi`.
    """

    contract = models.CharField(max_length=32)
    name = models.CharField(max_length=32)
    args = models.JSONField(default=dict)
    block_number = models.PositiveBigIntegerField()
    block_hash = models.CharField(max_length=66)
    tx_hash = models.CharField(max_length=66)
    log_index = models.PositiveIntegerField()
    position = models.PositiveIntegerField()
    mined_at = models.DateTimeField()
    safe_at = models.DateTimeField(null=True, blank=True)
    final_at = models.DateTimeField(null=True, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["block_hash", "tx_hash", "log_index"], name="event_once"
            )
        ]
        indexes = [
            models.Index(fields=["name", "block_number"], name="event_name"),
            models.Index(fields=["tx_hash", "position"], name="event_tx"),
            # Deposits by what they are for; deposits and refunds by whose they are.
            models.Index(KeyTransform("ref", "args"), name="event_ref"),
            models.Index(KeyTransform("account", "args"), name="event_account"),
            models.Index(
                fields=["block_number"],
                name="event_waiting",
                condition=Q(final_at__isnull=True, removed_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.contract}.{self.name} {self.tx_hash}"
