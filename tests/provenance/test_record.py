"""Steps: taken once, in order, with the right signature, or refused with the reason."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from accounts import keys
from accounts.models import SigningKey, User
from colophon import statement
from colophon.acts import Actor, File, Input, Model, Proxies, TicketRef, Tool
from colophon.digest import new_salt, sha256
from colophon.disclosure import Disclosure as Opening
from colophon.enrollment import build_enrollment
from colophon.errors import ColophonError
from colophon.fields import MAX_RECORD_BYTES as LIMIT
from colophon.ids import new_id
from colophon.keys import Ed25519Key
from colophon.origin import IPTC
from colophon.steps import build_step
from log.models import Entry
from provenance import record
from provenance.envelopes import envelope_of
from provenance.errors import StepError
from provenance.models import Disclosure, Run, Step, StepFile
from provenance.record import append_step
from provenance.ticket import open_run
from tests.cast import party_of
from tests.factories import model_of

pytestmark = pytest.mark.django_db
AI = IPTC + "trainedAlgorithmicMedia"
EDIT = IPTC + "humanEdits"


def enrolled(user: User, key: Ed25519Key | None = None) -> Ed25519Key:
    """A key of the user's, held by themselves."""
    key = key or Ed25519Key.generate()
    party = party_of(user)
    made = build_enrollment(
        key.public_spki,
        purpose="actor",
        custody="client",
        enrolled_on=datetime.now(UTC),
        account=keys.account_key(party).key_id,
    )
    keys.enroll(party, statement.sign(made, key))
    return key


def written(
    of: Run, key: Ed25519Key, index: int = 0, **facts: Any
) -> tuple[statement.Envelope, list[Opening]]:
    """A step of a run, signed."""
    ticket = TicketRef(bytes(of.nonce), envelope_of(of.ticket).digest)
    now = datetime.now(UTC)
    given = {
        "outputs": [File(f"{index}.png", sha256(f"out {index}".encode()))],
        "action": "c2pa.created",
        "source_type": AI,
        "actor": Actor(key.key_id, "agent"),
        "tool": Tool("diffuser", "2"),
        "started_on": now,
        "finished_on": now,
        "run": of.code,
        "index": index,
        "ticket": ticket,
        **facts,
    }
    made, openings = build_step(**given)
    return statement.sign(made, key), openings


@pytest.fixture
def key(ada: User) -> Ed25519Key:
    return enrolled(ada)


@pytest.fixture
def run(ada: User) -> Run:
    return open_run(party=party_of(ada), name="spring")


def append(run: Run, envelope: statement.Envelope, *openings: Opening) -> Step:
    return append_step(
        run=run, envelope=envelope, disclosures=openings, party=run.party
    )


def refused(run: Run, envelope: statement.Envelope, *openings: Opening) -> StepError:
    """The error of a step, which left nothing behind."""
    before = (Step.objects.count(), Entry.objects.count(), Disclosure.objects.count())
    with pytest.raises(StepError) as caught:
        append(run, envelope, *openings)
    after = (Step.objects.count(), Entry.objects.count(), Disclosure.objects.count())
    assert before == after
    return caught.value


# --- what is kept -------------------------------------------------------------------


def test_a_step_is_a_row_with_its_files_and_a_sealed_entry(
    run: Run, key: Ed25519Key, mia: User
) -> None:
    source = model_of(party_of(mia))
    envelope, openings = written(
        run,
        key,
        model=Model(bytes(source.digest)),
        inputs=[Input("model", bytes(source.digest), "inputTo")],
        prompt="a harbor",
        parameters={"seed": 7},
        proxy=Proxies(outputs=((sha256(b"out 0"), sha256(b"small")),)),
    )
    row = append(run, envelope, *openings)
    assert (row.position, row.action, row.actor_kind) == (0, "c2pa.created", "agent")
    assert (bytes(row.digest), row.source_type) == (envelope.digest, AI)
    assert (row.key.key_id, row.model_source) == (key.key_id, source)
    assert (row.entry.kind, envelope_of(row.entry)) == ("step", envelope)
    out, used = row.files.order_by("pk")
    assert (out.relation, bytes(out.digest)) == ("output", sha256(b"out 0"))
    assert bytes(out.proxy_digest or b"") == sha256(b"small")
    assert (used.relation, used.source) == ("inputTo", source)
    found = dict(row.disclosures.values_list("field", "value"))
    assert found == {"prompt": "a harbor", "parameters/seed": 7}


