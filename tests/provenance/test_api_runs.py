"""Runs by API: what a pipeline sends, what it gets back, and errors by their field."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from colophon import statement
from colophon.ids import new_id
from colophon.records import parse_ticket
from log.models import Checkpoint
from provenance.models import Run, Step
from tests.cast import party_of
from tests.factories import logged
from tests.loop import Person
from tests.provenance.test_record import enrolled, written

pytestmark = pytest.mark.django_db
JSON = "application/json"


@pytest.fixture
def studio(ada: User) -> Person:
    return Person.of(ada, "record")


def post(client: Client, person: Person, path: str, body: Any) -> Any:
    headers = {"Authorization": f"Bearer {person.secret}"}
    return client.post(f"/api/v1/{path}", body, content_type=JSON, headers=headers)


def opened(client: Client, person: Person, **body: Any) -> Run:
    answer = post(client, person, "runs", {"name": "spring", **body})
    assert answer.status_code == 201, answer.content
    return Run.objects.get(code=answer.json()["id"])


def test_opening_a_run_gives_its_ticket(client: Client, studio: Person) -> None:
    answer = post(client, studio, "runs", {"name": "spring"})
    assert answer.status_code == 201
    body = answer.json()
    run = Run.objects.get(code=body["id"])
    assert (body["name"], body["steps"]) == ("spring", [])
    assert body["nonce"] == bytes(run.nonce).hex()
    envelope = statement.Envelope.from_json(body["ticket"]["envelope"])
    assert envelope.digest.hex() == body["ticket"]["digest"]
    assert parse_ticket(statement.read_statement(envelope.payload)).run == run.code
    assert run.api_key is not None
    assert studio.secret.startswith(f"clp_{run.api_key.prefix}")


def test_reading_a_run_shows_its_steps_and_their_place_in_the_log(
    client: Client, studio: Person
) -> None:
    run, key = opened(client, studio), enrolled(studio.user)
    envelope, openings = written(run, key, prompt="a harbor")
    body = {
        "envelope": envelope.to_json(),
        "disclosures": [one.to_json() for one in openings],
    }
    answer = post(client, studio, f"runs/{run.code}/steps", body)
    assert answer.status_code == 201
    said = answer.json()
    assert said["digest"] == envelope.digest.hex()
    assert (said["position"], said["action"]) == (0, "c2pa.created")
    assert said["log_index"] is None
    again = post(client, studio, f"runs/{run.code}/steps", body)
    assert (again.status_code, again.json()["id"]) == (201, said["id"])
    logged()
    headers = {"Authorization": f"Bearer {studio.secret}"}
    found = client.get(f"/api/v1/runs/{run.code}", headers=headers).json()
    assert [one["id"] for one in found["steps"]] == [said["id"]]
    assert found["steps"][0]["log_index"] < Checkpoint.objects.latest("size").size


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/name"),
        ({"name": ""}, "/name"),
        ({"name": "x" * 121}, "/name"),
        ({"name": 7}, "/name"),
        ({"name": "x", "id": "run_1"}, "/id"),
        ({"name": "x", "id": "ast_0198abcd00007abc8abcdef012345678"}, "/id"),
        ({"name": "x", "other": 1}, "/other"),
        ([], ""),
    ],
)
def test_a_wrong_run_names_the_field(
    client: Client, studio: Person, body: Any, pointer: str
) -> None:
    answer = post(client, studio, "runs", body)
    assert answer.status_code == 422
    assert answer["Content-Type"] == "application/problem+json"
    assert [one["pointer"] for one in answer.json()["errors"]] == [pointer]
    assert not Run.objects.exists()


def test_a_run_of_ones_own_id(client: Client, studio: Person, eve: User) -> None:
    code = new_id("run")
    assert opened(client, studio, id=code).code == code
    assert opened(client, studio, id=code).code == code
    answer = post(client, Person.of(eve), "runs", {"name": "x", "id": code})
    assert (answer.status_code, Run.objects.count()) == (422, 1)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        (lambda body: body.pop("envelope"), "/envelope"),
        (lambda body: body.update(envelope=7), ""),
        (lambda body: body["envelope"].update(payload="!"), "/payload"),
        (lambda body: body["envelope"].update(signatures=[]), "/envelope"),
        (lambda body: body.update(other=1), "/other"),
        (lambda body: body.update(disclosures=7), "/disclosures"),
        (lambda body: body.update(disclosures=[{}]), "/disclosures/0/field"),
        (
            lambda body: body["disclosures"][0].update(salt="00"),
            "/disclosures/0/salt",
        ),
        (
            lambda body: body["disclosures"][0].update(value="other"),
            "/disclosures/0",
        ),
        (
            lambda body: body["disclosures"].append(body["disclosures"][0]),
            "/disclosures/1",
        ),
    ],
)
def test_a_wrong_step_names_the_field_and_leaves_nothing(
    client: Client, studio: Person, change: Any, pointer: str
) -> None:
    run, key = opened(client, studio), enrolled(studio.user)
    envelope, openings = written(run, key, prompt="a harbor")
    body = {
        "envelope": envelope.to_json(),
        "disclosures": [one.to_json() for one in openings],
    }
    change(body)
    answer = post(client, studio, f"runs/{run.code}/steps", body)
    assert answer.status_code == 422, answer.content
    assert [one["pointer"] for one in answer.json()["errors"]] == [pointer]
    assert not Step.objects.exists()


def test_a_wrong_signature_is_422(client: Client, studio: Person) -> None:
    run, key = opened(client, studio), enrolled(studio.user)
    envelope, _ = written(run, key)
    said = envelope.to_json()
    said["signatures"][0]["sig"] = "A" * 86 + "=="
    answer = post(client, studio, f"runs/{run.code}/steps", {"envelope": said})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/envelope"


def test_other_methods_and_broken_json_are_named(
    client: Client, studio: Person
) -> None:
    headers = {"Authorization": f"Bearer {studio.secret}"}
    assert client.get("/api/v1/runs", headers=headers).status_code == 405
    answer = client.post("/api/v1/runs", "{", content_type=JSON, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
    assert party_of(studio.user).runs.count() == 0
