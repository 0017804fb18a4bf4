"""What can go wrong in provenance; every message says what to do."""

from __future__ import annotations

from colophon.errors import ColophonError, InputError


class ProvenanceError(ColophonError):
    """Base of this app's errors."""


class UploadError(InputError):
    """The file cannot be taken; nothing of it was kept."""


class StepError(InputError):
    """The step cannot be appended; the run is unchanged."""


class SourceConflictError(ProvenanceError):
    """The same digest is already registered by this party with other facts."""


class AgreementError(InputError):
    """The parts of an agreement do not add up, or undercut a standing ask."""


class NotReadyError(ProvenanceError):
    """An earlier stage has not finished; try again later."""