def test_steps_follow_each_other(run: Run, key: Ed25519Key) -> None:
    for index in range(3):
        append(run, written(run, key, index)[0])
    positions = list(run.steps.values_list("position", flat=True))
    assert positions == [0, 1, 2]


def test_the_same_envelope_gives_the_same_row(run: Run, key: Ed25519Key) -> None:
    envelope, openings = written(run, key, prompt="x")
    first = append(run, envelope, *openings)
    append(run, written(run, key, 1)[0])
    assert append(run, envelope, *openings) == first
    assert (Step.objects.count(), Disclosure.objects.count()) == (2, 1)


def test_a_source_is_the_one_that_its_owner_registered(
    run: Run, key: Ed25519Key, mia: User, eve: User
) -> None:
    digest = sha256(b"weights")
    model_of(
        party_of(eve),
        "Mine",
        digest=digest,
        ask_ppm=None,
        own=False,
        owner_name="Somebody",
    )
    owned = model_of(party_of(mia), digest=digest)
    row = append(run, written(run, key, model=Model(digest))[0])
    assert row.model_source == owned


def test_a_step_written_down_afterwards_has_no_ticket(
    run: Run, key: Ed25519Key
) -> None:
    assert append(run, written(run, key, ticket=None)[0]).pk


@pytest.mark.parametrize("first", [True, False])
def test_a_run_has_its_ticket_in_every_step_or_in_none(
    run: Run, key: Ed25519Key, first: bool
) -> None:
    """A file sealed from a mix would read as altered, for no fault of its maker."""
    without = {"ticket": None}
    append(run, written(run, key, **({} if first else without))[0])
    odd = written(run, key, index=1, **(without if first else {}))[0]
    error = refused(run, odd)
    assert error.field == "predicate/ticket"
    assert "open a new run" in str(error)
    assert run.steps.count() == 1
    same = written(run, key, index=1, **({} if first else without))[0]
    assert append(run, same).position == 1


def test_a_runtime_key_of_another_party_may_sign(run: Run, mia: User) -> None:
    theirs = enrolled(mia)
    assert append(run, written(run, theirs)[0]).key.party == party_of(mia)


# --- what is refused ----------------------------------------------------------------


def test_a_wrong_signature_is_refused(run: Run, key: Ed25519Key) -> None:
    envelope, _ = written(run, key)
    other = statement.Signature(key.key_id, Ed25519Key.generate().sign(b"x"))
    forged = statement.Envelope(envelope.payload_type, envelope.payload, (other,))
    assert refused(run, forged).field == "envelope"


def test_a_changed_byte_is_refused(run: Run, key: Ed25519Key) -> None:
    envelope, _ = written(run, key)
    payload = envelope.payload.replace(b"diffuser", b"diffuseR")
    changed = statement.Envelope(envelope.payload_type, payload, envelope.signatures)
    assert refused(run, changed).field == "envelope"


def test_a_signature_by_another_key_than_the_one_named_is_refused(
    run: Run, key: Ed25519Key, ada: User
) -> None:
    other = enrolled(ada)
    envelope, _ = written(run, key, actor=Actor(other.key_id, "agent"))
    assert refused(run, envelope).field == "envelope"


