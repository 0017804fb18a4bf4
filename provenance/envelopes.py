"""The signed record behind a log entry, while it has not been erased."""

from __future__ import annotations

from colophon.statement import Envelope
from log.models import Entry
from provenance.errors import ErasedError


def envelope_of(entry: Entry) -> Envelope:
    """The envelope of an entry.

    Raises:
        ErasedError: it was erased on request; only its proof is left.
    """
    if entry.envelope is None:
        raise ErasedError
    return Envelope.from_json(entry.envelope)
