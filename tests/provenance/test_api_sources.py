"""The registry by API: register, find, and errors by their field."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from colophon.digest import sha256
from provenance.models import Source
from tests.loop import Person

pytestmark = pytest.mark.django_db
JSON = "application/json"
DIGEST = sha256(b"weights").hex()
MODEL = {"kind": "model", "name": "Tidewater", "version": "3.1", "digest": DIGEST}


@pytest.fixture
def lab(mia: User) -> Person:
    return Person.of(mia, "upload")


def post(client: Client, person: Person, **body: Any) -> Any:
    headers = {"Authorization": f"Bearer {person.secret}"}
    given = {key: value for key, value in {**MODEL, **body}.items() if value != "-"}
    return client.post("/api/v1/sources", given, content_type=JSON, headers=headers)


def test_registering_answers_with_everything_that_is_public(
    client: Client, lab: Person
) -> None:
    answer = post(
        client,
        lab,
        ask_ppm=120_000,
        terms="by agreement",
        description="A model of tides",
        training={"ai_training": "notAllowed"},
    )
    assert answer.status_code == 201
    row = Source.objects.get()
    assert answer.json() == {
        "id": row.code,
        "kind": "model",
        "name": "Tidewater",
        "version": "3.1",
        "digest": DIGEST,
        "holder": lab.party.holder.code,
        "owner": "Mia",
        "owner_signed": True,
        "ask_ppm": 120_000,
        "terms": "by agreement",
        "training": {"ai_training": "notAllowed"},
        "log_index": None,
    }
    assert row.description == "A model of tides"
    assert client.get(f"/api/v1/sources/{row.code}").json() == answer.json()


def test_the_same_again_is_the_same_and_other_facts_are_a_conflict(
    client: Client, lab: Person
) -> None:
    first = post(client, lab).json()
    assert post(client, lab).json() == first
    answer = post(client, lab, version="4")
    assert (answer.status_code, answer.json()["code"]) == (409, "source-conflict")
    assert answer.json()["errors"][0]["pointer"] == "/version"
    assert Source.objects.count() == 1


def test_a_claim_for_somebody_else_says_so(client: Client, lab: Person) -> None:
    answer = post(client, lab, own=False, owner_name="A museum")
    assert (answer.json()["owner"], answer.json()["owner_signed"]) == (
        "A museum",
        False,
    )


def test_a_model_names_its_training_data(client: Client, lab: Person) -> None:
    data = post(client, lab, kind="dataset", digest=sha256(b"data").hex()).json()
    model = post(client, lab, trained_on=[data["id"]]).json()
    (found,) = Source.objects.get(code=model["id"]).trained_on.all()
    assert found.code == data["id"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"kind": "song"}, "/kind"),
        ({"kind": "-"}, "/kind"),
        ({"name": ""}, "/name"),
        ({"name": "x" * 161}, "/name"),
        ({"digest": "00"}, "/digest"),
        ({"digest": DIGEST.upper()}, "/digest"),
        ({"digest": "-"}, "/digest"),
        ({"ask_ppm": -1}, "/ask_ppm"),
        ({"ask_ppm": 1_000_001}, "/ask_ppm"),
        ({"ask_ppm": 0.5}, "/ask_ppm"),
        ({"ask_ppm": True}, "/ask_ppm"),
        ({"own": "yes"}, "/own"),
        ({"own": False}, "/owner_name"),
        ({"own": False, "owner_name": "X", "ask_ppm": 1}, "/ask_ppm"),
        ({"training": {"ai_training": "maybe"}}, "/training/ai_training"),
        ({"training": {"cooking": "allowed"}}, "/training/cooking"),
        ({"trained_on": ["src_x"]}, "/trained_on/0"),
        ({"trained_on": [7]}, "/trained_on/0"),
        ({"trained_on": [["src_x"]]}, "/trained_on/0"),
        ({"trained_on": ["x"] * 33}, "/trained_on"),
        ({"terms": "x" * 4_001}, "/terms"),
        ({"color": "red"}, "/color"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_registered(
    client: Client, lab: Person, body: dict[str, Any], pointer: str
) -> None:
    answer = post(client, lab, **body)
    assert answer.status_code == 422, answer.content
    assert [one["pointer"] for one in answer.json()["errors"]] == [pointer]
    assert not Source.objects.exists()


def test_finding_by_digest_lists_the_oldest_first(
    client: Client, lab: Person, eve: User
) -> None:
    post(client, lab)
    post(client, Person.of(eve), own=False, owner_name="Mia")
    found = client.get(f"/api/v1/sources?digest={DIGEST}").json()["data"]
    assert [one["owner_signed"] for one in found] == [True, False]
    other = sha256(b"other").hex()
    assert client.get(f"/api/v1/sources?digest={other}").json() == {"data": []}


@pytest.mark.parametrize("query", ["", "?digest=", "?digest=zz", "?digest=00"])
def test_finding_needs_a_digest(client: Client, db: None, query: str) -> None:
    answer = client.get(f"/api/v1/sources{query}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/digest"


def test_an_unknown_source_is_not_found(client: Client, db: None) -> None:
    assert client.get("/api/v1/sources/src_none").status_code == 404
