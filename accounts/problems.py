"""Answer every API error as problem details: one shape, one code, one place.

Errors know nothing of HTTP below this point, except `accounts.errors.Problem`, which
carries its own status. Source: RFC 9457; field errors carry JSON pointers (RFC 6901).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_handler

from accounts.errors import (
    REGISTRY,
    FieldError,
    Problem,
    ProblemCode,
    register,
)
from colophon import errors as pure

__all__ = ["Problem", "exception_handler", "problem_response"]

CONTENT_TYPE = "application/problem+json"

_MALFORMED = register(
    "malformed",
    400,
    "The request could not be read",
    "The body is not valid JSON, or not of the announced content type.",
)
_INVALID = register(
    "invalid",
    400,
    "Some fields are wrong",
    "`errors` names each wrong field by a JSON pointer and says what it needs.",
)
_UNAUTHENTICATED = register(
    "not-authenticated",
    401,
    "Sign in first",
    "Send `Authorization: Bearer clp_…` with a live API key, or sign in.",
)
_FORBIDDEN = register(
    "permission-denied",
    403,
    "Not allowed",
    "The API key lacks a scope, the CSRF token is missing, or this is not yours.",
)
_NOT_FOUND = register(
    "not-found",
    404,
    "Not found",
    "There is nothing at this address, or nothing that you may see.",
)
_METHOD = register(
    "method-not-allowed",
    405,
    "Method not allowed",
    "The `Allow` header lists the methods of this address.",
)
_ACCEPT = register(
    "not-acceptable",
    406,
    "No such representation",
    "Ask for `application/json` in the `Accept` header.",
)
_MEDIA = register(
    "unsupported-media-type",
    415,
    "Unsupported media type",
    "Send the content type that the API reference names for this address.",
)
_THROTTLED = register(
    "throttled",
    429,
    "Too many requests",
    "Wait for the seconds in the `Retry-After` header, then go on.",
)

_BY_STATUS = {
    entry.status: entry
    for entry in (
        _MALFORMED,
        _UNAUTHENTICATED,
        _FORBIDDEN,
        _NOT_FOUND,
        _METHOD,
        _ACCEPT,
        _MEDIA,
        _THROTTLED,
    )
}

# The pure library's families, narrowest first: (class, code).
_PURE: tuple[tuple[type[pure.ColophonError], ProblemCode], ...] = (
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
    (
        pure.CouldNotCheck,
        register(
            "could-not-check",
            503,
            "Could not check just now",
            "Something outside, such as the chain, did not answer. Try again later; "
            "this says nothing about the thing checked.",
        ),
    ),
    (
        pure.ColophonError,
        register(
            "refused",
            409,
            "Refused",
            "The request does not fit the present state; the detail says why.",
        ),
    ),
)


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Django REST framework's EXCEPTION_HANDLER.

    Returns:
        A problem response, or None for an unforeseen error: Django logs it and
        answers 500.
    """
    request = context.get("request")
    if isinstance(error, pure.ColophonError):
        return _of_colophon(error, request)
    if isinstance(error, exceptions.ValidationError):
        found = tuple(_field_errors(error.get_full_details()))
        return problem_response(_INVALID, request=request, errors=found)
    if isinstance(error, Http404 | PermissionDenied):
        entry = _NOT_FOUND if isinstance(error, Http404) else _FORBIDDEN
        return problem_response(entry, request=request)
    answer = drf_handler(error, context)
    if answer is None or not isinstance(error, exceptions.APIException):
        return None
    entry = _BY_STATUS.get(answer.status_code, _INVALID)
    made = problem_response(entry, detail=str(error.detail), request=request)
    made.status_code = answer.status_code
    for name in ("WWW-Authenticate", "Retry-After"):
        if name in answer.headers:
            made[name] = answer[name]
    return made


def problem_response(
    entry: ProblemCode,
    *,
    detail: str = "",
    errors: tuple[FieldError, ...] = (),
    request: Any = None,
) -> Response:
    """A problem of a registered code as a response."""
    body = problem_body(entry, detail=detail, errors=errors, request=request)
    return Response(body, status=entry.status, content_type=CONTENT_TYPE)


def problem_body(
    entry: ProblemCode,
    *,
    detail: str = "",
    errors: tuple[FieldError, ...] = (),
    request: Any = None,
) -> dict[str, Any]:
    """The members of RFC 9457 and our own: code, errors, request_id."""
    return {
        "type": f"{settings.SITE_URL}/developers/errors#{entry.code}",
        "title": entry.title,
        "status": entry.status,
        "detail": detail or entry.meaning,
        "instance": getattr(request, "path", ""),
        "code": entry.code,
        "errors": [
            {"pointer": one.pointer, "detail": one.detail, "code": one.code}
            for one in errors
        ],
        "request_id": getattr(request, "request_id", ""),
    }


def describe(
    error: pure.ColophonError,
) -> tuple[ProblemCode, str, tuple[FieldError, ...]]:
    """Which registered problem an error is, with its detail and field errors."""
    if isinstance(error, Problem):
        return REGISTRY[error.code], error.detail, error.errors
    entry = next(code for family, code in _PURE if isinstance(error, family))
    if isinstance(error, pure.InputError):
        pointer = f"/{error.field}" if error.field else ""
        return entry, str(error), (FieldError(pointer, error.message),)
    return entry, str(error), ()


def _of_colophon(error: pure.ColophonError, request: Any) -> Response:
    entry, detail, errors = describe(error)
    return problem_response(entry, detail=detail, errors=errors, request=request)


def _field_errors(details: Any, pointer: str = "") -> Iterator[FieldError]:
    """Flatten DRF's nested details into one error per pointer."""
    if isinstance(details, Mapping):
        if set(details) == {"message", "code"} and isinstance(details["message"], str):
            yield FieldError(pointer, details["message"], str(details["code"]))
            return
        for key, inner in details.items():
            step = "" if key == "non_field_errors" else f"/{_escape(str(key))}"
            yield from _field_errors(inner, pointer + step)
    elif isinstance(details, list):
        leaves = all(_is_leaf(inner) for inner in details)
        for index, inner in enumerate(details):
            step = "" if leaves else f"/{index}"
            yield from _field_errors(inner, pointer + step)


def _is_leaf(details: Any) -> bool:
    return isinstance(details, Mapping) and set(details) == {"message", "code"}


def _escape(key: str) -> str:
    """A key as a reference token of RFC 6901."""
    return key.replace("~", "~0").replace("/", "~1")
