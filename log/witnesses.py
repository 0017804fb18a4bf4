"""The witnesses that this log asks, as the settings name them.

One line each in `COLOPHON_WITNESSES`: the address, the verifier key, and the word
`independent` when somebody other than the log's operator runs it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from colophon.client import check_url
from colophon.errors import InputError, SignatureError
from colophon.note import COSIGNATURE, NoteKey, open_note

INDEPENDENT = "independent"
MAX_VKEY = 400  # as wide as its column
_WORDS = (2, 3)


@dataclass(frozen=True)
class Place:
    """One witness: where it is asked, its key, and whose it is."""

    url: str
    key: NoteKey
    independent: bool = False


def configured() -> tuple[Place, ...]:
    """Every witness, in the order of the settings.

    Raises:
        InputError: a line is malformed, or a key is there twice.
    """
    places = [_place(line) for line in settings.LOG_WITNESSES]
    if len({one.key.public_key for one in places}) < len(places):
        raise InputError("names one key twice", "COLOPHON_WITNESSES")
    return tuple(places)


def quorum() -> int:
    """How many witnesses make a checkpoint final: as set, else more than half."""
    count = len(configured())
    asked = int(settings.LOG_WITNESS_QUORUM)
    return min(asked, count) if asked else count // 2 + 1 if count else 0


def cosigned(note: str) -> dict[str, datetime]:
    """When each configured witness cosigned a checkpoint note, by name."""
    try:
        found = open_note(note, [one.key for one in configured()]).signatures
    except SignatureError:
        return {}
    return {one.key.name: one.signed_at for one in found if one.signed_at}


def _place(line: str) -> Place:
    words = line.split()
    if len(words) not in _WORDS or words[2:] not in ([], [INDEPENDENT]):
        raise InputError("is not: address key [independent]", "COLOPHON_WITNESSES")
    check_url(words[0])
    key = NoteKey.from_vkey(words[1])
    if len(words[1]) > MAX_VKEY:
        raise InputError(f"is longer than {MAX_VKEY} characters", "COLOPHON_WITNESSES")
    if key.kind != COSIGNATURE:
        raise InputError("names a key that is no witness's", "COLOPHON_WITNESSES")
    return Place(words[0].rstrip("/"), key, INDEPENDENT in words[2:])
