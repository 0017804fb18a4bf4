"""The command line and whatever is put before it: an answer, and no traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from colophon import cli, trust
from colophon.authority import Authorities
from tests.colophon.bundles import authorities, trust_of
from tests.colophon.ledgers import ledger

NOBODY = "http://127.0.0.1:9"
FILES = {
    "empty": b"",
    "truncated": b'{"format": "https://colophon.example/',
    "null": b"null",
    "list": b"[]",
    "number": b"7",
    "wrong types": b'{"v": "1", "format": 7, "holder": [], "keys": 3}',
    "not UTF-8": b'{"format": "\xff\xfe"}',
    "deep": b"[" * 100_000 + b"]" * 100_000,
    "deep objects": b'{"a":' * 50_000,
    "huge number": b'{"v": ' + b"9" * 5_000 + b"}",
    "infinite": b'{"v": 1e400}',
    "NUL": rb'{"format": "\u0000"}',
    "surrogate": rb'{"format": "\ud800"}',
    "binary": bytes(range(256)) * 64,
    "zip": b"PK\x03\x04" + b"\0" * 64,
    "jpeg": b"\xff\xd8\xff\xe0" + b"\0" * 64,
    "pem": b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
}
COMMANDS = {
    "verify": ["verify", "{}"],
    "verify offline": ["verify", "--offline", "{}"],
    "verify bundle": ["verify", "{good}", "--bundle", "{}", "--offline"],
    "verify trust": ["verify", "{good}", "--trust", "{}"],
    "inspect": ["inspect", "{}"],
    "inspect anchors": ["inspect", "{good}", "--trust-anchors", "{}"],
    "inspect tsa": ["inspect", "{good}", "--tsa-anchors", "{}"],
    "export": ["export", "{}", "--format", "prov"],
    "log check state": ["log", "check", NOBODY, "--state", "{}"],
    "trust show": ["trust", "show", "--trust", "{}"],
    "statement check": ["statement", "check", "{}"],
    "statement trust": ["statement", "check", "{good}", "--trust", "{}"],
    "trace": ["trace", "{}"],
    "usage report": ["usage", "report", "{}", "--dry-run"],
    "step key": ["step", "open", "x", "--site", NOBODY, "--key", "{}"],
    "step api key": ["step", "flush", "--site", NOBODY, "--api-key-file", "{}"],
}
JSON = ("verify", "inspect", "log", "statement", "trace", "usage")
ANSWERS = {0, 1, 2, 3, 4, 10, 11, 12, 13}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLOPHON_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLOPHON_TRACEBACK", "1")  # so that none is hidden
    for name in ("COLOPHON_API_KEY", "COLOPHON_SITE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "good.txt"
    path.write_text("a file without any record")
    return path


def run(
    words: list[str], place: object, good: Path, capsys: pytest.CaptureFixture[str]
) -> int:
    """Exit code; what was said is a sentence, and JSON where that was asked for."""
    given = [one.format(place, good=good) for one in words]
    code = cli.main(given)
    told = capsys.readouterr()
    assert "Traceback" not in told.out + told.err
    assert code in ANSWERS, (given, code)
    assert told.out.strip() or told.err.strip() or code == 0, given
    if given[0] in JSON:
        again = cli.main([*given, "--json"])
        assert again == code, given
        answer = json.loads(capsys.readouterr().out)
        assert answer.get("v", 1) == 1
    return code


@pytest.mark.parametrize("command", COMMANDS)
def test_any_content_is_answered(
    command: str, tmp_path: Path, good: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "hostile.json"
    for content in FILES.values():
        place.write_bytes(content)
        run(COMMANDS[command], place, good, capsys)


@pytest.mark.parametrize("command", COMMANDS)
def test_what_is_no_file_is_answered(
    command: str, tmp_path: Path, good: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    places = ("folder", "gone.json", "good.txt/inside", "loop", "x" * 300)
    for name in places:
        code = run(COMMANDS[command], tmp_path / name, good, capsys)
        # A state file that is not there yet, or a key, is no mistake of the caller.
        assert code >= 10 or command == "verify bundle", (command, name)


def test_numbers_of_a_statement_may_be_anything(
    tmp_path: Path, good: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pki = authorities(tmp_path / "pki")
    told = ledger(pki).statement()
    trust.save(trust_of(pki), tmp_path / "trust.json")
    usual = ["statement", "check", "{}", "--trust", str(tmp_path / "trust.json")]
    place = tmp_path / "said.json"
    place.write_text(json.dumps(told))
    assert run(usual, place, good, capsys) == 0
    whole = json.dumps(told)
    for old, new in (
        ('"position": 1', '"position": 9007199254740991'),
        ('"earned_units": "', '"earned_units": "99999999999999999999'),
        ('"count": 1', '"count": 9007199254740991'),
        ('"rate_per": 999', '"rate_per": 0'),
        ('"tx_hash": "0x', '"tx_hash": "0y'),
        ('"account": "0x', '"account": "zz'),
    ):
        assert old in whole
        place.write_text(whole.replace(old, new, 1))
        assert run(usual, place, good, capsys) in {1, 12}, old


# --- sites and nodes


class Anything(BaseHTTPRequestHandler):
    """Answers every request alike."""

    answer = (200, b"")

    def do_GET(self) -> None:
        status, body = self.answer
        size = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(size)
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 - the framework's name

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def stranger() -> Iterator[str]:
    """Somebody who answers, and is no site of ours and no node."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Anything)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


