"""The log asks a running witness, believes nothing unchecked, and waits for nobody."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks

from colophon import merkle
from colophon.keys import Ed25519Key
from colophon.note import (
    COSIGNATURE,
    Checkpoint,
    NoteKey,
    cosignature,
    open_note,
    sign_note,
    split_note,
)
from colophon.tlogproof import LogProof
from colophon.tlogwitness import Request
from colophon.witness import Witness
from colophon.witness_serve import Server
from log import proofs, witnesses
from log.cosign import ask
from log.keys import log_key, log_signer
from log.models import Checkpoint as Row
from log.models import Entry
from log.models import Witness as Asked
from log.timestamp import stamped_digest
from outbox.claims import Claim, Retry
from outbox.errors import LostClaim
from outbox.inline import drain
from outbox.models import Job

pytestmark = pytest.mark.django_db


def _run(server: HTTPServer) -> threading.Thread:
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    return thread


@pytest.fixture
def witness(tmp_path: Path, settings: Any) -> Iterator[Witness]:
    """A witness that answers over HTTP, and that the settings name."""
    made = Witness.create(tmp_path / "w1", "w1.example", [log_key()])
    with Server(made, 0) as server:
        thread = _run(server)
        place = f"http://127.0.0.1:{server.server_port}"
        settings.LOG_WITNESSES = [f"{place} {made.key.vkey}"]
        yield made
        server.shutdown()
        thread.join()
    made.state.close()


@pytest.fixture
def answering(settings: Any) -> Iterator[Callable[..., None]]:
    """Somebody in the witness's place who answers whatever a test says."""
    said: list[tuple[int, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            status, body = said.pop(0) if len(said) > 1 else said[0]
            data = body.encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            pass

    def say(*answers: tuple[int, str]) -> None:
        said[:] = answers

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = _run(server)
        place = f"http://127.0.0.1:{server.server_port}"
        settings.LOG_WITNESSES = [f"{place} {W2.vkey}"]
        yield say
        server.shutdown()
        thread.join()


SIGNER = Ed25519Key.from_seed(b"2" * 32)
W2 = NoteKey.of_signer("w2.example", SIGNER, COSIGNATURE)


def place() -> witnesses.Place:
    (found,) = witnesses.configured()
    return found


def test_every_checkpoint_is_cosigned_and_served_with_it(
    witness: Witness, grow: Any, client: Any
) -> None:
    for count in (3, 1, 40):
        made = grow(count)
        text = made.note
        assert drain(kinds=["log.cosign"]) == 1
        served = client.get(f"/log/checkpoint/{made.size}")
        assert served["Cache-Control"] == "no-cache"
        assert served.content.decode().startswith(text)
        opened = open_note(served.content.decode(), [log_key(), witness.key])
        assert len(opened.signatures) == 2
    assert client.get("/log/checkpoint").content == served.content
    assert witness.state.logs()[log_key().name].size == made.size
    entry = Entry.objects.get(index=7)
    proof = LogProof.from_text(proofs.inclusion(entry, Row.objects.get(size=made.size)))
    opened = proof.check(bytes(entry.leaf_hash), log_key(), [witness.key])
    assert opened.signed_by(witness.key)
    assert stamped_digest(proof.checkpoint_note) == stamped_digest(text)


def test_without_a_witness_nothing_is_asked(grow: Any) -> None:
    grow(3)
    assert not Job.objects.filter(kind="log.cosign").exists()
    assert (witnesses.configured(), witnesses.quorum()) == ((), 0)


def test_a_cosignature_is_kept_once(witness: Witness, grow: Any) -> None:
    made = grow(3)
    assert ask(made, place())
    note = Row.objects.get().note
    assert ask(made, place())
    assert Row.objects.get().note == note


def test_an_answer_that_was_lost_is_asked_for_again(
    witness: Witness, grow: Any
) -> None:
    """The witness remembers more than we do: it says so, and we go on from there."""
    made = grow(3)
    assert witness.add_checkpoint(Request(0, (), made.note).to_bytes()).status == 200
    assert ask(made, place())
    later = grow(5)
    Asked.objects.update(size=0)
    assert ask(later, place())
    assert Asked.objects.get().size == later.size


def test_an_older_checkpoint_that_the_witness_is_past_is_let_go(
    witness: Witness, grow: Any
) -> None:
    old, new = grow(3), grow(3)
    assert ask(new, place())
    assert not ask(old, place())
    assert not Asked.objects.get().disagrees


def test_a_silent_witness_means_later_and_costs_no_attempt(
    grow: Any, settings: Any
) -> None:
    settings.LOG_WITNESSES = [f"http://127.0.0.1:9 {W2.vkey}"]
    old = grow(3)
    assert drain() == 0
    job = Job.objects.get()
    assert (job.attempts, job.parked_at) == (0, None)
    assert "w2.example" in job.last_error
    new = grow(1)
    assert not ask(old, place())
    with pytest.raises(Retry):
        ask(new, place())
    assert Asked.objects.get().trouble


def test_a_witness_that_is_no_longer_named_is_not_asked(
    grow: Any, settings: Any
) -> None:
    settings.LOG_WITNESSES = [f"http://127.0.0.1:9 {W2.vkey}"]
    grow(3)
    settings.LOG_WITNESSES = []
    assert drain() == 1


def wrong_answers(note: str) -> dict[str, tuple[int, str]]:
    text, _ = split_note(note)
    now = datetime.now(UTC)
    other = Checkpoint(log_key().name, 4, bytes(32)).to_body()
    eve = Ed25519Key.from_seed(b"e" * 32)
    right = cosignature(text, "w2.example", SIGNER, now)
    return {
        "another text": (200, cosignature(other, "w2.example", SIGNER, now)),
        "another key": (200, cosignature(text, "w2.example", eve, now)),
        "year 2300": (
            200,
            cosignature(text, "w2.example", SIGNER, now.replace(year=2300)),
        ),
        "twice, one wrong": (
            200,
            right + cosignature(other, "w2.example", SIGNER, now),
        ),
        "junk": (200, "thanks\n"),
        "nothing": (200, ""),
        "too much": (200, "x" * 70_000),
        "forbidden": (403, "no\n"),
        "elsewhere": (302, ""),
        "conflict of nothing": (409, "x\n"),
    }


@pytest.mark.parametrize("which", list(wrong_answers(sign_note("a\n", "b", SIGNER))))
def test_no_wrong_answer_is_stored(which: str, grow: Any, answering: Any) -> None:
    made = grow(3)
    answering(wrong_answers(made.note)[which])
    with pytest.raises(Retry):
        ask(made, place())
    assert Row.objects.get().note == made.note
    row = Asked.objects.get()
    assert row.trouble
    assert not row.disagrees


def test_a_witness_with_another_history_is_written_down(
    grow: Any, witness: Witness
) -> None:
    fork = merkle.Tree([merkle.leaf_hash(b"another history")] * 4)
    body = Checkpoint(log_key().name, 4, fork.root()).to_body()
    signed = sign_note(body, log_key().name, log_signer())
    assert witness.add_checkpoint(Request(0, (), signed).to_bytes()).status == 200
    same, longer = grow(3), grow(3)
    for made, words in ((same, "another root over 4"), (longer, "not the first 4")):
        assert not ask(made, place())
        row = Asked.objects.get()
        assert row.disagrees
        assert words in row.trouble
        assert witness.key.name not in Row.objects.get(pk=made.pk).note


def test_entries_that_a_witness_saw_and_we_lost_are_a_disagreement(
    grow: Any, answering: Any
) -> None:
    made = grow(3)
    answering((409, "500\n"))
    assert not ask(made, place())
    row = Asked.objects.get()
    assert row.disagrees
    assert "500 entries, this log has 4: entries were lost" in row.trouble
    # Silence does not take it back, a cosignature does.
    answering((503, "later\n"))
    with pytest.raises(Retry):
        ask(made, place())
    assert "500 entries" in Asked.objects.get().trouble
    text, _ = split_note(made.note)
    answering((200, cosignature(text, "w2.example", SIGNER, datetime.now(UTC))))
    assert ask(made, place())
    assert not Asked.objects.get().disagrees


def test_a_lost_claim_keeps_no_cosignature(witness: Witness, grow: Any) -> None:
    made = grow(1)
    job = Job.objects.get(kind="log.cosign")
    claim = Claim.take(job)
    Job.objects.filter(pk=job.pk).update(token=claim.token + 1)
    with pytest.raises(LostClaim):
        ask(made, place(), claim)
    assert Row.objects.get().note == made.note


@pytest.mark.parametrize(
    "lines",
    [
        [f"http://127.0.0.1:9 {W2.vkey} trusted"],
        [f"127.0.0.1:9 {W2.vkey}"],
        ["http://127.0.0.1:9"],
        ["http://127.0.0.1:9 w2.example"],
        [f"http://127.0.0.1:9 {NoteKey.of_signer('w2', SIGNER).vkey}"],
        [f"http://127.0.0.1:9 {W2.vkey}", f"http://127.0.0.1:8 {W2.vkey}"],
    ],
)
def test_a_wrong_setting_stops_the_start(lines: list[str], settings: Any) -> None:
    settings.LOG_WITNESSES = lines
    assert "log.E003" in [one.id for one in run_checks()]


@pytest.mark.parametrize(
    ("count", "asked", "quorum"),
    [(1, 0, 1), (2, 0, 2), (3, 0, 2), (3, 1, 1), (2, 5, 2)],
)
def test_more_than_half_are_a_quorum_unless_said_otherwise(
    count: int, asked: int, quorum: int, settings: Any
) -> None:
    keys = [Ed25519Key.from_seed(bytes([at]) * 32) for at in range(count)]
    settings.LOG_WITNESSES = [
        f"http://127.0.0.1:9 {NoteKey.of_signer(f'w{at}', one, COSIGNATURE).vkey}"
        for at, one in enumerate(keys)
    ]
    settings.LOG_WITNESS_QUORUM = asked
    assert witnesses.quorum() == quorum
