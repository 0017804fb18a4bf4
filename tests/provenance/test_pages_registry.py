"""The registry: owners and mere claims apart, asks, and what was made with a source."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from colophon import records, statement
from provenance.envelopes import envelope_of
from provenance.models import Source
from provenance.views.registry import PAGE
from tests.cast import PASSWORD, party_of
from tests.factories import an_id, logged, model_of, published_asset, sealed_asset

pytestmark = pytest.mark.django_db

DIGEST = hashlib.sha256(b"weights").hexdigest()
MODEL = {"kind": "model", "name": "Tidewater-XL", "digest": DIGEST, "own": "yes"}


@pytest.fixture
def owner(client: Client, mia: User) -> Client:
    client.login(email=mia.email, password=PASSWORD)
    return client


def text_of(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def test_owners_and_claims_are_listed_apart(
    client: Client, mia: User, eve: User
) -> None:
    assert "Nothing here yet" in text_of(client.get("/registry"))
    model_of(party_of(mia), "Signed one")
    model_of(
        party_of(eve), "Claimed one", own=False, owner_name="Big Lab", ask_ppm=None
    )
    own = text_of(client.get("/registry"))
    assert "Signed one" in own
    assert "12%" in own
    assert "Claimed one" not in own
    others = text_of(client.get("/registry?by=others"))
    assert "Claimed one" in others
    assert "Big Lab" in others
    assert "(not claimed)" in others
    assert "Signed one" not in others


def test_kinds_filter_and_pages_follow(client: Client, mia: User) -> None:
    for number in range(PAGE + 2):
        model_of(party_of(mia), f"Model {number:02}")
    model_of(party_of(mia), "Photographs", kind="dataset")
    text = text_of(client.get("/registry?kind=dataset"))
    assert "Photographs" in text
    assert "Model 01" not in text
    first = client.get("/registry?kind=model")
    assert text_of(first).count('<th scope="row">') == PAGE
    after = first.context["next_url"]
    second = text_of(client.get(after))
    assert second.count('<th scope="row">') == 2
    assert client.get("/registry?kind=zzz&after=nonsense").status_code == 200


def test_the_list_needs_the_same_queries_for_many_sources(
    client: Client, mia: User, django_assert_num_queries: Any
) -> None:
    model_of(party_of(mia))
    with django_assert_num_queries(1):
        client.get("/registry")
    for number in range(5):
        model_of(party_of(mia), f"Model {number}")
    with django_assert_num_queries(1):
        client.get("/registry")


def test_a_source_shows_owner_ask_digest_leaf_and_works(
    client: Client, ada: User, mia: User, dan: User
) -> None:
    data = model_of(party_of(dan), "Norsk Kyst", kind="dataset", ask_ppm=80_000)
    model = model_of(party_of(mia), trained_on=[data])
    work = published_asset(party_of(ada), title="Night current")
    draft = sealed_asset(party_of(ada), title="Secret", seed=2)
    for one in (work, draft):
        assert one.run
        one.run.steps.update(model_source=model)
    assert "waits for its place in the log" in text_of(
        client.get(f"/registry/{model.code}")
    )
    logged()
    text = text_of(client.get(f"/registry/{model.code}"))
    assert "Registered and signed by its owner, Mia" in text
    assert "12% of everything" in text
    assert bytes(model.digest).hex() in text
    assert "Norsk Kyst" in text
    model.entry.refresh_from_db()
    assert f">Leaf {model.entry.index}</a>" in text
    assert "Night current" in text
    assert "Secret" not in text
    text = text_of(client.get(f"/registry/{data.code}"))
    assert "Tidewater-XL" in text
    assert "Night current" in text  # by the model that was trained on it


def test_a_claim_says_that_its_owner_has_not_come_forward(
    client: Client, eve: User, mia: User
) -> None:
    digest = hashlib.sha256(b"same").digest()
    claim = model_of(
        party_of(eve),
        "Claimed",
        own=False,
        owner_name="Big Lab",
        ask_ppm=None,
        digest=digest,
    )
    text = text_of(client.get(f"/registry/{claim.code}"))
    assert "Said by Eve to be owned by Big Lab" in text
    assert "Claimed, not signed" in text
    assert "signed by its owner" not in text
    model_of(party_of(mia), "Signed", digest=digest)
    text = text_of(client.get(f"/registry/{claim.code}"))
    assert "The same digest was registered by somebody else too" in text


def test_missing_sources_and_wrong_methods(client: Client) -> None:
    assert client.get(f"/registry/{an_id('src')}").status_code == 404
    assert client.post("/registry").status_code == 405


# --- registering


def test_an_owner_registers_a_model_with_an_ask(owner: Client, mia: User) -> None:
    answer = owner.post(
        "/registry/register", {**MODEL, "ask": "12.5", "version": "3.1"}
    )
    source = Source.objects.get()
    assert answer["Location"] == f"/registry/{source.code}"
    assert source.ask_ppm == 125_000
    assert source.owner_signed
    said = records.parse_source(
        statement.read_statement(envelope_of(source.entry).payload)
    )
    assert said.digest.hex() == DIGEST
    assert said.ask_ppm == 125_000


def test_a_file_can_stand_for_its_digest(owner: Client) -> None:
    file = SimpleUploadedFile("weights.bin", b"weights")
    body = {key: value for key, value in MODEL.items() if key != "digest"}
    owner.post("/registry/register", {**body, "file": file})
    assert bytes(Source.objects.get().digest).hex() == DIGEST


def test_what_sha256sum_prints_is_understood(owner: Client) -> None:
    printed = f"{DIGEST.upper()}  weights.safetensors"
    owner.post("/registry/register", {**MODEL, "digest": printed[:71]})
    assert bytes(Source.objects.get().digest).hex() == DIGEST


def test_somebody_elses_model_is_registered_as_theirs(owner: Client) -> None:
    owner.post("/registry/register", {**MODEL, "own": "no", "owner_name": "Big Lab"})
    source = Source.objects.get()
    assert not source.owner_signed
    assert source.holder.name == "Big Lab"
    assert source.holder.party is None
    assert source.ask_ppm is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"digest": ""}, "Choose the file, or paste its SHA-256."),
        ({"digest": "abc"}, "Paste 64 letters and digits"),
        ({"name": ""}, "Name"),
        ({"kind": "spell"}, "Select a valid choice"),
        ({"own": "no"}, "Say who owns it."),
        ({"own": "no", "owner_name": "X", "ask": "5"}, "Only the owner can ask"),
        ({"ask": "101"}, "less than or equal to 100"),
        ({"ask": "1.23456"}, "no more than 4 decimal places"),
    ],
)
def test_what_cannot_be_registered_is_named(
    owner: Client, change: dict[str, str], words: str
) -> None:
    answer = owner.post("/registry/register", {**MODEL, **change})
    assert answer.status_code == 422
    assert words in text_of(answer)
    assert not Source.objects.exists()


def test_the_same_digest_with_other_facts_is_a_conflict(owner: Client) -> None:
    owner.post("/registry/register", {**MODEL, "ask": "10"})
    owner.post("/registry/register", {**MODEL, "ask": "10"})  # the same again is fine
    answer = owner.post("/registry/register", {**MODEL, "ask": "20"})
    assert answer.status_code == 422
    assert "register a new version instead" in text_of(answer)
    assert Source.objects.count() == 1


def test_a_data_set_is_not_trained_on_another(owner: Client, dan: User) -> None:
    data = model_of(party_of(dan), "Norsk Kyst", kind="dataset")
    body = {**MODEL, "trained_on": [str(data.pk)]}
    answer = owner.post("/registry/register", {**body, "kind": "dataset"})
    assert answer.status_code == 422
    owner.post("/registry/register", body)
    model = Source.objects.get(name="Tidewater-XL")
    assert list(model.trained_on.all()) == [data]


def test_registering_needs_a_sign_in(client: Client) -> None:
    assert client.get("/registry/register").status_code == 302
    assert client.post("/registry/register", MODEL).status_code == 302
    assert not Source.objects.exists()
