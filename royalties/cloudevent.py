"""One usage report as a CloudEvents 1.0 event: its fields, checked.

Source: CloudEvents 1.0.2; docs/usage.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from colophon.digest import canonical, sha256
from colophon.errors import InputError
from colophon.fields import Fields
from royalties.errors import UsageError

EVENT_TYPE = "com.colophon.usage.v1"
MAX_ID = 128
MAX_QUANTITY = 1_000_000_000


@dataclass(frozen=True)
class Use:
    """A parsed report.

    Attributes:
        event_id: the reporter's id, unique with the license for ever.
        license: the license code (`lic_…`), from `subject`.
        quantity: how many, 0 to 10^9.
        occurred_at: when, as claimed by the reporter.
        body: the event as sent.
        digest: SHA-256 of its canonical form.
    """

    event_id: str
    license: str
    quantity: int
    occurred_at: datetime
    body: dict[str, Any]
    digest: bytes


def parse_event(value: Any, *, at: str = "") -> Use:
    """The use that a CloudEvent reports.

    Args:
        value: untrusted JSON.
        at: JSON pointer of the event within the request, for errors.

    Raises:
        UsageError: names the field and what is expected there.
    """
    try:
        return _parse(value, at)
    except InputError as error:
        raise UsageError(error.message, error.field) from error


def _parse(value: Any, at: str) -> Use:
    event = Fields(value, at)
    event.choice("specversion", ("1.0",))
    event.choice("type", (EVENT_TYPE,))
    event_id = event.text("id", limit=MAX_ID)
    event.text("source")
    license_code = event.text("subject")
    data = event.object("data")
    quantity = data.integer("quantity", low=0, high=MAX_QUANTITY)
    occurred_at = _moment(event.text("time"), event.at("time"))
    body = dict(value)
    return Use(
        event_id=event_id,
        license=license_code,
        quantity=quantity,
        occurred_at=occurred_at,
        body=body,
        digest=sha256(canonical(body)),
    )


def _moment(text: str, field: str) -> datetime:
    """An RFC 3339 time with any offset, in UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError("is not an RFC 3339 time", field) from error
    if moment.tzinfo is None:
        raise InputError("has no offset; end it with Z", field)
    return moment.astimezone(UTC)
