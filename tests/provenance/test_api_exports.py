"""Exports by API: each format with its media type, for whom the work is visible."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_der_public_key
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from django.test import Client
from prov.model import ProvDocument
from securesystemslib import dsse
from securesystemslib.signer import SSlibKey

from accounts.models import User
from accounts.platform import platform_signer
from colophon import cli
from colophon.evidence import Bundle
from provenance.models import Asset
from tests import factories
from tests.cast import party_of
from tests.loop import Person, picture, seal, upload

pytestmark = pytest.mark.django_db


@pytest.fixture
def work(ada: User) -> Asset:
    return factories.published_asset(party_of(ada))


def export(client: Client, asset: Asset, kind: str, **options: Any) -> Any:
    return client.get(f"/api/v1/assets/{asset.code}/export/{kind}", **options)


def test_prov_is_served_and_the_library_reads_it(client: Client, work: Asset) -> None:
    answer = export(client, work, "prov")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"
    assert f'filename="{work.code}.prov.json"' in answer["Content-Disposition"]
    found = ProvDocument.deserialize(content=answer.content.decode(), format="json")
    sealed = bytes(work.seal.file_digest).hex()
    assert f"file:{sealed}" in {
        str(one.identifier) for one in found.get_records() if one.identifier
    }


def test_cyclonedx_is_served_with_the_data_behind_a_model(
    client: Client, ada: User, mia: User
) -> None:
    data = factories.model_of(party_of(mia), "Photographs", kind="dataset")
    model = factories.model_of(party_of(mia), trained_on=[data])
    work = factories.published_asset(party_of(ada))
    assert work.run is not None
    work.run.steps.update(model_source=model)
    answer = export(client, work, "cyclonedx")
    assert answer["Content-Type"] == "application/vnd.cyclonedx+json; version=1.7"
    text = answer.content.decode()
    assert JsonStrictValidator(SchemaVersion.V1_7).validate_str(text) is None
    by_ref = {one["bom-ref"]: one for one in json.loads(text)["components"]}
    card = by_ref[model.code]["modelCard"]["modelParameters"]
    assert card == {"datasets": [{"ref": data.code}]}
    assert by_ref[data.code]["type"] == "data"


def test_in_toto_is_served_and_the_seal_verifies(client: Client, work: Asset) -> None:
    answer = export(client, work, "in-toto")
    assert answer["Content-Type"] == "application/vnd.in-toto.bundle"
    assert answer["Content-Disposition"].endswith('.intoto.jsonl"')
    lines = [json.loads(line) for line in answer.content.splitlines()]
    bundle = Bundle.from_bytes(
        client.get(f"/api/v1/assets/{work.code}/evidence").content
    )
    assert [one.envelope.to_json() for one in bundle.records] == lines
    signer = platform_signer()
    public = load_der_public_key(signer.public_spki)
    key = SSlibKey.from_crypto(public, signer.key_id)  # type: ignore[arg-type]
    sealed = next(
        line
        for line, one in zip(lines, bundle.records, strict=True)
        if one.kind == "seal"
    )
    assert dsse.Envelope.from_dict(sealed).verify([key], 1)


@pytest.mark.parametrize("kind", ["prov", "in-toto"])
def test_the_command_line_writes_the_same_bytes(
    client: Client, work: Asset, tmp_path: Path, kind: str
) -> None:
    place, made = tmp_path / "work.colophon", tmp_path / "made"
    place.write_bytes(client.get(f"/api/v1/assets/{work.code}/evidence").content)
    assert cli.main(["export", str(place), "--format", kind, "-o", str(made)]) == 0
    assert made.read_bytes() == export(client, work, kind).content


@pytest.mark.parametrize("kind", ["croissant", "spdx", "PROV", "prov.json"])
def test_another_format_is_not_there(client: Client, work: Asset, kind: str) -> None:
    assert export(client, work, kind).status_code == 404


@pytest.mark.parametrize("kind", ["prov", "cyclonedx", "in-toto"])
def test_a_draft_is_for_its_own_party(
    client: Client, ada: User, eve: User, kind: str
) -> None:
    draft = factories.sealed_asset(party_of(ada), title="Draft")
    assert export(client, draft, kind).status_code == 404
    client.force_login(eve)
    assert export(client, draft, kind).status_code == 404
    client.force_login(ada)
    assert export(client, draft, kind).status_code == 200


def test_before_the_seal_there_is_nothing_to_export(client: Client, ada: User) -> None:
    maker = Person.of(ada, "upload")
    asset = upload(maker, picture())
    headers = {"Authorization": f"Bearer {maker.secret}"}
    assert export(client, asset, "prov", headers=headers).status_code == 404
    seal(asset)
    assert export(client, asset, "prov", headers=headers).status_code == 200


@pytest.mark.parametrize("kind", ["prov", "cyclonedx"])
def test_nothing_personal_that_was_not_published_gets_out(
    client: Client, ada: User, kind: str
) -> None:
    work = factories.published_asset(party_of(ada), title="Public title")
    text = export(client, work, kind).content.decode()
    assert "Public title" in text
    assert "Ada Lindqvist" in text  # the creator, as published
    assert ada.email not in text
    assert party_of(ada).code in text  # a party is its id
    assert "work.jpg" not in text


def croissant(client: Client, code: str) -> Any:
    return client.get(f"/api/v1/sources/{code}/croissant")


def test_a_data_set_is_served_as_croissant(client: Client, mia: User) -> None:
    row = factories.model_of(
        party_of(mia),
        "Photographs",
        kind="dataset",
        description="Two thousand tides",
        training={"ai_training": "notAllowed"},
    )
    answer = croissant(client, row.code)
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("application/ld+json; profile=")
    body = answer.json()
    assert body["conformsTo"] == "http://mlcommons.org/croissant/1.1"
    assert body["distribution"][0]["sha256"] == bytes(row.digest).hex()
    assert body["description"] == "Two thousand tides"
    assert body["copyrightHolder"] == {"name": "Mia"}
    assert "odrl:prohibition" in body["usageInfo"]
    assert body["url"].endswith(f"/registry/{row.code}")


def test_an_owner_who_is_only_named_is_not_named_on(client: Client, eve: User) -> None:
    row = factories.model_of(
        party_of(eve),
        "Scraped",
        kind="dataset",
        own=False,
        owner_name="Big Lab",
        ask_ppm=None,
    )
    assert "Big Lab" not in croissant(client, row.code).content.decode()


@pytest.mark.parametrize("kind", ["model", "media"])
def test_a_model_is_no_croissant(client: Client, mia: User, kind: str) -> None:
    row = factories.model_of(party_of(mia), kind=kind)
    assert croissant(client, row.code).status_code == 404
    assert croissant(client, factories.an_id("src")).status_code == 404


def test_the_pages_lead_to_the_exports(client: Client, work: Asset, mia: User) -> None:
    page = client.get(f"/a/{work.code}").content.decode()
    for kind in ("prov", "cyclonedx", "in-toto"):
        assert f'href="/api/v1/assets/{work.code}/export/{kind}"' in page
    data = factories.model_of(party_of(mia), "Photographs", kind="dataset")
    model = factories.model_of(party_of(mia))
    link = f'href="/api/v1/sources/{data.code}/croissant"'
    assert link in client.get(f"/registry/{data.code}").content.decode()
    text = client.get(f"/registry/{model.code}").content.decode()
    assert "/croissant" not in text
