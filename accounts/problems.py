"""Answer every API error as problem details: one shape, one code, one place.

Errors know nothing of HTTP below this point, except `accounts.errors.Problem`, which
carries its own status. Source: RFC 9457; field errors carry JSON pointers (RFC 6901).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.conf import settings
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_handler

from accounts import standard_problems as standard
from accounts.errors import REGISTRY, FieldError, Problem, ProblemCode
from colophon import errors as pure

__all__ = ["Problem", "exception_handler", "problem_response"]

CONTENT_TYPE = "application/problem+json"


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
        return problem_response(standard.INVALID, request=request, errors=found)
    for family, entry in standard.PLAIN:
        if isinstance(error, family):
            return problem_response(entry, request=request)
    return _of_framework(error, context)


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
    entry = next(code for family, code in standard.PURE if isinstance(error, family))
    if isinstance(error, pure.InputError):
        pointer = f"/{error.field}" if error.field else ""
        return entry, str(error), (FieldError(pointer, error.message),)
    return entry, str(error), ()


def _of_colophon(error: pure.ColophonError, request: Any) -> Response:
    entry, detail, errors = describe(error)
    return problem_response(entry, detail=detail, errors=errors, request=request)


def _of_framework(error: Exception, context: dict[str, Any]) -> Response | None:
    """The framework's own errors, with the headers that it sets for them."""
    answer = drf_handler(error, context)
    if answer is None or not isinstance(error, exceptions.APIException):
        return None
    entry = standard.BY_STATUS.get(answer.status_code, standard.INVALID)
    request = context.get("request")
    made = problem_response(entry, detail=str(error.detail), request=request)
    made.status_code = answer.status_code
    for name in ("WWW-Authenticate", "Retry-After"):
        if name in answer.headers:
            made[name] = answer[name]
    return made


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