def test_an_unknown_key_is_refused_with_what_to_do(run: Run) -> None:
    error = refused(run, written(run, Ed25519Key.generate())[0])
    assert error.field == "predicate/actor/key_id"
    assert "POST /api/v1/keys" in error.message


def test_a_revoked_key_is_refused(run: Run, key: Ed25519Key) -> None:
    row = SigningKey.objects.get(key_id=key.key_id)
    append(run, written(run, key)[0])
    keys.revoke(row, effective_at=datetime.now(UTC), reason="compromised")
    assert refused(run, written(run, key, 1)[0]).field == "predicate/actor/key_id"


def test_another_custody_than_the_keys_is_refused(run: Run, key: Ed25519Key) -> None:
    error = refused(run, written(run, key, custody="server")[0])
    assert error.field == "predicate/custody"


def test_a_step_of_another_run_is_refused(run: Run, key: Ed25519Key) -> None:
    error = refused(run, written(run, key, run=new_id("run"))[0])
    assert error.field == "predicate/run"
    assert run.code in error.message


def test_another_runs_ticket_is_refused(run: Run, key: Ed25519Key) -> None:
    other = open_run(party=run.party, name="other")
    digest = envelope_of(other.ticket).digest
    mine = envelope_of(run.ticket).digest
    for ticket in (
        TicketRef(bytes(other.nonce), digest),
        TicketRef(bytes(run.nonce), digest),
        TicketRef(bytes(other.nonce), mine),
    ):
        error = refused(run, written(run, key, ticket=ticket)[0])
        assert error.field == "predicate/ticket"


@pytest.mark.parametrize("index", [1, 2, 9_999])
def test_a_gap_is_refused_and_names_the_next_position(
    run: Run, key: Ed25519Key, index: int
) -> None:
    error = refused(run, written(run, key, index)[0])
    assert error.field == "predicate/index"
    assert "next position is 0" in error.message


def test_a_position_that_is_taken_is_refused(run: Run, key: Ed25519Key) -> None:
    append(run, written(run, key)[0])
    error = refused(run, written(run, key, tool=Tool("other", "1"))[0])
    assert "next position is 1" in error.message


def test_somebody_elses_run_is_refused(run: Run, key: Ed25519Key, eve: User) -> None:
    with pytest.raises(StepError, match="another party"):
        append_step(run=run, envelope=written(run, key)[0], party=party_of(eve))


def test_a_payload_that_is_no_step_is_refused(run: Run, key: Ed25519Key) -> None:
    made = build_enrollment(
        key.public_spki,
        purpose="actor",
        custody="client",
        enrolled_on=datetime.now(UTC),
    )
    assert refused(run, statement.sign(made, key))
    envelope = statement.Envelope(statement.PAYLOAD_TYPE, b"{", ())
    assert refused(run, envelope)


def test_a_disclosure_that_opens_nothing_is_refused(run: Run, key: Ed25519Key) -> None:
    envelope, (right,) = written(run, key, prompt="a harbor")
    for wrong in (
        Opening("parameters/seed", right.salt, 7),
        Opening("prompt", right.salt, "another harbor"),
        Opening("prompt", new_salt(), "a harbor"),
        Opening("actor", right.salt, "agent"),
    ):
        assert refused(run, envelope, wrong).field == "disclosures/0"
        assert refused(run, envelope, right, wrong).field == "disclosures/1"
    assert append(run, envelope, right).disclosures.count() == 1


def test_a_disclosure_cannot_be_given_twice(run: Run, key: Ed25519Key) -> None:
    envelope, (right,) = written(run, key, prompt="a harbor")
    error = refused(run, envelope, right, right)
    assert (error.field, "again" in error.message) == ("disclosures/1", True)