ASKING = [
    ["log", "check", "{}"],
    ["trust", "fetch", "{}"],
    ["trace", "pay_0198abcd00017abc8abcdef012345678", "--site", "{}", "--key", "k"],
    ["step", "flush", "--site", "{}", "--api-key-file", "{good}"],
]
RPC = [
    b'{"jsonrpc":"2.0","id":1,"result":null}',
    b'{"jsonrpc":"2.0","id":1,"result":"0x7a69"}',
    b'{"jsonrpc":"2.0","id":1,"result":[]}',
    b'{"jsonrpc":"2.0","id":1,"error":{"code":-32000}}',
]


@pytest.mark.parametrize("words", ASKING, ids=lambda one: " ".join(one[:2]))
def test_whoever_answers_is_answered_for(
    words: list[str], stranger: str, good: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = [(200, body) for body in (*FILES.values(), RPC[0])]
    for answer in (*answers, (204, b""), (301, b""), (404, b"{"), (500, b"<p>")):
        Anything.answer = answer
        code = run(words, stranger, good, capsys)
        assert code not in {2, 3, 4}, answer


ADDRESSES = (
    NOBODY,
    "http://",
    "https://[",
    "http://x y",
    "ftp://x",
    "x",
    "",
    "http://\0",
)


@pytest.mark.parametrize("words", ASKING, ids=lambda one: " ".join(one[:2]))
def test_what_is_no_address_is_refused(
    words: list[str], good: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for address in ADDRESSES:
        assert run(words, address, good, capsys) >= 10 or words[0] == "step", address


def test_a_node_may_answer_anything(
    tmp_path: Path, stranger: str, good: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pki: Authorities = authorities(tmp_path / "pki")
    made = ledger(pki)
    trust.save(trust_of(pki), tmp_path / "trust.json")
    files = {"statement": made.statement(), "trace": made.trace()}
    for name, told in files.items():
        place = tmp_path / f"{name}.json"
        place.write_text(json.dumps(told))
        head = ["statement", "check"] if name == "statement" else ["trace"]
        usual = [*head, "{}", "--trust", str(tmp_path / "trust.json"), "--rpc"]
        for body in (FILES["binary"], FILES["deep"], *RPC):
            Anything.answer = (200, body)
            assert run([*usual, stranger], place, good, capsys) in {1, 11}, body[:60]
        for address in ADDRESSES[:-1]:
            code = run([*usual, address or "x"], place, good, capsys)
            assert code in {11, 12}, address


# --- where the answer goes


def command(words: list[str], **options: Any) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "colophon.cli", *words],
        check=False,
        timeout=120,
        env={k: v for k, v in os.environ.items() if k != "COLOPHON_TRACEBACK"},
        **options,
    )


def test_an_answer_that_nobody_reads_is_no_traceback(good: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    done = command(
        ["inspect", str(good), "--json"], stdout=write, stderr=subprocess.PIPE
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (12, b"")


def test_a_full_disk_is_told(good: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = command(["inspect", str(good)], stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 12
    assert b"No space left" in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_place_that_cannot_be_written_is_told(
    stranger: str, tmp_path: Path, good: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pki: Authorities = authorities(tmp_path / "pki")
    Anything.answer = (200, json.dumps(trust_of(pki).to_json()).encode())
    inside = str(good / "trust.json")  # below a file there is no folder
    assert cli.main(["trust", "fetch", stranger, "-o", inside]) == 10
    Anything.answer = (200, b"{}")
    pay = "pay_0198abcd00017abc8abcdef012345678"
    words = ["trace", pay, "--site", stranger, "--key", "k", "-o", inside]
    assert cli.main(words) == 12
    assert "Not a directory" in capsys.readouterr().err


def test_an_error_of_our_own_says_so_and_nothing_about_the_file(
    good: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("the tea is cold")

    monkeypatch.delenv("COLOPHON_TRACEBACK")
    monkeypatch.setattr("colophon.cli_inspect.inspect_file", broken)
    assert cli.main(["inspect", str(good), "--json"]) == cli.EXIT_INTERNAL
    told = capsys.readouterr()
    assert json.loads(told.out)["exit"] == cli.EXIT_INTERNAL
    assert "an error of this program (RuntimeError: the tea is cold)" in told.err
    monkeypatch.setenv("COLOPHON_TRACEBACK", "1")
    with pytest.raises(RuntimeError):
        cli.main(["inspect", str(good)])
