"""What can go wrong with the log."""

from __future__ import annotations


class LogError(Exception):
    """Base of all errors of this app."""


class NotInTransactionError(LogError):
    """An entry was appended outside of the transaction that needs it."""


class NotCoveredError(LogError):
    """The checkpoint does not cover the entry (yet)."""


class PublicEntryError(LogError):
    """A public entry carries its envelope for ever; it cannot be erased."""


class WitnessDisagreesError(LogError):
    """A witness remembers a history that is not this log's."""


class InconsistentLogError(LogError):
    """The rows do not make the tree that was signed: nothing more is published.

    Attributes:
        index: the first entry that is known to be wrong, if one is.
    """

    def __init__(self, message: str, index: int | None = None) -> None:
        super().__init__(message)
        self.index = index
