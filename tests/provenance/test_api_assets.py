"""Works by API: upload, follow, fetch the evidence, agree."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from colophon.evidence import Bundle
from colophon.ids import new_id
from provenance.models import Asset, LicensedCopy, Run
from tests import factories
from tests.cast import party_of
from tests.loop import Person, judge, picture, seal, upload

pytestmark = pytest.mark.django_db
JSON = "application/json"


def send(
    client: Client, person: Person, data: bytes | None = None, **fields: Any
) -> Any:
    """An upload with these form fields."""
    file = SimpleUploadedFile("work.jpg", picture() if data is None else data)
    given = {"file": file, "title": "Night current", "origin": "human", **fields}
    given = {key: value for key, value in given.items() if value is not None}
    headers = {"Authorization": f"Bearer {person.secret}"}
    return client.post("/api/v1/assets", given, headers=headers)


def ask(client: Client, person: Person, path: str, body: Any) -> Any:
    headers = {"Authorization": f"Bearer {person.secret}"}
    return client.post(f"/api/v1/{path}", body, content_type=JSON, headers=headers)


def pointers(answer: Any) -> list[str]:
    assert answer.status_code == 422, answer.content
    return [one["pointer"] for one in answer.json()["errors"]]


def test_an_upload_is_taken_in_and_can_be_followed(
    client: Client, maker: Person, clock: None
) -> None:
    answer = send(
        client,
        maker,
        alt_text="Lines",
        creator_name="Ada Lindqvist",
        training='{"ai_training": "notAllowed"}',
    )
    assert answer.status_code == 202
    body = answer.json()
    assert (body["stage"], body["sha256"], body["verdict"]) == ("received", None, None)
    asset = Asset.objects.get(code=body["id"])
    assert asset.training == {"ai_training": "notAllowed"}
    asset = seal(asset)
    said = maker.api.ask("GET", f"/api/v1/assets/{asset.code}")
    assert said["stage"] == "sealed"
    assert said["sha256"] == bytes(asset.seal.file_digest).hex()
    assert said["seal"] == {
        "digest": bytes(asset.seal.digest).hex(),
        "log_index": None,
    }
    verdict = judge(asset, maker)
    said = maker.api.ask("GET", f"/api/v1/assets/{asset.code}")
    assert said["seal"]["log_index"] is not None
    assert said["anchor"]["block_number"] == 4711
    assert said["verdict"]["word"] == verdict.word == "Credentialed"
    assert {one["id"] for one in said["verdict"]["criteria"]} >= {
        "e1.file",
        "r2.shares",
    }
    assert said["token"] is None


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"title": None}, "/title"),
        ({"title": ""}, "/title"),
        ({"title": "x" * 161}, "/title"),
        ({"alt_text": "x" * 301}, "/alt_text"),
        ({"creator_name": "x" * 121}, "/creator_name"),
        ({"description": "x" * 4_001}, "/description"),
        ({"origin": None}, "/origin"),
        ({"origin": "robot"}, "/origin"),
        ({"training": "yes"}, "/training"),
        ({"training": "[]"}, "/training"),
        ({"training": '{"ai_training": "maybe"}'}, "/training/ai_training"),
        ({"run": "run_none"}, "/run"),
        ({"color": "red"}, "/color"),
        ({"file": None}, "/file"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_kept(
    client: Client, maker: Person, fields: dict[str, Any], pointer: str
) -> None:
    found = pointers(send(client, maker, **fields))
    assert found == [pointer]
    assert not Asset.objects.exists()
    assert not Run.objects.exists()


@pytest.mark.parametrize(
    "data", [b"", b"BM" + bytes(20), b"%PDF-1.7", b"<html>", bytes(30)]
)
def test_a_file_that_is_no_picture_names_the_file(
    client: Client, maker: Person, data: bytes
) -> None:
    assert pointers(send(client, maker, data)) == ["/file"]
    assert not Run.objects.exists()


def test_a_body_that_is_no_form_is_415(client: Client, maker: Person) -> None:
    answer = ask(client, maker, "assets", {"title": "x"})
    assert (answer.status_code, answer.json()["code"]) == (
        415,
        "unsupported-media-type",
    )


def test_an_upload_names_a_run_with_steps(client: Client, maker: Person) -> None:
    data = picture()
    empty = factories.open_run(party=maker.party, name="x")
    answer = send(client, maker, data, run=empty.code, origin=None)
    assert pointers(answer) == ["/run"]
    run = factories.declared_run(maker.party, data)
    answer = send(client, maker, data, run=run.code, origin=None)
    assert answer.status_code == 202
    assert Asset.objects.get().run == run


def test_the_same_file_again_is_the_same_asset(client: Client, maker: Person) -> None:
    first = send(client, maker).json()["id"]
    assert send(client, maker, title="Other").json()["id"] == first


def test_the_evidence_of_a_work_is_a_bundle(client: Client, maker: Person) -> None:
    asset = seal(upload(maker, picture()))
    headers = {"Authorization": f"Bearer {maker.secret}"}
    path = f"/api/v1/assets/{asset.code}/evidence"
    answer = client.get(path, headers=headers)
    assert answer.status_code == 200
    assert f'filename="{asset.code}.colophon"' in answer["Content-Disposition"]
    bundle = Bundle.from_bytes(answer.content)
    assert bundle.asset["id"] == asset.code
    assert bundle.one("seal") is not None


def test_before_the_seal_there_is_no_evidence(client: Client, maker: Person) -> None:
    asset = upload(maker, picture())
    headers = {"Authorization": f"Bearer {maker.secret}"}
    path = f"/api/v1/assets/{asset.code}/evidence"
    assert client.get(path, headers=headers).status_code == 404


def test_evidence_is_found_by_file_upload_and_licensed_copy(
    client: Client, ada: User, ben: User
) -> None:
    asset = factories.published_asset(party_of(ada))
    row = factories.delivered(factories.licensed(asset, party_of(ben)))
    LicensedCopy.objects.create(asset=asset, digest=bytes(row.digest), entry=row.entry)
    for digest in (asset.seal.file_digest, asset.uploaded_digest, row.digest):
        answer = client.get(f"/api/v1/evidence?sha256={bytes(digest).hex()}")
        assert answer.status_code == 200
        bundle = Bundle.from_bytes(answer.content)
        assert bundle.asset["id"] == asset.code
        assert len(bundle.of("delivery")) == (1 if digest == row.digest else 0)
    assert b"Ben" not in answer.content  # who bought it is nobody's business


@pytest.mark.parametrize(
    ("query", "status"), [("", 422), ("?sha256=zz", 422), ("?sha256=" + "0" * 64, 404)]
)
def test_evidence_needs_a_digest_that_is_on_record(
    client: Client, db: None, query: str, status: int
) -> None:
    assert client.get(f"/api/v1/evidence{query}").status_code == status


def test_agreeing_without_parts_takes_the_asks(
    client: Client, maker: Person, ada: User, ben: User
) -> None:
    asset = factories.sealed_asset(maker.party)
    answer = ask(client, maker, f"assets/{asset.code}/agreement", {})
    assert answer.status_code == 201
    body = answer.json()
    assert (body["version"], body["fee_ppm"]) == (1, 50_000)
    assert [(one["role"], one["ppm"], one["accepted"]) for one in body["parts"]] == [
        ("platform", 50_000, "account-key"),
        ("creator", 950_000, "account-key"),
    ]
    buyer = Person.of(ben)
    parts = [
        {"holder": maker.party.holder.code, "ppm": 900_000},
        {"holder": buyer.party.holder.code, "ppm": 50_000},
    ]
    path = f"assets/{asset.code}/agreement"
    second = ask(client, maker, path, {"parts": parts}).json()
    assert second["version"] == 2
    assert second["parts"][2]["accepted"] is None
    accept = f"agreements/{second['id']}/accept"
    assert ask(client, buyer, accept, {}).json()["parts"][2]["accepted"]
    assert ask(client, Person.of(ada), accept, {}).status_code == 200


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"parts": []}, "/parts"),
        ({"parts": 7}, "/parts"),
        ({"parts": [{"ppm": 1}]}, "/parts/0/holder"),
        ({"parts": [{"holder": "hol_x", "ppm": 1}]}, "/parts/0/holder"),
        ({"other": 1}, "/other"),
    ],
)
def test_a_wrong_agreement_names_the_part(
    client: Client, maker: Person, body: Any, pointer: str
) -> None:
    asset = factories.sealed_asset(maker.party)
    answer = ask(client, maker, f"assets/{asset.code}/agreement", body)
    assert pointers(answer) == [pointer]
    assert not asset.agreements.exists()


def test_agreeing_before_the_seal_is_not_ready(client: Client, maker: Person) -> None:
    asset = upload(maker, picture())
    answer = ask(client, maker, f"assets/{asset.code}/agreement", {})
    assert (answer.status_code, answer.json()["code"]) == (409, "not-ready")


def test_an_unknown_work_is_not_found(client: Client, maker: Person) -> None:
    for path in (
        f"assets/{new_id('ast')}/agreement",
        f"agreements/{new_id('agr')}/accept",
    ):
        assert ask(client, maker, path, {}).status_code == 404
