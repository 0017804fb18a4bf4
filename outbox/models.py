"""Rows that stand for work to do, and for the processes that do it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone


class Job(models.Model):
    """One effect to bring about, written in the transaction that wants it.

    A job is live until `done_at` or `parked_at` is set. `token` is the fencing
    token of the newest claim: a worker whose token is older has lost it.
    """

    kind = models.CharField(max_length=64)
    key = models.CharField(max_length=200, unique=True)
    payload = models.JSONField(default=dict)
    queue = models.CharField(max_length=16, default="default")
    created_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(default=timezone.now)
    lease_until = models.DateTimeField(null=True, blank=True)
    token = models.PositiveIntegerField(default=0)
    attempts = models.PositiveIntegerField(default=0)
    last_error = models.TextField(blank=True, default="")
    parked_at = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["due_at"],
                name="job_due",
                condition=Q(done_at__isnull=True, parked_at__isnull=True),
            ),
            models.Index(fields=["kind", "created_at"], name="job_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


class Tick(models.Model):
    """The newest firing of one line of the timetable."""

    kind = models.CharField(max_length=64, unique=True)
    fired_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.kind


class Heartbeat(models.Model):
    """A process said that it is alive; health is the age of this row."""

    process = models.CharField(max_length=64, unique=True)
    beat_at = models.DateTimeField(default=timezone.now)
    detail = models.JSONField(default=dict, blank=True)

    def __str__(self) -> str:
        return self.process
