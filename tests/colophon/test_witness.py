"""A witness as a process of its own: what it refuses, and what it never forgets."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from colophon.cli import main
from colophon.digest import sha256, to_base64
from colophon.errors import InputError, SignatureError
from colophon.merkle import Tree, leaf_hash
from colophon.note import (
    COSIGNATURE,
    Checkpoint,
    NoteKey,
    add_signature,
    cosignature,
    open_note,
    sign_note,
    split_note,
)
from colophon.tlogwitness import (
    MAX_REQUEST_BYTES,
    Request,
    cosignatures,
    stored_size,
)
from colophon.witness import STATE, Witness
from tests.colophon.bundles import key

ORIGIN = "log.example/one"
LOG_KEY = NoteKey.of_signer(ORIGIN, key("log"))
TREE = Tree([leaf_hash(bytes([at])) for at in range(100)])
FORK = Tree([leaf_hash(b"fork" + bytes([at])) for at in range(100)])
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)

# The same server; between writing the state and answering, the machine dies.
DIES = """
import os, signal, sys
from pathlib import Path
from colophon.witness import Witness
from colophon.witness_serve import serve
class Dying:
    def __init__(self, signer): self.public_spki = signer.public_spki
    def sign(self, message): os.kill(os.getpid(), signal.SIGKILL)
witness = Witness.open(Path(sys.argv[1]))
witness._signer = Dying(witness._signer)
serve(witness, 0)
"""


def head(size: int, tree: Tree = TREE, *extensions: str) -> str:
    """The log's checkpoint note of a size."""
    body = Checkpoint(ORIGIN, size, tree.root(size), extensions).to_body()
    return sign_note(body, ORIGIN, key("log"))


def ask(old: int, size: int, tree: Tree = TREE) -> bytes:
    """An honest request of a tree."""
    proof = tuple(tree.consistency_proof(old, size)) if old else ()
    return Request(old, proof, head(size, tree)).to_bytes()


