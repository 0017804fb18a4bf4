"""What each C2PA status code means: one plain sentence and one thing to do.

A code that is not in the table is shown as it is and counts as a failure.
Source: C2PA 2.4 section 15.2 (standard status codes); CAWG identity 1.3.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Meaning:
    """One code in plain words."""

    words: str
    advice: str


_ASK = "Ask for the file again from where you got it."
_WHO = "Ask who signed it; add their authority to your trust list if you know them."

FAILURES = {
    "signingCredential.untrusted": Meaning(
        "The signer is not on your trust list.",
        _WHO,
    ),
    "signingCredential.expired": Meaning(
        "The signer's certificate has expired, and no trusted time-stamp shows that"
        " the signature is older. This is not a sign of tampering.",
        "Look for a copy signed with a time-stamp, or one signed anew.",
    ),
    "signingCredential.invalid": Meaning(
        "The signer's certificate may not be used to sign a credential.",
        "Treat the signer as unknown.",
    ),
    "signingCredential.revoked": Meaning(
        "The signer's certificate was revoked.",
        "Do not rely on it unless a time-stamp shows that it is older.",
    ),
    "claimSignature.mismatch": Meaning(
        "The signature does not match the credential: it was changed or forged.",
        _ASK,
    ),
    "claimSignature.missing": Meaning("The credential is not signed.", _ASK),
    "claimSignature.outsideValidity": Meaning(
        "The signature was made when the certificate was not valid.",
        "Treat the signer as unknown.",
    ),
    "assertion.dataHash.mismatch": Meaning(
        "The file was changed after it was signed.",
        _ASK,
    ),
    "assertion.hashedURI.mismatch": Meaning(
        "A statement inside the credential was changed after it was signed.",
        _ASK,
    ),
    "assertion.missing": Meaning(
        "A statement that the credential refers to is missing.", _ASK
    ),
    "assertion.action.malformed": Meaning(
        "The list of what was done to the work is not well formed.",
        "Do not rely on the history; ask the signer.",
    ),
    "assertion.action.ingredientMismatch": Meaning(
        "A recorded action does not match the material it names.",
        "Do not rely on the history; ask the signer.",
    ),
    "claim.hardBindings.missing": Meaning(
        "The credential is not bound to any content.", _ASK
    ),
    "claim.missing": Meaning("The credential has no claim.", _ASK),
    "claim.multiple": Meaning("The credential has more than one claim.", _ASK),
    "manifest.multipleParents": Meaning(
        "The credential names more than one parent, which cannot be.",
        "Do not rely on the history; ask the signer.",
    ),
    "ingredient.manifest.missing": Meaning(
        "The history of something this work was made from is missing.",
        "Ask for the file with its full history.",
    ),
    "ingredient.manifest.mismatch": Meaning(
        "The history of something this work was made from was changed.",
        "Do not rely on that part of the history.",
    ),
    "timeStamp.mismatch": Meaning(
        "The time-stamp belongs to other content.", "Do not rely on the time."
    ),
    "timeStamp.untrusted": Meaning(
        "The time-stamp comes from an authority you have not chosen to trust.",
        "Add the authority to your list if you know it.",
    ),
}

# Families: the longest matching end (or start) of a code that has no own entry.
_ENDINGS = (
    ("Hash.mismatch", FAILURES["assertion.dataHash.mismatch"]),
    ("ocsp.revoked", FAILURES["signingCredential.revoked"]),
    (
        ".malformed",
        Meaning("A part of the credential is not well formed.", _ASK),
    ),
    (".invalid", Meaning("A part of the credential is not well formed.", _ASK)),
    (".mismatch", FAILURES["assertion.hashedURI.mismatch"]),
    (".missing", FAILURES["assertion.missing"]),
)
_STARTS = (
    (
        "cawg.",
        Meaning(
            "The identity statement in the credential could not be confirmed.",
            "Treat the named identity as unknown.",
        ),
    ),
)

# Codes that are no failure: they end like this wherever they stand.
_PASSES = (
    ".match",
    ".trusted",
    ".validated",
    ".insideValidity",
    ".accessible",
    ".notRevoked",
    ".skipped",
    ".inaccessible",
    ".unknownProvenance",
    ".well-formed",
    "algorithm.deprecated",
)

# Failures that say "we do not know who" and not "this was changed".
_SOFT = (
    "signingCredential.untrusted",
    "signingCredential.expired",
    "timeStamp.untrusted",
    "cawg.x509.credential.untrusted",
)


def meaning(code: str) -> Meaning:
    """Say in plain words what a failure code means and what to do about it."""
    if code in FAILURES:
        return FAILURES[code]
    for ending, words in _ENDINGS:
        if code.endswith(ending):
            return words
    for start, words in _STARTS:
        if code.startswith(start):
            return words
    return Meaning(f"A check failed that has no plain name here ({code}).", _ASK)


def is_failure(code: str) -> bool:
    """Tell a failure code from a success or a remark."""
    return not code.endswith(_PASSES)


def is_hard(code: str) -> bool:
    """Tell whether a failure speaks against the content, not only for a stranger."""
    return is_failure(code) and code not in _SOFT
