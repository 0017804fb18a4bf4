"""The upload page: what it asks, what it refuses, and that a story is always there."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import Party, User
from colophon.formats import ANY_OF
from outbox.models import Job
from provenance.forms import TRAINING
from provenance.models import Asset, Run
from provenance.ticket import open_run
from tests.cast import PASSWORD, party_of
from tests.factories import declared_run, jpeg, published_asset, sealed_asset

pytestmark = pytest.mark.django_db

ANSWERS = {
    "title": "Night current",
    "alt_text": "Long soft lines",
    "creator_name": "Ada Lindqvist",
    "origin": "human",
    "training": "no",
}


@pytest.fixture
def party(ada: User) -> Party:
    return party_of(ada)


@pytest.fixture
def maker(client: Client, ada: User) -> Client:
    client.login(email=ada.email, password=PASSWORD)
    return client


def text_of(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def send(client: Client, data: bytes | None = None, **fields: str) -> Any:
    """Post the form with a picture, by scripts when `script` is set."""
    by_script = fields.pop("script", "")
    headers = {"X-Requested-With": "XMLHttpRequest"} if by_script else {}
    file = SimpleUploadedFile("work.jpg", jpeg() if data is None else data)
    body = {key: value for key, value in {**ANSWERS, **fields}.items() if value}
    return client.post("/sell/new", {**body, "file": file}, headers=headers)


def test_an_upload_becomes_a_draft_with_a_signed_step(
    maker: Client, party: Party
) -> None:
    answer = send(maker)
    asset = Asset.objects.get()
    assert answer["Location"] == f"/sell/{asset.code}"
    assert asset.party == party
    assert asset.alt_text == "Long soft lines"
    assert asset.training == TRAINING["no"][1]
    assert asset.run
    assert asset.run.steps.get().source_type.endswith("digitalCreation")
    assert Job.objects.filter(kind="asset.examine").count() == 1


def test_a_script_is_told_where_to_go(maker: Client) -> None:
    answer = send(maker, script="yes")
    assert answer.json() == {"location": f"/sell/{Asset.objects.get().code}"}


@pytest.mark.parametrize(
    ("origin", "term"),
    [
        ("photo", "digitalCapture"),
        ("ai", "trainedAlgorithmicMedia"),
        ("hybrid", "compositeWithTrainedAlgorithmicMedia"),
        ("algorithm", "algorithmicMedia"),
    ],
)
def test_each_answer_is_the_standard_term_for_it(
    maker: Client, origin: str, term: str
) -> None:
    send(maker, origin=origin)
    run = Asset.objects.get().run
    assert run
    assert run.steps.get().source_type.endswith(term)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"title": ""}, "Title"),
        ({"alt_text": ""}, "Description for people who cannot see it"),
        ({"creator_name": ""}, "Made by"),
        ({"origin": ""}, "How was it made?"),
        ({"origin": "martian"}, "Select a valid choice"),
        ({"training": "maybe"}, "Select a valid choice"),
        ({"title": "x" * 161}, "at most 160"),
    ],
)
def test_a_missing_answer_is_named_and_nothing_is_kept(
    maker: Client, fields: dict[str, str], words: str
) -> None:
    answer = send(maker, **fields)
    assert answer.status_code == 422
    text = text_of(answer)
    assert words in text
    assert "data-errors" in text
    assert 'aria-invalid="true"' in text
    assert not Asset.objects.exists()


def test_a_missing_file_is_asked_for(maker: Client) -> None:
    answer = maker.post("/sell/new", ANSWERS)
    assert answer.status_code == 422
    assert f"Choose a {ANY_OF} picture." in text_of(answer)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"BM" + bytes(40), f"a work must be a {ANY_OF} picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", f"must be a {ANY_OF} picture"),
    ],
)
def test_a_file_that_is_no_picture_is_refused_with_the_reason(
    maker: Client, data: bytes, words: str
) -> None:
    answer = send(maker, data)
    assert answer.status_code == 422
    assert words in text_of(answer)
    assert not Asset.objects.exists()


def test_the_same_file_again_is_the_same_work(maker: Client) -> None:
    send(maker)
    answer = send(maker, title="Other title")
    asset = Asset.objects.get()
    assert answer["Location"] == f"/sell/{asset.code}"
    assert asset.title == "Night current"
    assert Run.objects.count() == 1
    assert "You uploaded this file before" in text_of(maker.get(f"/sell/{asset.code}"))


def test_the_file_of_somebody_elses_published_work_is_refused_with_a_way_out(
    maker: Client, ada: User, eve: User
) -> None:
    other = published_asset(party_of(eve), title="Eve's work")
    from django.core.files.storage import default_storage

    for kind in ("uploaded", "sealed"):
        with default_storage.open(other.renditions.get(kind=kind).path) as stored:
            data = stored.read()
        answer = send(maker, data)
        assert answer.status_code == 422
        assert "on record as “Eve&#x27;s work”" in text_of(answer)
        assert f"/a/{other.code}" in text_of(answer)


def test_somebody_elses_draft_is_not_given_away(maker: Client, eve: User) -> None:
    draft = sealed_asset(party_of(eve), title="Secret")
    from django.core.files.storage import default_storage

    with default_storage.open(draft.renditions.get(kind="uploaded").path) as stored:
        data = stored.read()
    answer = send(maker, data)
    assert answer.status_code == 302
    assert "Secret" not in text_of(maker.get("/sell"))


def test_a_recorded_run_takes_the_place_of_the_question(
    maker: Client, party: Party, eve: User
) -> None:
    assert 'name="run"' not in text_of(maker.get("/sell/new"))
    run = declared_run(party, jpeg(5))
    empty = open_run(party=party, name="Empty")
    foreign = declared_run(party_of(eve), jpeg(6))
    text = text_of(maker.get("/sell/new"))
    assert run.code in text
    assert empty.code not in text
    assert foreign.code not in text
    answer = send(maker, run=foreign.code, origin="")
    assert "not one of yours" in text_of(answer)
    assert not Asset.objects.exists()
    answer = send(maker, jpeg(5), run=run.code, origin="")
    assert answer.status_code == 302
    assert Asset.objects.get().run == run
    assert 'name="run"' not in text_of(maker.get("/sell/new"))  # it has its work


def test_the_page_needs_a_sign_in(client: Client) -> None:
    assert client.get("/sell/new")["Location"] == "/accounts/login/?next=/sell/new"
    assert client.post("/sell/new", {"file": io.BytesIO(jpeg())}).status_code == 302
    assert not Asset.objects.exists()


def test_a_wrong_method_is_refused(maker: Client) -> None:
    assert maker.put("/sell/new").status_code == 405
