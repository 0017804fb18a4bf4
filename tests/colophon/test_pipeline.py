"""The pipeline's connection: every call may be repeated, every failure has a name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from accounts.models import SigningKey, User
from colophon.digest import sha256
from colophon.errors import InputError
from colophon.ids import new_id
from colophon.keys import Ed25519Key
from colophon.pipeline import ApiError, Pipeline, Unreachable
from provenance.models import Asset, Run
from tests.factories import jpeg
from tests.loop import SITE, Person

pytestmark = pytest.mark.django_db


@pytest.fixture
def studio(ada: User) -> Person:
    return Person.of(ada)


def answering(status: int, **body: Any) -> Pipeline:
    """A pipeline to a site that answers everything alike."""
    transport = httpx.MockTransport(lambda _: httpx.Response(status, **body))
    return Pipeline(SITE, "clp_x", httpx.Client(transport=transport))


def test_who_the_key_acts_for(studio: Person) -> None:
    assert studio.api.me()["party"]["id"] == studio.party.code


def test_enrolling_twice_enrolls_once(studio: Person) -> None:
    for _ in range(2):
        studio.api.enroll(studio.key)
    assert SigningKey.objects.filter(key_id=studio.key.key_id).count() == 1
    posted = [path for path, body in studio.transport.sent if body]
    assert posted == ["/api/v1/keys"]


def test_a_runtime_key_names_its_models(studio: Person) -> None:
    studio.api.enroll(studio.key, purpose="runtime", models=(sha256(b"weights"),))
    assert SigningKey.objects.get(key_id=studio.key.key_id).purpose == "runtime"
    with pytest.raises(InputError, match="models"):
        studio.api.enroll(Ed25519Key.generate(), purpose="runtime")


def test_a_key_of_another_account_is_fine_but_not_ours(
    studio: Person, ben: User
) -> None:
    studio.api.enroll(studio.key)
    Person.of(ben).api.enroll(studio.key)
    assert SigningKey.objects.get(key_id=studio.key.key_id).party == studio.party


def test_opening_a_run_of_ones_own_id_again_gives_the_same_ticket(
    studio: Person, ben: User
) -> None:
    code = new_id("run")
    first = studio.api.open_run("spring", code)
    assert studio.api.open_run("spring", code) == first
    assert first.id == code
    assert Run.objects.count() == 1
    with pytest.raises(ApiError, match="another run"):
        Person.of(ben).api.open_run("spring", code)


def test_uploading_the_same_file_twice_is_one_asset(
    studio: Person, tmp_path: Path
) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg())
    fields = {"title": "Night current", "origin": "human"}
    first = studio.api.upload(path, **fields)
    assert studio.api.upload(path, **fields)["id"] == first["id"]
    assert Asset.objects.get().code == first["id"]


@pytest.mark.parametrize("status", [500, 502, 503, 429])
def test_a_site_with_trouble_of_its_own_is_unreachable(status: int) -> None:
    with pytest.raises(Unreachable, match=str(status)):
        answering(status, text="<h1>no</h1>").me()


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (401, {"json": {"code": "not-authenticated", "detail": "Sign in"}}, "Sign in"),
        (302, {"headers": {"Location": "https://evil.example"}}, "302"),
        (404, {"text": "<h1>nothing</h1>"}, "Not Found"),
        (422, {"json": ["odd"]}, "422"),
        (422, {"json": {"errors": 7, "title": "Odd"}}, "Odd"),
        (200, {"text": "<html>a hotel</html>"}, "no JSON"),
        (200, {"json": [1]}, "no JSON object"),
    ],
)
def test_a_refusal_says_why(status: int, body: dict[str, Any], words: str) -> None:
    with pytest.raises(ApiError, match=words) as caught:
        answering(status, **body).me()
    assert caught.value.status == status


def test_a_problem_names_the_fields() -> None:
    body = {
        "code": "invalid-record",
        "detail": "index: is 3",
        "errors": [{"pointer": "/index", "detail": "is 3"}],
    }
    with pytest.raises(ApiError, match="/index is 3") as caught:
        answering(422, json=body).open_run("x")
    assert caught.value.code == "invalid-record"


@pytest.mark.parametrize(
    "answer",
    [{}, {"id": "run_1"}, {"id": 1, "ticket": {"digest": "zz"}, "nonce": ""}],
)
def test_an_answer_without_a_ticket_is_refused(answer: dict[str, Any]) -> None:
    with pytest.raises(ApiError, match="has no ticket"):
        answering(201, json=answer).open_run("x")


def test_nobody_listening_is_unreachable() -> None:
    pipeline = Pipeline("http://127.0.0.1:9", "clp_x")
    with pipeline, pytest.raises(Unreachable, match="did not answer"):
        pipeline.me()


@pytest.mark.parametrize(("site", "key"), [("example.com", "clp_x"), (SITE, "a b")])
def test_wrong_arguments_are_refused_at_once(site: str, key: str) -> None:
    with pytest.raises(InputError):
        Pipeline(site, key)


def test_a_given_client_stays_open() -> None:
    http = httpx.Client()
    Pipeline(SITE, "clp_x", http).close()
    assert not http.is_closed
    http.close()
