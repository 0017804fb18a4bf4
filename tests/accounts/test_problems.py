"""Every error is problem details: a registered code, a pointer, a request id."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.test import Client, RequestFactory
from django.urls import path
from rest_framework import exceptions, serializers

from accounts.errors import REGISTRY, FieldError, Problem, register
from accounts.problems import exception_handler
from chain.errors import RpcDownError
from colophon import errors as pure

DOCS = Path(__file__).parents[2] / "docs" / "api-errors.md"


class StockError(Problem):
    """A problem of the tests' own, as another app would write it."""

    status = 410
    code = "test-sold-out"
    title = "Sold out"
    meaning = "There is none left."


def _view(request: HttpRequest) -> Any:
    raise StockError("The last one went at noon.")


urlpatterns = [path("stock", _view), path("api/stock", _view)]


def answer(error: Exception) -> Any:
    """The problem response to an error at /api/v1/things."""
    request = RequestFactory().get("/api/v1/things")
    request.request_id = "req_test"  # type: ignore[attr-defined]
    made = exception_handler(error, {"request": request})
    assert made is not None
    return made


class Thing(serializers.Serializer[Any]):
    name = serializers.CharField()


class Shape(serializers.Serializer[Any]):
    count = serializers.IntegerField(min_value=1)
    things = Thing(many=True)
    tags = serializers.ListField(child=serializers.CharField(max_length=3))


def test_a_problem_has_every_member_of_rfc_9457() -> None:
    made = answer(StockError("The last one went at noon."))
    assert made.status_code == 410
    assert made.content_type == "application/problem+json"
    assert made.data == {
        "type": "http://127.0.0.1:8000/developers/errors#test-sold-out",
        "title": "Sold out",
        "status": 410,
        "detail": "The last one went at noon.",
        "instance": "/api/v1/things",
        "code": "test-sold-out",
        "errors": [],
        "request_id": "req_test",
    }


def test_field_errors_carry_json_pointers() -> None:
    shape = Shape(
        data={"count": 0, "things": [{"name": "a"}, {}], "tags": ["ok", "long"]}
    )
    with pytest.raises(exceptions.ValidationError) as caught:
        shape.is_valid(raise_exception=True)
    made = answer(caught.value)
    assert (made.status_code, made.data["code"]) == (400, "invalid")
    found = {one["pointer"]: one["code"] for one in made.data["errors"]}
    assert found == {
        "/count": "min_value",
        "/things/1/name": "required",
        "/tags/1": "max_length",
    }


def test_pointers_escape_slash_and_tilde() -> None:
    made = answer(exceptions.ValidationError({"a/b~c": ["no"]}))
    assert made.data["errors"][0]["pointer"] == "/a~1b~0c"


def test_input_errors_point_at_their_field() -> None:
    made = answer(pure.InputError("is missing", "predicate/inputs/0/digest"))
    assert (made.status_code, made.data["code"]) == (422, "invalid-record")
    assert made.data["errors"] == [
        {
            "pointer": "/predicate/inputs/0/digest",
            "detail": "is missing",
            "code": "invalid",
        }
    ]


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (pure.SignatureError("x"), 422, "bad-signature"),
        (pure.ProofError("x"), 422, "bad-proof"),
        (pure.EvidenceError("x"), 422, "bad-evidence"),
        (pure.CredentialError("timeout"), 422, "bad-credential"),
        (pure.TrustError("x"), 422, "untrusted"),
        (pure.CouldNotCheck("chain"), 503, "could-not-check"),
        (pure.ColophonError("x"), 409, "refused"),
        (RpcDownError("x"), 503, "could-not-check"),
        (exceptions.ParseError(), 400, "malformed"),
        (exceptions.NotAuthenticated(), 401, "not-authenticated"),
        (exceptions.PermissionDenied(), 403, "permission-denied"),
        (PermissionDenied(), 403, "permission-denied"),
        (Http404(), 404, "not-found"),
        (exceptions.MethodNotAllowed("PUT"), 405, "method-not-allowed"),
        (exceptions.NotAcceptable(), 406, "not-acceptable"),
        (exceptions.UnsupportedMediaType("x/y"), 415, "unsupported-media-type"),
        (exceptions.Throttled(wait=7), 429, "throttled"),
    ],
)
def test_each_error_has_its_status_and_code(
    error: Exception, status: int, code: str
) -> None:
    made = answer(error)
    assert (made.status_code, made.data["status"]) == (status, status)
    assert made.data["code"] == code
    assert made.data["type"].endswith(f"#{code}")


def test_throttling_says_how_long_to_wait() -> None:
    assert answer(exceptions.Throttled(wait=7)).headers["Retry-After"] == "7"


def test_an_unforeseen_error_is_left_to_django() -> None:
    request = RequestFactory().get("/")
    assert exception_handler(KeyError("x"), {"request": request}) is None


def test_a_code_means_one_thing() -> None:
    with pytest.raises(ValueError, match="taken"):
        register("not-found", 404, "Something else", "")
    again = REGISTRY["not-found"]
    assert register(again.code, again.status, again.title, again.meaning) == again


def test_a_field_error_of_a_problem_is_shown() -> None:
    made = answer(StockError(errors=[FieldError("/offer", "is sold out", "gone")]))
    assert made.data["errors"] == [
        {"pointer": "/offer", "detail": "is sold out", "code": "gone"}
    ]
    assert made.data["detail"] == "There is none left."


def test_the_errors_page_has_an_anchor_for_every_code(client: Client) -> None:
    page = client.get("/developers/errors").content.decode()
    anchors = set(re.findall(r'<tr id="([^"]+)"', page))
    assert set(REGISTRY) <= anchors
    assert client.post("/developers/errors").status_code == 405


def test_the_documented_list_is_the_registry() -> None:
    rows = set(re.findall(r"^\| `([a-z-]+)` \| \d", DOCS.read_text(), re.MULTILINE))
    mine = {code for code in REGISTRY if not code.startswith("test-")}
    assert rows == mine, "run manage.py api_errors"


@pytest.mark.urls("tests.accounts.test_problems")
def test_a_problem_of_a_plain_view_is_a_page(client: Client) -> None:
    answered = client.get("/stock")
    assert answered.status_code == 410
    assert b"The last one went at noon." in answered.content


def test_an_unknown_api_address_answers_problem_details(client: Client) -> None:
    answered = client.get("/api/v1/nowhere")
    assert answered.status_code == 404
    assert answered.headers["Content-Type"] == "application/problem+json"
    assert answered.json()["request_id"] == answered.headers["X-Request-Id"]


def test_an_unknown_page_stays_a_page(client: Client) -> None:
    answered = client.get("/nowhere")
    assert answered.status_code == 404
    assert answered.headers["Content-Type"].startswith("text/html")


def test_a_harmless_request_id_is_kept_and_a_forged_one_replaced(
    client: Client,
) -> None:
    kept = client.get("/developers/errors", headers={"X-Request-Id": "build-42.retry"})
    assert kept.headers["X-Request-Id"] == "build-42.retry"
    for forged in ("short", "x" * 65, "line\tbreak id"):
        made = client.get("/developers/errors", headers={"X-Request-Id": forged})
        assert made.headers["X-Request-Id"].startswith("req_")
