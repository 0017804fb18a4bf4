"""System checks: a log that could not prove its time says so at the start."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from colophon.errors import ColophonError
from colophon.note import NoteKey
from log.timestamp import roots
from log.witnesses import configured


@register()
def check_origin(**_: Any) -> list[CheckMessage]:
    """The origin names the log's key, so it has no space and no plus."""
    try:
        NoteKey(settings.LOG_ORIGIN, bytes(32))
    except ColophonError as error:
        return [
            Error(
                f"The log's origin {settings.LOG_ORIGIN!r} cannot name a key: {error}.",
                hint="Set COLOPHON_LOG_ORIGIN to host and path, like example.com/log.",
                id="log.E001",
            )
        ]
    return []


@register()
def check_witnesses(**_: Any) -> list[CheckMessage]:
    """Each witness is an address and a cosignature key, and each key stands once."""
    try:
        configured()
    except ColophonError as error:
        return [
            Error(
                f"The log's witnesses cannot be read: {error}.",
                hint="Set COLOPHON_WITNESSES to lines of: address key [independent],"
                " with commas between (docs/witness.md).",
                id="log.E003",
            )
        ]
    return []


@register()
def check_time_stamping(**_: Any) -> list[CheckMessage]:
    """Tokens are only kept when they hold, which takes the authority's roots."""
    made_by_the_demo = settings.DEMO and not settings.TSA_ROOTS
    if not settings.TSA_URL or made_by_the_demo:
        return []
    try:
        roots()
    except OSError as error:
        return [
            Error(
                f"COLOPHON_TSA_URL is set, but no root certificates: {error}.",
                hint="Set COLOPHON_TSA_ROOTS to a PEM file with the authority's roots.",
                id="log.E002",
            )
        ]
    return []
