"""The supervisor: ports, children that die, a run file that a crash left behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import redis

from config.stack import banner, broker, demo, ports, runfile
from config.stack.environment import environment_of
from config.stack.ports import PortTakenError
from config.stack.process import MAX_RESTARTS, Process, StackError

PATIENCE_SECONDS = 60.0


def python(name: str, code: str, folder: Path, *, keep: bool = True) -> Process:
    """A child that runs some Python."""
    command = [sys.executable, "-c", code]
    log = folder / f"{name}.log"
    return Process(name, command, dict(os.environ), log, folder, keep=keep)


def until(ask: Callable[[], bool]) -> None:
    ends = time.monotonic() + PATIENCE_SECONDS
    while not ask():
        assert time.monotonic() < ends, "did not happen"
        time.sleep(0.02)


@pytest.fixture
def taken() -> Iterator[int]:
    """A loopback port that somebody listens on."""
    with socket.create_server((ports.HOST, 0)) as server:
        yield server.getsockname()[1]


def test_a_taken_port_gives_the_next_one_and_says_so(taken: int) -> None:
    port, words = ports.web_port(None, first=taken)
    assert taken < port <= taken + 10
    assert words == f"{taken} is used by another program; using {port}"


def test_a_free_port_needs_no_words() -> None:
    free = ports.any_free()
    assert ports.web_port(None, first=free) == (free, "")
    assert ports.web_port(free) == (free, "")


def test_a_port_that_was_asked_for_and_is_taken_is_refused(taken: int) -> None:
    with pytest.raises(PortTakenError, match=f"port {taken} is used"):
        ports.web_port(taken)


def test_a_child_that_dies_is_told_of_and_started_again(tmp_path: Path) -> None:
    code = "import sys; [print('line', n) for n in range(40)]; sys.exit(3)"
    child, said = python("poor", code, tmp_path), []
    child.start()
    first = child.pid
    until(child.ended)
    child.watch(said.append)
    assert child.pid != first
    words = said[0]
    assert "poor ended with status 3" in words
    assert "line 39" in words
    assert "line 25" in words
    assert "line 24" not in words, "more than the last 15 lines"
    child.kill()


def test_a_child_that_keeps_dying_is_given_up(tmp_path: Path) -> None:
    child = python("hopeless", "raise SystemExit(7)", tmp_path)
    child.start()
    for _ in range(MAX_RESTARTS):
        until(child.ended)
        child.watch()
    until(child.ended)
    with pytest.raises(StackError, match="hopeless ended with status 7"):
        child.watch()


def test_a_child_that_is_not_to_be_kept_stays_dead(tmp_path: Path) -> None:
    child = python("once", "pass", tmp_path, keep=False)
    child.start()
    until(child.ended)
    with pytest.raises(StackError, match="once ended with status 0"):
        child.watch()


def test_a_child_that_ignores_the_request_is_killed_with_its_own(
    tmp_path: Path,
) -> None:
    code = (
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "sleep = [sys.executable, '-c', 'import time; time.sleep(60)']\n"
        "more = subprocess.Popen(sleep)\n"
        "print(more.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    child = python("deaf", code, tmp_path)
    child.start()
    log = tmp_path / "deaf.log"
    until(lambda: log.is_file() and log.read_text().endswith("\n"))
    grandchild = int(log.read_text())
    child.ask_to_stop()
    child.wait_or_kill(time.monotonic() + 0.3)
    assert child.status == -signal.SIGKILL
    until(lambda: gone(grandchild))


def gone(pid: int) -> bool:
    """Ended, or a zombie that nobody has asked for yet."""
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().split()[2] == "Z"


class Ok(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def site() -> Iterator[str]:
    """Something that answers every GET with 200."""
    with HTTPServer((ports.HOST, 0), Ok) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://{ports.HOST}:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_second_start_says_where_the_first_is(
    tmp_path: Path, site: str, capsys: pytest.CaptureFixture[str]
) -> None:
    runfile.write(tmp_path, url=site, ports={"web": 1})
    assert demo.Demo(tmp_path).run() == 0
    assert f"already running at {site}/" in capsys.readouterr().out


def test_a_run_file_that_a_crash_left_behind_counts_for_nothing(
    tmp_path: Path, site: str
) -> None:
    assert runfile.running(tmp_path) == ""
    dead = subprocess.Popen([sys.executable, "-c", "pass"])
    dead.wait()
    path = tmp_path / runfile.NAME
    path.write_text(f'{{"url": "{site}", "pid": {dead.pid}}}')
    assert runfile.running(tmp_path) == ""
    path.write_text('{"url": "http://127.0.0.1:9", "pid": 1}')
    assert runfile.running(tmp_path) == ""
    path.write_text("half a fi")
    assert runfile.running(tmp_path) == ""


def test_the_broker_that_comes_along_answers_and_keeps_its_jobs(
    tmp_path: Path,
) -> None:
    port = ports.any_free()
    command = broker.command(port, tmp_path / "broker")
    child = Process("broker", command, dict(os.environ), tmp_path / "log", tmp_path)
    child.start()
    client = redis.Redis(port=port)
    until(lambda: answers(client))
    assert client.config_get("appendonly") == {"appendonly": "yes"}
    assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    client.close()
    child.ask_to_stop()
    until(child.ended)
    assert child.status == 0


def answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


def test_the_demo_keeps_to_its_folder_whatever_the_shell_has_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://elsewhere/real")
    monkeypatch.setenv("DATABASE_URL_FILE", "/run/secrets/database_url")
    monkeypatch.setenv("COLOPHON_CHAIN_PUBLIC", "1")
    monkeypatch.setenv("SSL_CERT_FILE", "/etc/ssl/cert.pem")
    found = environment_of(tmp_path, "http://127.0.0.1:8123")
    assert found["DATABASE_URL"] == f"sqlite:///{tmp_path}/colophon.sqlite3"
    assert "DATABASE_URL_FILE" not in found
    assert found["COLOPHON_CHAIN_PUBLIC"] == "0"
    assert found["SSL_CERT_FILE"] == "/etc/ssl/cert.pem"


def test_a_stage_is_one_line_with_its_number_and_seconds() -> None:
    line = banner.stage(4, 7, "Broker and chain", 1.26)
    assert line.startswith("  [4/7] Broker and chain ")
    assert line.endswith("✓   1.3 s")


def test_everybody_of_the_cast_is_on_the_banner() -> None:
    from accounts.demo import CAST

    shown = " ".join(banner.people())
    for role in CAST.values():
        assert role.person.split()[0] in shown
