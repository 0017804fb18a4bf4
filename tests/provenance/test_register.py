"""Sources: registered once by digest, signed, with an ask that only owners can make."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.errors import Problem
from accounts.keys import account_key
from accounts.models import Holder, User
from colophon import statement
from colophon.digest import sha256
from colophon.errors import InputError
from colophon.records import parse_source
from log.models import Entry
from provenance import register
from provenance.envelopes import envelope_of
from provenance.errors import SourceConflictError
from provenance.models import Source
from provenance.register import register_source
from tests.cast import party_of

pytestmark = pytest.mark.django_db
DIGEST = sha256(b"weights")


def registered(user: User, **fields: Any) -> Source:
    given = {"kind": "model", "name": "Tidewater", "digest": DIGEST, **fields}
    return register_source(party=party_of(user), **given)


def test_an_owner_registers_with_a_signed_ask(mia: User) -> None:
    row = registered(
        mia,
        version="3.1",
        ask_ppm=120_000,
        terms="by agreement",
        training={"ai_training": "notAllowed"},
    )
    key = account_key(party_of(mia))
    said = parse_source(statement.verify(envelope_of(row.entry), bytes(key.spki)))
    assert (said.source, said.digest, said.ask_ppm) == (row.code, DIGEST, 120_000)
    assert (said.kind, said.name, said.version) == ("model", "Tidewater", "3.1")
    assert said.owner == party_of(mia).code
    assert row.holder == party_of(mia).holder
    assert row.owner_signed
    assert str(row) == "Tidewater 3.1"


def test_a_claim_for_somebody_else_makes_an_unclaimed_holder(eve: User) -> None:
    row = registered(eve, own=False, owner_name="A museum")
    said = parse_source(statement.read_statement(envelope_of(row.entry).payload))
    assert (said.owner, said.ask_ppm) == (None, None)
    assert (row.holder.name, row.holder.party, row.party) == ("A museum", None, None)
    assert not row.owner_signed


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"ask_ppm": -1}, "ask_ppm"),
        ({"ask_ppm": 1_000_001}, "ask_ppm"),
        ({"ask_ppm": 5, "own": False, "owner_name": "X"}, "ask_ppm"),
        ({"own": False}, "owner_name"),
    ],
)
def test_a_wrong_ask_or_owner_is_refused(
    mia: User, fields: dict[str, Any], field: str
) -> None:
    entries = Entry.objects.count()
    with pytest.raises(InputError) as caught:
        registered(mia, **fields)
    assert caught.value.field == field
    assert not Source.objects.exists()
    assert (Entry.objects.count(), Holder.objects.filter(party=None).count()) == (
        entries,
        0,
    )


def test_registering_the_same_again_gives_the_same_row(mia: User) -> None:
    facts = {"version": "1", "ask_ppm": 5, "training": {"ai_training": "allowed"}}
    first = registered(mia, **facts)
    entries = Entry.objects.count()
    assert registered(mia, **facts) == first
    assert Entry.objects.count() == entries


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"name": "Other"}, "name"),
        ({"ask_ppm": 6}, "ask_ppm"),
        ({"version": "2"}, "version"),
        ({"kind": "dataset"}, "kind"),
        ({"terms": "none"}, "terms"),
        ({"own": False, "owner_name": "X", "ask_ppm": None}, "own"),
    ],
)
def test_the_same_digest_with_other_facts_is_a_conflict(
    mia: User, facts: dict[str, Any], said: str
) -> None:
    first = registered(mia, version="1", ask_ppm=5)
    with pytest.raises(SourceConflictError, match=said) as caught:
        registered(mia, **{"version": "1", "ask_ppm": 5, **facts})
    assert isinstance(caught.value, Problem)
    assert caught.value.errors[0].pointer == f"/{said}"
    assert Source.objects.get() == first


def test_another_party_has_a_row_of_its_own(mia: User, eve: User) -> None:
    assert registered(mia) != registered(eve)
    assert Source.objects.filter(digest=DIGEST).count() == 2


def test_a_model_names_what_it_was_trained_on(mia: User, dan: User) -> None:
    data = registered(dan, kind="dataset", name="Norsk Kyst", digest=sha256(b"d"))
    model = registered(mia, trained_on=[data])
    assert list(model.trained_on.all()) == [data]


def test_two_requests_at_once_register_once(
    mia: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other request commits between our look and our write."""
    first = registered(mia)
    monkeypatch.setattr(
        register.Source.objects, "filter", lambda **_: Source.objects.none()
    )
    assert registered(mia) == first
