"""The problem codes of every API: HTTP's own, and the pure library's errors.

Codes of one app alone are `Problem` subclasses in that app's errors.py.
"""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import Http404

from accounts.errors import ProblemCode, register
from chain.errors import KeyReusedError, Later
from colophon import errors as pure

MALFORMED = register(
    "malformed",
    400,
    "The request could not be read",
    "The body is not valid JSON, or not of the announced content type.",
)
INVALID = register(
    "invalid",
    400,
    "Some fields are wrong",
    "`errors` names each wrong field by a JSON pointer and says what it needs.",
)
UNAUTHENTICATED = register(
    "not-authenticated",
    401,
    "Sign in first",
    "Send `Authorization: Bearer clp_…` with a live API key, or sign in.",
)
FORBIDDEN = register(
    "permission-denied",
    403,
    "Not allowed",
    "The API key lacks a scope, the CSRF token is missing, or this is not yours.",
)
NOT_FOUND = register(
    "not-found",
    404,
    "Not found",
    "There is nothing at this address, or nothing that you may see.",
)
METHOD = register(
    "method-not-allowed",
    405,
    "Method not allowed",
    "The `Allow` header lists the methods of this address.",
)
ACCEPT = register(
    "not-acceptable",
    406,
    "No such representation",
    "Ask for `application/json` in the `Accept` header.",
)
MEDIA = register(
    "unsupported-media-type",
    415,
    "Unsupported media type",
    "Send the content type that the API reference names for this address.",
)
THROTTLED = register(
    "throttled",
    429,
    "Too many requests",
    "Wait for the seconds in the `Retry-After` header, then go on.",
)

COULD_NOT_CHECK = register(
    "could-not-check",
    503,
    "Could not check just now",
    "Something outside, such as the chain, did not answer. Try again later; this says "
    "nothing about the thing checked.",
)
REFUSED = register(
    "refused",
    409,
    "Refused",
    "The request does not fit the present state; the detail says why.",
)

INTERNAL = register(
    "internal-error",
    500,
    "Something broke on our side",
    "It is in our logs under `request_id`. What you sent may be sent again.",
)

BY_STATUS = {
    entry.status: entry
    for entry in (
        MALFORMED,
        UNAUTHENTICATED,
        FORBIDDEN,
        NOT_FOUND,
        METHOD,
        ACCEPT,
        MEDIA,
        THROTTLED,
        INTERNAL,
    )
}

# Errors that mean one thing wherever they come from.
PLAIN: tuple[tuple[type[Exception], ProblemCode], ...] = (
    (Http404, NOT_FOUND),
    (PermissionDenied, FORBIDDEN),
    (Later, COULD_NOT_CHECK),
    (KeyReusedError, REFUSED),
)

# The pure library's families, narrowest first: (class, code).
PURE: tuple[tuple[type[pure.ColophonError], ProblemCode], ...] = (
    (
        pure.InputError,
        register(
            "invalid-record",
            422,
            "The record is not acceptable",
            "The request was read, but the record in it breaks the format: `errors` "
            "points at the field. The formats are in docs/statements.md.",
        ),
    ),
    (
        pure.SignatureError,
        register(
            "bad-signature",
            422,
            "The signature does not match",
            "The record was not signed by the key it names, or was changed after.",
        ),
    ),
    (
        pure.ProofError,
        register(
            "bad-proof",
            422,
            "The proof does not hold",
            "A Merkle, chain or time-stamp proof does not lead to what it claims.",
        ),
    ),
    (
        pure.EvidenceError,
        register(
            "bad-evidence",
            422,
            "The evidence cannot be read",
            "The bundle is not a `.colophon` file or is inconsistent in itself.",
        ),
    ),
    (
        pure.CredentialError,
        register(
            "bad-credential",
            422,
            "The file's credential cannot be read",
            "The file could not be parsed safely; the detail has the reader's code.",
        ),
    ),
    (
        pure.TrustError,
        register(
            "untrusted",
            422,
            "The signer is not known",
            "The trust list does not name this signer.",
        ),
    ),
    (pure.CouldNotCheck, COULD_NOT_CHECK),
    (pure.ColophonError, REFUSED),
)
