"""One reported use as a CloudEvents 1.0 event: its attributes, checked.

The site that takes a report, the command that sends one and the trace that recounts
it read it here, so that what one takes the others can read.
Source: CloudEvents 1.0.2, JSON event format; docs/usage.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from colophon.digest import canonical, sha256
from colophon.errors import InputError
from colophon.fields import (
    MAX_RECORD_BYTES,
    Fields,
    check_characters,
    read_moment,
)

SPEC_VERSION = "1.0"
EVENT_TYPE = "com.colophon.usage.v1"
MAX_ID = 128
MAX_QUANTITY = 1_000_000_000
# What one request may carry; the command cuts its batches by the same numbers.
MAX_EVENTS = 1_000
MAX_BODY_BYTES = 4 * 1024 * 1024
_JSON_TYPE = re.compile(
    r"application/(?:json|[a-z0-9.+-]+\+json)(?:\s*;.*)?", re.ASCII | re.IGNORECASE
)
_ATTRIBUTE = re.compile(r"[a-z0-9]+", re.ASCII)
_URI = re.compile(r"[^\s\x00-\x20<>\"{}|\\^`]+")
_MAX_INTEGER = 2**31 - 1  # CloudEvents' own type Integer


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
        at: JSON pointer of the event within the request, without the leading slash.
    """

    event_id: str
    license: str
    quantity: int
    occurred_at: datetime
    body: dict[str, Any]
    digest: bytes
    at: str = ""


def parse_event(value: Any, *, at: str = "") -> Use:
    """The use that a CloudEvent reports.

    Args:
        value: untrusted JSON.
        at: JSON pointer of the event within the request, for errors.

    Raises:
        InputError: names the attribute and what is expected there.
    """
    event = Fields(value, at)
    event.choice("specversion", (SPEC_VERSION,))
    event.choice("type", (EVENT_TYPE,))
    event_id = event.text("id", limit=MAX_ID)
    _uri(event, "source")
    license_code = event.text("subject")
    occurred_at = read_moment(event.raw("time"), event.at("time"))
    _check_data_type(event)
    quantity = event.object("data").integer("quantity", low=0, high=MAX_QUANTITY)
    _check_extensions(event, value)
    body = dict(value)
    return Use(
        event_id=event_id,
        license=license_code,
        quantity=quantity,
        occurred_at=occurred_at,
        body=body,
        digest=sha256(_canonical(body, at)),
        at=at,
    )


def _uri(event: Fields, key: str) -> None:
    """A URI-reference: no white space or quotes; which scheme is the reporter's."""
    if _URI.fullmatch(event.text(key)) is None:
        raise InputError("is not a URI-reference", event.at(key))


def _check_data_type(event: Fields) -> None:
    """The data is JSON in `data`, whatever else CloudEvents could carry."""
    if event.has("data_base64"):
        words = "is not taken; put the quantity into `data`"
        raise InputError(words, event.at("data_base64"))
    if event.has("datacontenttype"):
        kind = event.text("datacontenttype")
        if _JSON_TYPE.fullmatch(kind) is None:
            words = "is not a JSON media type such as application/json"
            raise InputError(words, event.at("datacontenttype"))
    if event.has("dataschema"):
        _uri(event, "dataschema")


def _check_extensions(event: Fields, value: Mapping[str, Any]) -> None:
    """Every other attribute has a lawful name and one of CloudEvents' plain types."""
    for key in event.keys():  # noqa: SIM118 - Fields.keys
        if key in ("data", "data_base64"):
            continue
        if _ATTRIBUTE.fullmatch(key) is None:
            words = "is no attribute name: lower-case letters and digits only"
            raise InputError(words, event.at(key[:64]))
        one = value[key]
        if not isinstance(one, str | int | None):
            words = "is not text, a whole number or a boolean"
            raise InputError(words, event.at(key))
        if isinstance(one, int) and abs(one) > _MAX_INTEGER:
            raise InputError(f"is beyond {_MAX_INTEGER:,}", event.at(key))


def _canonical(body: dict[str, Any], at: str) -> bytes:
    """The form that is hashed and kept, of bounded size."""
    check_characters(body, at)
    try:
        found = canonical(body)
    except InputError as error:
        raise InputError(error.message, at) from error
    if len(found) > MAX_RECORD_BYTES:
        words = f"is {len(found):,} bytes, an event has at most {MAX_RECORD_BYTES:,}"
        raise InputError(words, at)
    return found
