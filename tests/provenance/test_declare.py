"""A declaration at upload: one step, signed on the platform, and marked so."""

from __future__ import annotations

import pytest

from accounts.keys import account_key
from accounts.models import User
from colophon import statement
from colophon.digest import sha256
from colophon.origin import OriginClass, classify_steps
from colophon.stepproofs import act_of
from colophon.steps import parse_step
from provenance.declare import IPTC, ORIGINS, check_origin, declared_step
from provenance.errors import UploadError
from provenance.ticket import open_run
from tests.cast import party_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("origin", "term", "found"),
    [
        ("human", "digitalCreation", OriginClass.HUMAN_MADE),
        ("photo", "digitalCapture", OriginClass.CAPTURE),
        ("ai", "trainedAlgorithmicMedia", OriginClass.AI),
        ("hybrid", "compositeWithTrainedAlgorithmicMedia", OriginClass.HYBRID),
        ("algorithm", "algorithmicMedia", OriginClass.ALGORITHMIC),
    ],
)
def test_each_answer_is_a_step_of_its_source_type(
    ada: User, origin: str, term: str, found: OriginClass
) -> None:
    party, digest = party_of(ada), sha256(b"work")
    run = open_run(party=party, name="upload")
    envelope = declared_step(run=run, name="work.jpg", digest=digest, origin=origin)
    key = account_key(party)
    step = parse_step(statement.verify(envelope, bytes(key.spki)))
    assert step.source_type == IPTC + term
    assert (step.custody, step.actor.key_id) == ("server", key.key_id)
    assert step.actor.on_behalf_of == party.code
    assert [one.sha256 for one in step.outputs] == [digest]
    assert step.ticket is not None
    assert step.ticket.nonce == bytes(run.nonce)
    assert classify_steps([act_of(step)]) is found


def test_every_answer_of_the_page_is_tested() -> None:
    assert set(ORIGINS) == {"human", "photo", "ai", "hybrid", "algorithm"}


@pytest.mark.parametrize("origin", ["", "Human", "unknown"])
def test_no_answer_is_refused_and_never_guessed(ada: User, origin: str) -> None:
    run = open_run(party=party_of(ada), name="upload")
    with pytest.raises(UploadError) as caught:
        declared_step(run=run, name="a", digest=bytes(32), origin=origin)
    assert caught.value.field == "origin"
    with pytest.raises(UploadError):
        check_origin(origin)
