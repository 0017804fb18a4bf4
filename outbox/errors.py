"""What can go wrong with jobs."""

from __future__ import annotations


class OutboxError(Exception):
    """Base of all errors of this app."""


class NotInTransactionError(OutboxError):
    """A job or a claim was written outside of the transaction that needs it."""


class UnknownKindError(OutboxError):
    """No line of the job table names this kind."""


class LostClaim(OutboxError):  # noqa: N818 - a state, not a fault
    """Another worker took the job over: this one must write nothing more."""


class Retry(OutboxError):  # noqa: N818 - a state, not a fault
    """Raised by a handler: nothing is wrong, run the job again later.

    Attributes:
        reason: one sentence for the operator.
        after_seconds: how long to wait.
    """

    def __init__(self, reason: str, after_seconds: float = 5.0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.after_seconds = after_seconds
