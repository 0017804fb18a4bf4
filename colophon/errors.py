"""Every error that the pure library raises, one base, narrow children.

A failed verification inside a report is data, not an exception; these are raised
when one piece of input, evidence, signature or proof is judged on its own.
"""

from __future__ import annotations


class ColophonError(Exception):
    """Base of all errors of this package."""


class InputError(ColophonError):
    """Input that is malformed, out of range or of the wrong type.

    Attributes:
        message: what was wrong and what was expected.
        field: JSON pointer without the leading slash, like
            ``predicate/inputs/0/digest``; empty when the whole input is meant.
    """

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(f"{field}: {message}" if field else message)
        self.message = message
        self.field = field


class EvidenceError(ColophonError):
    """An evidence bundle that cannot be read or is inconsistent in itself."""


class SignatureError(ColophonError):
    """A signature that does not match its key and message."""


class ProofError(ColophonError):
    """A Merkle, chain or time-stamp proof that does not hold."""


class TrustError(ColophonError):
    """A trust list that is missing, malformed or does not name a signer."""


class CredentialError(ColophonError):
    """A C2PA credential that cannot be read.

    Attributes:
        code: a stable machine word, for example ``timeout``.
    """

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(f"{code}: {message}" if message else code)
        self.code = code


class CouldNotCheck(ColophonError):  # noqa: N818 - a state, not a fault
    """A check that could not be made; says nothing about the thing checked.

    Attributes:
        what: the check, for example ``chain``.
    """

    def __init__(self, what: str, why: str = "") -> None:
        super().__init__(f"{what}: {why}" if why else what)
        self.what = what
