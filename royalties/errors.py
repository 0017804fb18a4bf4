"""What can go wrong with usage and money; every message says what to do."""

from __future__ import annotations

from accounts.errors import FieldError, Problem
from colophon.errors import InputError


class UsageError(InputError):
    """The report cannot be taken; nothing of the request was kept."""


class UnknownLicenseError(Problem):
    status = 404
    code = "usage-unknown-license"
    title = "The event names no license of yours"
    meaning = "Put the id of one of your licenses (lic_…) into `subject`."

    def __init__(self, at: str) -> None:
        """Name the event by its JSON pointer within the request."""
        super().__init__(
            errors=[FieldError(_pointer(at, "subject"), "is no license of yours")]
        )


class ConflictingEventError(Problem):
    status = 409
    code = "usage-conflict"
    title = "The event id was used with another body"
    meaning = (
        "An event id counts once for ever for its license. Send a correction as a "
        "new event. Nothing of this request was kept."
    )

    def __init__(self, event_id: str, at: str) -> None:
        """Name the event by its id, and by its JSON pointer within the request."""
        super().__init__(
            f"Event {event_id} was reported before with another body.",
            errors=[FieldError(_pointer(at, "id"), "was used with another body")],
        )
        self.event_id = event_id


def _pointer(at: str, key: str) -> str:
    return f"/{at}/{key}" if at else f"/{key}"


class LedgerError(Problem):
    status = 500
    code = "ledger"
    title = "A money invariant does not hold"
    meaning = "Settling has stopped until a person has looked at it."
