"""What can go wrong in provenance; every message says what to do."""

from __future__ import annotations

from accounts.errors import Problem
from colophon.errors import InputError


class UploadError(InputError):
    """The file cannot be taken; nothing of it was kept."""


class StepError(InputError):
    """The step cannot be appended; the run is unchanged."""


class CopyError(InputError):
    """The smaller copy of a picture cannot be taken; nothing of it was kept."""

    def __init__(self, message: str) -> None:
        super().__init__(message, "copy")


class AgreementError(InputError):
    """The parts of an agreement do not add up, or undercut a standing ask."""


class SourceConflictError(Problem):
    status = 409
    code = "source-conflict"
    title = "This digest is registered with other facts"
    meaning = "You registered the same bytes before. Register a new version instead."


class NotReadyError(Problem):
    status = 409
    code = "not-ready"
    title = "An earlier stage has not finished"
    meaning = "The work is still being examined or signed. Try again in a moment."


class ErasedError(Problem):
    status = 410
    code = "erased"
    title = "This record was erased"
    meaning = "Its content is gone for good; its place in the log can still be proved."


class DisputeError(InputError):
    """The dispute cannot be moved so; nothing was changed."""


class CaseStateError(Problem):
    status = 409
    code = "case-state"
    title = "The case is not in a state for this"
    meaning = "Somebody else works on it, or it is decided. Reload the queue."


class ConflictOfInterestError(Problem):
    status = 403
    code = "conflict-of-interest"
    title = "You may not decide about this work"
    meaning = "You or your team have a stake in it. Leave it to another certifier."
