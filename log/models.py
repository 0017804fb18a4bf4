"""Log entries, the head that orders them, and the checkpoints that cover them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone


class Entry(models.Model):
    """One line of the log; pending until the sequencer gives it an index.

    `data` is the canonical entry (docs/evidence-format.md). For a sealed entry
    the envelope and its salt are kept here beside it, and erasure empties both
    without touching `data`, so every proof stays valid.
    """

    kind = models.CharField(max_length=32)
    data = models.BinaryField()
    leaf_hash = models.BinaryField(max_length=32)
    envelope = models.JSONField(null=True, blank=True)
    salt = models.BinaryField(max_length=32, null=True, blank=True)
    index = models.PositiveBigIntegerField(null=True, blank=True, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    sequenced_at = models.DateTimeField(null=True, blank=True)
    erased_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["id"], name="entry_pending", condition=Q(index__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} #{self.index}"


class Head(models.Model):
    """The one locked row that makes indexes contiguous."""

    only = models.BooleanField(default=True, unique=True)
    size = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.size)


class Checkpoint(models.Model):
    """A signed head: what it covers is never lost and never changes.

    The text of `note` never changes either; witnesses' signature lines join it.
    """

    size = models.PositiveBigIntegerField(unique=True)
    root = models.BinaryField(max_length=32)
    note = models.TextField()
    timestamp = models.BinaryField(null=True, blank=True)
    timestamped_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"checkpoint {self.size}"


class Witness(models.Model):
    """What became of asking a witness, by its verifier key.

    `size` is the newest checkpoint that it cosigned for us; `disagrees` stays until it
    cosigns again.
    """

    vkey = models.CharField(max_length=400, unique=True)
    size = models.PositiveBigIntegerField(default=0)
    asked_at = models.DateTimeField(null=True, blank=True)
    cosigned_at = models.DateTimeField(null=True, blank=True)
    trouble = models.CharField(max_length=500, blank=True)
    disagrees = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.vkey.partition("+")[0]
