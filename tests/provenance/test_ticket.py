"""Tickets: a run is bracketed from below by the newest checkpoint."""

from __future__ import annotations

import pytest
from django.utils import timezone

from accounts.models import User
from accounts.platform import platform_signer
from colophon import statement
from colophon.errors import InputError
from colophon.ids import new_id
from colophon.records import parse_ticket
from provenance import ticket
from provenance.envelopes import envelope_of
from provenance.errors import ErasedError
from provenance.models import Run
from provenance.ticket import open_run
from tests.cast import party_of
from tests.factories import logged

pytestmark = pytest.mark.django_db


def test_a_ticket_names_run_party_nonce_and_the_newest_checkpoint(ada: User) -> None:
    head = logged()
    before = timezone.now()
    run = open_run(party=party_of(ada), name="spring")
    said = statement.verify(envelope_of(run.ticket), platform_signer().public_spki)
    found = parse_ticket(said)
    assert (found.run, found.party) == (run.code, party_of(ada).code)
    assert found.nonce == bytes(run.nonce)
    assert len(found.nonce) == 32
    assert found.checkpoint is not None
    assert (found.checkpoint.size, found.checkpoint.root) == (
        head.size,
        bytes(head.root),
    )
    assert before <= found.issued_at <= timezone.now()
    assert run.checkpoint == head
    assert run.ticket.kind == "ticket"


def test_before_the_first_checkpoint_it_names_none(ada: User) -> None:
    run = open_run(party=party_of(ada), name="first")
    found = parse_ticket(statement.read_statement(envelope_of(run.ticket).payload))
    assert found.checkpoint is None
    assert run.checkpoint is None


def test_no_two_tickets_share_a_nonce(ada: User) -> None:
    runs = [open_run(party=party_of(ada), name="same") for _ in range(3)]
    assert len({bytes(one.nonce) for one in runs}) == 3


def test_a_recorders_own_id_opens_one_run(ada: User, eve: User) -> None:
    code = new_id("run")
    first = open_run(party=party_of(ada), name="offline", code=code)
    assert first.code == code
    assert open_run(party=party_of(ada), name="again", code=code) == first
    assert Run.objects.count() == 1
    with pytest.raises(InputError, match="another run"):
        open_run(party=party_of(eve), name="mine", code=code)


def test_two_requests_with_one_id_at_once_open_one_run(
    ada: User, eve: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = new_id("run")
    first = open_run(party=party_of(ada), name="offline", code=code)
    real, seen = ticket._known, []

    def blind(asked: str, party: object) -> Run | None:
        """Sees nothing the first time: the other request commits just after."""
        seen.append(asked)
        return None if len(seen) == 1 else real(asked, party)  # type: ignore[arg-type]

    monkeypatch.setattr(ticket, "_known", blind)
    assert open_run(party=party_of(ada), name="offline", code=code) == first
    seen.clear()
    with pytest.raises(InputError, match="another run"):
        open_run(party=party_of(eve), name="mine", code=code)


def test_an_erased_ticket_says_so(ada: User) -> None:
    run = open_run(party=party_of(ada), name="x" * 200)
    assert len(run.name) == 120
    run.ticket.envelope = None
    with pytest.raises(ErasedError):
        envelope_of(run.ticket)