def test_a_run_ends_at_a_thousand_steps(
    run: Run, key: Ed25519Key, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert record.MAX_STEPS == 1_000
    monkeypatch.setattr(record, "MAX_STEPS", 2)
    first, _ = written(run, key)
    append(run, first)
    append(run, written(run, key, 1)[0])
    error = refused(run, written(run, key, 2)[0])
    assert "open a new run" in error.message
    assert append(run, first).position == 0  # the same envelope is still its row


def test_a_step_has_at_most_64_kib(run: Run, key: Ed25519Key) -> None:
    """Both sides of the bound that everyone who reads a step goes by."""

    def sized(length: int) -> statement.Envelope:
        digests = [sha256(f"out {n}".encode()) for n in range(64)]
        outputs = [File("語" * length, one) for one in digests]
        inputs = [Input("語" * 100, one, "componentOf") for one in digests]
        return written(run, key, outputs=outputs, inputs=inputs)[0]

    longest = max(n for n in range(1, 150) if len(sized(n).to_bytes()) <= LIMIT)
    error = refused(run, sized(longest + 1))
    assert error.field == "envelope"
    assert "a step has at most 65,536" in error.message
    assert not Step.objects.exists()
    fits = sized(longest)
    row = append(run, fits)
    assert LIMIT - 400 < len(fits.to_bytes()) <= LIMIT
    assert envelope_of(row.entry) == statement.Envelope.from_json(fits.to_bytes())


# --- races --------------------------------------------------------------------------

THREADS = 8
RACES = (
    "config/test_hostile_input.py",
    "provenance/test_record.py",
    "marketplace/test_deposit.py",
    "marketplace/test_issue.py",
    "marketplace/test_order.py",
    "marketplace/test_refund.py",
    "royalties/test_build.py",
    "royalties/test_races.py",
)


def _race(acts: list[Any]) -> list[Any]:
    """Results and errors of acts that begin at once, each in its own thread."""
    gate, found = threading.Barrier(len(acts)), []

    def work(act: Any) -> None:
        gate.wait()
        try:
            found.append(act())
        except ColophonError as error:
            found.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(act,)) for act in acts]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return found


def _race_for_a_position(user: User) -> None:
    """Eight different steps for one position: one row, seven refusals."""
    key, run = enrolled(user), open_run(party=party_of(user), name="race")
    made = [written(run, key, tool=Tool(f"{n}", "1"))[0] for n in range(THREADS)]
    found = _race([lambda one=one: append(run, one) for one in made])
    rows = [one for one in found if isinstance(one, Step)]
    errors = [one for one in found if isinstance(one, StepError)]
    assert (len(rows), len(errors)) == (1, THREADS - 1)
    assert {one.field for one in errors} == {"predicate/index"}
    assert Step.objects.filter(run=run).count() == 1
    assert Entry.objects.filter(kind="step").count() == 1
    assert StepFile.objects.filter(step=rows[0]).count() == 1


def _race_of_one_envelope(user: User) -> None:
    """Eight times the same step: eight times the same row."""
    key, run = enrolled(user), open_run(party=party_of(user), name="race")
    envelope, openings = written(run, key, prompt="x")
    found = _race([lambda: append(run, envelope, *openings)] * THREADS)
    assert {one.pk for one in found} == {Step.objects.get(run=run).pk}
    assert Disclosure.objects.filter(step__run=run).count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_race_for_one_position_has_one_winner(ada: User) -> None:
    _race_for_a_position(ada)


@pytest.mark.django_db(transaction=True)
def test_a_race_of_one_envelope_makes_one_row(ada: User) -> None:
    _race_of_one_envelope(ada)


@pytest.mark.postgres
def test_races_and_hostile_input_end_alike_on_postgresql(postgres_url: str) -> None:
    """There row locks are real and U+0000 cannot be kept: all of it, in one process."""
    root = Path(__file__).parents[2]
    words = [sys.executable, "-m", "pytest", "-q", "-k", "race or hostile", "-m"]
    done = subprocess.run(
        [*words, "not postgres", *(str(root / "tests" / path) for path in RACES)],
        cwd=root,
        env={**os.environ, "DATABASE_URL": postgres_url},
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
