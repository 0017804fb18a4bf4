"""What can go wrong with usage and money; every message says what to do."""

from __future__ import annotations

from colophon.errors import ColophonError, InputError


class RoyaltyError(ColophonError):
    """Base of this app's errors."""


class UsageError(InputError):
    """The report cannot be taken; nothing of the request was kept."""


class ConflictingEventError(RoyaltyError):
    """The same event id was reported before with another body.

    Attributes:
        event_id: the reporter's id of the event.
    """

    def __init__(self, event_id: str) -> None:
        super().__init__(
            f"event {event_id} was reported before with another body; "
            "send a correction as a new event"
        )
        self.event_id = event_id


class LedgerError(RoyaltyError):
    """A money invariant does not hold; settling stops."""