@contextmanager
def serving(
    folder: Path, code: str = ""
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A witness process on a free port; its address and itself."""
    command = ["-c", code, str(folder)] if code else []
    command = command or ["-m", "colophon.cli", "witness", "serve", str(folder)]
    process = subprocess.Popen(
        [sys.executable, *command, *([] if code else ["--port", "0"])],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().split(" at ")[1].strip(), process
    finally:
        process.terminate()
        process.communicate(timeout=20)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    Witness.create(tmp_path / "w1", "w1.example", [LOG_KEY]).state.close()
    return tmp_path / "w1"


@pytest.fixture
def witness(folder: Path) -> Iterator[Witness]:
    found = Witness.open(folder)
    yield found
    found.state.close()


def test_a_process_of_its_own_cosigns_a_growing_log_over_http(folder: Path) -> None:
    found = Witness.open(folder)
    with serving(folder) as (url, _), httpx.Client(base_url=url) as http:
        assert url.startswith("http://127.0.0.1:")
        for old, size in ((0, 5), (5, 5), (5, 64), (64, 100)):
            answer = http.post("/add-checkpoint", content=ask(old, size))
            assert answer.status_code == 200
            (one,) = cosignatures(
                answer.text, head(size), [found.key], now=datetime.now(UTC)
            )
            both = open_note(head(size) + one.line, [LOG_KEY, found.key])
            assert len(both.signatures) == 2
        late = http.post("/add-checkpoint", content=ask(5, 64))
        assert (late.status_code, late.text) == (409, "100\n")
        assert late.headers["Content-Type"] == "text/x.tlog.size"
        assert http.get("/add-checkpoint").status_code == 405
        assert http.post("/other", content=b"x").status_code == 404
        huge = http.post("/add-checkpoint", content=bytes(MAX_REQUEST_BYTES + 1))
        assert huge.status_code == 413


def test_a_kill_between_writing_and_answering_forgets_nothing(folder: Path) -> None:
    with serving(folder, DIES) as (url, process):
        with pytest.raises(httpx.HTTPError):
            httpx.post(f"{url}/add-checkpoint", content=ask(0, 40))
        assert process.wait(10) == -9
    with serving(folder) as (url, _), httpx.Client(base_url=url) as http:
        fork = http.post("/add-checkpoint", content=ask(0, 40, FORK))
        assert (fork.status_code, fork.text) == (409, "40\n")
        assert http.post("/add-checkpoint", content=ask(0, 40)).status_code == 409
        assert http.post("/add-checkpoint", content=ask(40, 40)).status_code == 200
        assert http.post("/add-checkpoint", content=ask(40, 90)).status_code == 200


@pytest.mark.parametrize("loss", ["gone", "empty", "text", "another's"])
def test_a_witness_whose_state_is_lost_is_retired(
    folder: Path, tmp_path: Path, loss: str, capsys: pytest.CaptureFixture[str]
) -> None:
    state = folder / STATE
    if loss == "another's":
        Witness.create(tmp_path / "w2", "w2.example", [LOG_KEY]).state.close()
        (tmp_path / "w2" / STATE).replace(state)
    elif loss == "gone":
        state.unlink()
    else:
        state.write_text("x" * 5000 if loss == "text" else "")
    assert main(["witness", "serve", str(folder), "--port", "0"]) == 12
    assert "retired" in capsys.readouterr().err
    # Nor does anything make a new state for the old key.
    again = ["witness", "init", str(folder), "--name", "w1.example"]
    assert main([*again, "--log", LOG_KEY.vkey]) == 12
    assert state.exists() is (loss != "gone")


def test_a_state_without_a_key_is_no_witness(folder: Path) -> None:
    (folder / "key").unlink()
    with pytest.raises(InputError):
        Witness.open(folder)
    with pytest.raises(InputError):
        Witness.create(folder, "w1.example", [LOG_KEY])


def _stranger(_: Request) -> bytes:
    body = Checkpoint(ORIGIN, 5, TREE.root(5)).to_body()
    return Request(0, (), sign_note(body, ORIGIN, key("eve"))).to_bytes()


def _other_log(_: Request) -> bytes:
    body = Checkpoint("other.example", 5, TREE.root(5)).to_body()
    return Request(0, (), sign_note(body, "other.example", key("log"))).to_bytes()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"old 0\n", 400),
        (b"old 00\n\n" + head(5).encode(), 400),
        (b"old -1\n\n" + head(5).encode(), 400),
        (b"old x\n\n" + head(5).encode(), 400),
        (b"old 9999999999999999999\n\n" + head(5).encode(), 400),
        (b"old 0\n#\n\n" + head(5).encode(), 400),
        (b"old 0\nAAAA\n\n" + head(5).encode(), 400),
        (b"old 0\n\nhello\n", 400),
        (b"old 0\n\n\xff\n", 400),
        (Request(10, (bytes(32),) * 64, head(50)).to_bytes(), 400),
        (Request(9, (), head(5)).to_bytes(), 400),
        (_other_log(Request(0, (), "")), 404),
        (_stranger(Request(0, (), "")), 403),
        (ask(0, 50), 409),
        (ask(9, 50), 409),
        (ask(0, 10, FORK), 409),
        (ask(10, 10, FORK), 409),
        (ask(10, 50, FORK), 422),
        (Request(10, (), head(50)).to_bytes(), 422),
        (Request(10, (bytes(32),) * 63, head(50)).to_bytes(), 422),
        (Request(10, (bytes(32),), head(10)).to_bytes(), 422),
    ],
)
def test_what_the_specification_refuses_is_refused_and_changes_nothing(
    witness: Witness, body: bytes, status: int
) -> None:
    assert witness.add_checkpoint(ask(0, 10)).status == 200
    answer = witness.add_checkpoint(body)
    assert answer.status == status
    if status == 409:
        assert (answer.body, answer.kind) == ("10\n", "text/x.tlog.size")
        assert stored_size(answer.body) == 10
    assert witness.state.logs()[ORIGIN].size == 10
    assert witness.add_checkpoint(ask(10, 50)).status == 200


def test_a_first_request_has_no_proof(witness: Witness) -> None:
    body = Request(0, (bytes(32),), head(5)).to_bytes()
    assert witness.add_checkpoint(body).status == 422
    assert witness.state.logs()[ORIGIN].size == 0


def test_extension_lines_of_another_log_are_cosigned_with_it(witness: Witness) -> None:
    note = head(5, TREE, "opaque")
    answer = witness.add_checkpoint(Request(0, (), note).to_bytes())
    assert answer.status == 200
    assert cosignatures(answer.body, note, [witness.key], now=datetime.now(UTC))


def test_signatures_of_strangers_are_ignored(witness: Witness) -> None:
    note = add_signature(head(5), "eve.example", key("eve"))
    assert witness.add_checkpoint(Request(0, (), note).to_bytes()).status == 200


def test_a_second_history_is_refused_and_kept_as_proof(
    witness: Witness, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    witness.add_checkpoint(ask(0, 10))
    assert main(["witness", "show", str(folder)]) == 0
    witness.add_checkpoint(ask(10, 10, FORK))
    assert main(["witness", "show", str(folder)]) == 1
    assert "signed a second history" in capsys.readouterr().out
    ((_, note),) = witness.state.conflicts()
    assert note == head(10, FORK)


def test_of_two_histories_at_once_one_is_cosigned(witness: Witness) -> None:
    """Both extend what is stored; comparing and writing are one step."""
    witness.add_checkpoint(ask(0, 1))
    bodies = [
        Request(1, tuple(tree.consistency_proof(1, size)), note).to_bytes()
        for tree, size, note in (
            (tree, size, sign_note(checkpoint.to_body(), ORIGIN, key("log")))
            for branch in range(8)
            for size in [20 + branch % 2]
            for tree in [Tree([TREE.read(0, 0), *[sha256(bytes([branch]))] * 30])]
            for checkpoint in [Checkpoint(ORIGIN, size, tree.root(size))]
        )
    ]
    with ThreadPoolExecutor(8) as pool:
        found = [one.status for one in pool.map(witness.add_checkpoint, bodies)]
    assert sorted(found) == [200, *[409] * 7]


def test_a_log_may_have_a_new_key(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    body = Checkpoint(ORIGIN, 5, TREE.root(5)).to_body()
    asked = Request(0, (), sign_note(body, ORIGIN, key("new log"))).to_bytes()
    new = NoteKey.of_signer(ORIGIN, key("new log"))
    assert Witness.open(folder).add_checkpoint(asked).status == 403
    assert main(["witness", "add", str(folder), new.vkey]) == 0
    assert Witness.open(folder).add_checkpoint(asked).status == 200
    wrong = NoteKey.of_signer(ORIGIN, key("w"), COSIGNATURE)
    assert main(["witness", "add", str(folder), wrong.vkey]) == 12


# A checkpoint of Go's checksum database, as sum.golang.org published it.
GO_VKEY = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
GO_ORIGIN = "go.sum database tree"
GO_NOTE = (
    f"{GO_ORIGIN}\n35225469\nvt5T6GaLCXvyHFl9VUvvItR43XZxfLgftEcTyO3eJCQ=\n\n"
    "— sum.golang.org Az3grpukl5AXaVfYkLiDGORx/DN2nlcS5kZHR5uYOBV2KA2HgXpD+gu9HHONebHL"
    "AyaKbbTM75QTtPydhKCExixSfwQ=\n"
)


def test_the_checkpoint_of_a_log_by_others_is_cosigned(folder: Path) -> None:
    """Its origin is not its key's name, so the witness is told both."""
    asked = Request(0, (), GO_NOTE).to_bytes()
    assert Witness.open(folder).add_checkpoint(asked).status == 404
    add = ["witness", "add", str(folder), GO_VKEY]
    assert main(add) == 0
    assert Witness.open(folder).add_checkpoint(asked).status == 404
    assert main([*add[:2], "x", *add[3:]]) == 12
    assert main([*add, "--origin", "two\nlines"]) == 12
    other = folder.parent / "w3"
    Witness.create(other, "w3.example", []).state.close()
    assert main(["witness", "add", str(other), GO_VKEY, "--origin", GO_ORIGIN]) == 0
    found = Witness.open(other)
    answer = found.add_checkpoint(asked)
    assert answer.status == 200
    assert cosignatures(answer.body, GO_NOTE, [found.key], now=datetime.now(UTC))
    forged = asked.replace(b"35225469", b"35225468")
    assert found.add_checkpoint(forged).status == 403


def test_only_the_owner_reads_key_and_state(folder: Path) -> None:
    for name in ("key", STATE):
        assert (folder / name).stat().st_mode & 0o077 == 0


# --- the log's side: each answer is checked before it is stored

W1 = NoteKey.of_signer("w1.example", key("w1"), COSIGNATURE)


def line(name: str = "w1", at: datetime = NOW, note: str = "") -> str:
    text, _ = split_note(note or head(5))
    return cosignature(text, f"{name}.example", key(name), at)


def test_an_answer_gives_the_lines_of_known_witnesses() -> None:
    answer = line("w2") + line()
    (one,) = cosignatures(answer, head(5), [W1], now=NOW)
    assert (one.key, one.signed_at, one.line) == (W1, NOW, line())


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("", InputError),
        ("hello\n", InputError),
        (line().rstrip("\n"), InputError),
        ("more text\n\n" + line(), InputError),
        (line("w2"), SignatureError),
        (line(note=head(6)), SignatureError),
        (line() + line(note=head(6)), SignatureError),
        (line(at=NOW + timedelta(minutes=6)), SignatureError),
        (line(at=NOW.replace(year=2300)), SignatureError),
        (f"— w1.example {to_base64(W1.id + bytes(72))}\n", SignatureError),
        (f"— w1.example {to_base64(W1.id + bytes(3))}\n", SignatureError),
    ],
)
def test_a_wrong_answer_is_never_stored(answer: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        cosignatures(answer, head(5), [W1], now=NOW)


def test_a_logs_own_kind_of_key_is_no_witness() -> None:
    plain = NoteKey.of_signer(ORIGIN, key("log"))
    answer = split_note(head(5)) and head(5).split("\n\n")[1]
    with pytest.raises(SignatureError, match="not of a witness"):
        cosignatures(answer, head(5), [plain], now=NOW)


@settings(max_examples=30)
@given(st.text(max_size=100))
def test_any_answer_is_refused_with_a_reason(answer: str) -> None:
    with pytest.raises((InputError, SignatureError)):
        cosignatures(answer, head(5), [W1], now=NOW)


@settings(max_examples=30)
@given(st.binary(max_size=200))
def test_any_request_is_read_or_refused_with_a_reason(body: bytes) -> None:
    with pytest.raises(InputError):
        Request.from_bytes(b"old " + body)


@pytest.mark.parametrize("body", ["", "5", "05\n", "x\n", "5\n\n", "9" * 20 + "\n"])
def test_a_conflict_without_a_size_is_refused(body: str) -> None:
    with pytest.raises(InputError):
        stored_size(body)


def test_requests_round_trip() -> None:
    asked = Request(3, tuple(TREE.consistency_proof(3, 50)), head(50))
    assert Request.from_bytes(asked.to_bytes()) == asked
    assert sha256(asked.to_bytes()) == sha256(ask(3, 50))
