"""The recorder: signed here, sent when possible, and never in the pipeline's way."""

# ruff: noqa: SIM117 - a run and a step in it are two things
from __future__ import annotations

import asyncio
import base64
import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from accounts import keys
from accounts.models import SigningKey, User
from colophon import recorder
from colophon.digest import sha256
from colophon.disclosure import Disclosure, verify_disclosure
from colophon.drafts import plain_value
from colophon.errors import ColophonError, InputError
from colophon.keys import Ed25519Key
from colophon.origin import IPTC
from colophon.pipeline import ApiError, Unreachable
from colophon.recorder import RecordingError, begin, flush_all, record, resume
from colophon.spool import Spool
from colophon.statement import Envelope, read_statement
from colophon.steps import parse_step
from provenance.models import Disclosure as Opened
from provenance.models import Run, Step
from tests.loop import SITE, Person

pytestmark = pytest.mark.django_db
AI = IPTC + "trainedAlgorithmicMedia"
EDIT = IPTC + "humanEdits"
CREATED = {"source_type": AI, "kind": "agent"}
NOWHERE = "http://127.0.0.1:9"  # discard: nobody listens there


@pytest.fixture
def studio(ada: User) -> Person:
    """Ada's machine."""
    return Person.of(ada, "record")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def steps_of(run_id: str) -> list[Any]:
    """The parsed steps that the site has of a run."""
    rows = Step.objects.filter(run__code=run_id).select_related("entry")
    return [
        parse_step(read_statement(Envelope.from_json(row.entry.envelope).payload))
        for row in rows
    ]


# --- what is recorded ---------------------------------------------------------------


def test_two_steps_reach_the_site_in_order(
    studio: Person, home: Path, tmp_path: Path
) -> None:
    draft, final = tmp_path / "draft.png", tmp_path / "final.png"
    with record("spring", **studio.recorder(home, strict=True)) as run:
        with run.step("c2pa.created", tool="diffuser", **CREATED) as step:
            step.prompt("a harbor at night")
            step.parameters(seed=7)
            step.model(sha256(b"weights"), "Diffuser 2")
            step.source(sha256(b"images"), "Norsk Kyst")
            draft.write_bytes(b"draft")
            step.output(draft)
        with run.step("c2pa.edited", source_type=EDIT, kind="human") as step:
            assert step.input(draft) == sha256(b"draft")
            step.intermediate(b"half way")
            step.note("warmer")
            final.write_bytes(b"final")
            assert step.output(final) == sha256(b"final")
    first, second = steps_of(run.id)
    row = Run.objects.get(code=run.id)
    assert (row.name, row.party) == ("spring", studio.party)
    assert [one.index for one in (first, second)] == [0, 1]
    assert first.outputs[0].name == "draft.png"
    assert (first.tool.name, first.actor.kind) == ("diffuser", "agent")
    assert [one.relation for one in first.inputs] == ["inputTo"]
    assert second.inputs[0].sha256 == first.outputs[0].sha256
    assert second.proxy is not None
    assert second.proxy.intermediates == (sha256(b"half way"),)
    assert second.note == "warmer"
    assert first.ticket is not None
    assert first.ticket.nonce == bytes(row.nonce)
    assert first.started_on <= first.finished_on


def test_the_key_is_made_once_and_enrolled_before_the_ticket(
    studio: Person, home: Path
) -> None:
    for _ in range(2):
        with record("twice", **studio.recorder(home, strict=True)) as run:
            with run.step("c2pa.created", **CREATED) as step:
                step.output(b"x")
    made = Ed25519Key.load(home / "key.pem")
    row = SigningKey.objects.get(key_id=made.key_id)
    assert (row.party, row.custody) == (studio.party, "client")
    assert {one.key_id for one in Step.objects.all()} == {row.pk}
    first = Run.objects.earliest("pk")
    assert row.enrollment is not None
    assert row.enrollment.pk < first.ticket.pk


def test_a_step_can_be_signed_by_a_runtime_key(studio: Person, home: Path) -> None:
    runtime = Ed25519Key.generate()
    studio.api.enroll(runtime, purpose="runtime", models=(sha256(b"weights"),))
    with record("render", **studio.recorder(home, strict=True)) as run:
        with run.step("c2pa.created", key=runtime, **CREATED) as step:
            step.output(b"x")
    assert Step.objects.get().key.key_id == runtime.key_id


def test_prompts_leave_as_commitments_and_disclosures_only(
    studio: Person, home: Path
) -> None:
    secret = "a harbor at night, in the manner of nobody"
    with record("quiet", **studio.recorder(home, strict=True)) as run:
        with run.step("c2pa.created", **CREATED) as step:
            step.prompt(secret)
            step.parameters(seed=118_700, style="nocturne")
            step.output(b"x")
    path, body = studio.transport.sent[-1]
    assert path.endswith("/steps")
    said = json.loads(body)
    payload = base64.b64decode(said["envelope"]["payload"])
    assert secret.encode() not in payload
    assert b"118700" not in payload
    assert b"nocturne" not in payload
    opened = [Disclosure.from_json(one) for one in said["disclosures"]]
    assert {one.field for one in opened} == {
        "prompt",
        "parameters/seed",
        "parameters/style",
    }
    for one in opened:
        verify_disclosure(json.loads(payload), one)
    elsewhere = b"".join(body for _, body in studio.transport.sent[:-1])
    assert secret.encode() not in elsewhere
    assert Opened.objects.get(field="prompt").value == secret
    assert not Opened.objects.filter(is_public=True).exists()


def test_a_prompt_is_never_in_the_warnings(
    studio: Person, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with record("loud", **studio.recorder(home)) as run:
        with run.step("c2pa.created", **CREATED) as step:
            step.prompt("a secret " * 20_000)  # larger than a disclosure may be
            step.output(b"x")
    assert "step not recorded" in caplog.text
    assert "a secret" not in caplog.text
    assert not Step.objects.exists()


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (7, 7),
        (7.5, 7.5),
        (True, True),
        (None, None),
        (2**60, str(2**60)),
        (float("inf"), "inf"),
        (Path("a/b.safetensors"), "a/b.safetensors"),
        ((1, "x"), [1, "x"]),
        ({"a": {1: 2**53}}, {"a": {"1": str(2**53)}}),
    ],
)
def test_parameters_become_json_that_every_reader_understands(
    value: Any, plain: Any
) -> None:
    assert plain_value(value) == plain
    assert type(plain_value(value)) is type(plain)


def test_parameters_of_numeric_libraries_are_recorded(
    studio: Person, home: Path
) -> None:
    import numpy as np

    with record("numbers", **studio.recorder(home, strict=True)) as run:
        with run.step("c2pa.created", **CREATED) as step:
            step.parameters(
                seed=np.uint64(2**63 + 1), scale=np.float32(7.5), size=np.int64(512)
            )
            step.output(b"x")
    values = dict(Opened.objects.values_list("field", "value"))
    assert values == {
        "parameters/seed": str(2**63 + 1),
        "parameters/scale": 7.5,
        "parameters/size": 512,
    }


# --- never in the way ---------------------------------------------------------------


def test_a_site_that_is_down_does_not_stop_the_pipeline(
    studio: Person, home: Path
) -> None:
    done = []
    options = {"site": NOWHERE, "api_key": studio.secret, "home": home}
    with record("offline", **options) as run:
        with run.step("c2pa.created", **CREATED) as step:
            done.append(step.output(b"x"))
    assert done == [sha256(b"x")]
    assert Spool(home / "spool").runs() == [run.id]
    assert not Step.objects.exists()


class Broken(BaseHTTPRequestHandler):
    """Answers everything with what its server was told."""

    def do_POST(self) -> None:
        status, body = self.server.answer  # type: ignore[attr-defined]
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST  # noqa: N815 - the framework's name

    def log_message(self, *_: object) -> None:
        """Keep the test's output quiet."""


@pytest.fixture
def broken() -> Iterator[ThreadingHTTPServer]:
    """A site on which something is wrong."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Broken) as server:
        server.answer = (500, b"")  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    "answer",
    [
        (500, b"<h1>Server Error</h1>"),
        (502, b""),
        (429, b""),
        (302, b""),
        (401, b'{"code": "not-authenticated"}'),
        (200, b"<html>Sign in to the hotel's network</html>"),
        (200, b'{"hello": "world"}'),
        (200, b"[]"),
        (422, b'{"errors": 7}'),
    ],
    ids=lambda one: str(one[0]),
)
def test_whatever_a_site_answers_the_pipeline_goes_on_and_the_step_waits(
    broken: ThreadingHTTPServer, home: Path, answer: tuple[int, bytes]
) -> None:
    broken.answer = answer  # type: ignore[attr-defined]
    url = f"http://127.0.0.1:{broken.server_port}"
    with record("broken", site=url, api_key="clp_x", home=home) as run:
        with run.step("c2pa.created", **CREATED) as step:
            step.output(b"x")
    assert run.info.ticket is None
    assert Spool(home / "spool").count(run.id) == 1
    with pytest.raises((Unreachable, ApiError)):
        begin("broken", site=url, api_key="clp_x", home=home, strict=True)


def test_a_key_folder_that_cannot_be_used_records_nothing(
    studio: Person, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blocked = tmp_path / "a file"
    blocked.write_text("not a folder")
    with record("no home", **studio.recorder(blocked)) as run:
        with run.step("c2pa.created", **CREATED) as step:
            assert step.output(b"x") == sha256(b"x")
        assert run.flush() == 0
    assert run.off
    assert "nothing is recorded" in caplog.text
    assert not Run.objects.exists()
    with pytest.raises((OSError, ColophonError)):
        begin("no home", **studio.recorder(blocked, strict=True))


def test_a_damaged_key_file_records_nothing(studio: Person, home: Path) -> None:
    home.mkdir()
    (home / "key.pem").write_text("no key")
    (home / "key.pem").chmod(0o600)
    with record("bad key", **studio.recorder(home)) as run:
        with run.step("c2pa.created", **CREATED) as step:
            step.output(b"x")
    assert "key" in run.off
    with pytest.raises(InputError):
        begin("bad key", **studio.recorder(home, strict=True))


@pytest.mark.parametrize("address", ["", "example.com", "http://[", "ftp://a"])
def test_a_wrong_address_does_not_stop_the_pipeline(home: Path, address: str) -> None:
    with record("x", site=address, api_key="clp_x", home=home) as run:
        with run.step("c2pa.created", **CREATED) as step:
            step.output(b"x")
    assert not Step.objects.exists()


@pytest.mark.parametrize("secret", ["clp_ü", "clp_a\nX-Evil: 1", "two words"])
def test_a_wrong_api_key_is_never_put_into_a_header(home: Path, secret: str) -> None:
    with record("x", site=NOWHERE, api_key=secret, home=home) as run:
        pass
    assert "API key" in run.off


def test_a_revoked_key_is_named_and_nothing_is_recorded(
    studio: Person, home: Path
) -> None:
    with record("before", **studio.recorder(home, strict=True)):
        pass
    row = SigningKey.objects.get(key_id=Ed25519Key.load(home / "key.pem").key_id)
    keys.revoke(row, effective_at=row.enrolled_at, reason="compromised")
    with record("after", **studio.recorder(home)) as run:
        with run.step("c2pa.created", **CREATED) as step:
            step.output(b"x")
    assert "was revoked" in run.off
    assert not Step.objects.exists()


def test_an_output_that_is_not_there_leaves_the_step_out(
    studio: Person, home: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with record("missing", **studio.recorder(home)) as run:
        with run.step("c2pa.created", **CREATED) as step:
            assert step.output(tmp_path / "never-made.png") == b""
            step.output(b"something else")
        with run.step("c2pa.created", **CREATED) as step:
            step.output(b"x")
    assert "never-made.png cannot be read" in caplog.text
    (kept,) = steps_of(run.id)
    assert (kept.index, kept.outputs[0].sha256) == (0, sha256(b"x"))


@pytest.mark.parametrize(
    "options",
    [
        {"action": "c2pa.invented"},
        {"action": "c2pa.created", "source_type": None},
        {"action": "c2pa.created", "source_type": "made by hand"},
        {"action": "c2pa.created", "source_type": AI, "kind": "robot"},
        {"action": "c2pa.created", "source_type": AI, "tool": ""},
    ],
)
def test_a_step_that_breaks_the_format_is_logged_and_left_out(
    studio: Person, home: Path, options: dict[str, Any]
) -> None:
    with record("odd", **studio.recorder(home)) as run:
        with run.step(**options) as step:
            step.output(b"x")
    assert not Step.objects.exists()
    assert not Spool(home / "spool").runs()
    with record("odd", **studio.recorder(home, strict=True)) as run:
        with pytest.raises(InputError), run.step(**options) as step:
            step.output(b"x")


def test_the_pipelines_own_exception_passes_through_without_a_step(
    studio: Person, home: Path
) -> None:
    with pytest.raises(ZeroDivisionError):  # noqa: PT012 - the whole run is the act
        with record("fails", **studio.recorder(home, strict=True)) as run:
            with run.step("c2pa.created", **CREATED) as step:
                step.output(b"first")
            with run.step("c2pa.edited", source_type=EDIT) as step:
                step.output(b"second")
                raise ZeroDivisionError
    (kept,) = steps_of(run.id)
    assert kept.outputs[0].sha256 == sha256(b"first")


def test_the_pipelines_exception_is_not_hidden_by_one_of_the_recording(
    studio: Person, home: Path
) -> None:
    with pytest.raises(ZeroDivisionError):  # noqa: PT012 - the whole run is the act
        with record("fails", **studio.recorder(home, strict=True)) as run:
            with run.step("c2pa.created", **CREATED) as step:
                step.output(b"x")
            studio.transport.down = True
            run.keep(_draft(b"y"), action="c2pa.created", **CREATED)
            raise ZeroDivisionError
    assert run.spool.count(run.id) == 1


def _draft(data: bytes) -> recorder.Draft:
    draft = recorder.Draft(strict=True)
    draft.output(data)
    return draft


# --- strict -------------------------------------------------------------------------


def test_strict_lets_everything_through(
    studio: Person, home: Path, tmp_path: Path
) -> None:
    with pytest.raises(Unreachable):
        begin("down", site=NOWHERE, api_key="clp_x", home=home, strict=True)
    with record("strict", **studio.recorder(home, strict=True)) as run:
        with pytest.raises(FileNotFoundError):
            with run.step("c2pa.created", **CREATED) as step:
                step.output(tmp_path / "missing")
        with pytest.raises(InputError), run.step("c2pa.created") as step:
            step.output(b"x")
        studio.transport.down = True
        with pytest.raises(Unreachable), run.step("c2pa.created", **CREATED) as step:
            step.output(b"x")
        studio.transport.down = False
    assert len(steps_of(run.id)) == 1  # the last one waited, and was sent at the end


# --- offline, then flushed ----------------------------------------------------------


def test_steps_recorded_offline_are_flushed_exactly_once(
    studio: Person, home: Path
) -> None:
    studio.transport.down = True
    with record("offline", **studio.recorder(home)) as run:
        for number in range(3):
            with run.step("c2pa.created", **CREATED) as step:
                step.output(f"{number}".encode())
    studio.transport.down = False
    again = {"site": SITE, "api_key": studio.secret, "home": home, "http": studio.http}
    assert flush_all(**again) == recorder.Flushed(3, 0)
    assert flush_all(**again) == recorder.Flushed(0, 0)
    row = Run.objects.get(code=run.id)
    assert (row.name, row.party) == ("offline", studio.party)
    assert [one.index for one in steps_of(run.id)] == [0, 1, 2]
    assert {one.ticket for one in steps_of(run.id)} == {None}


def test_a_step_whose_answer_was_lost_is_one_row(studio: Person, home: Path) -> None:
    with record("lost", **studio.recorder(home, strict=True)) as run:
        run.keep(_draft(b"x"), action="c2pa.created", **CREATED)
        ((_, body),) = run.spool.waiting(run.id)
        studio.api.send_step(run.id, body)  # taken, but we never heard of it
        assert run.flush() == 0
        assert run.flush() == 0
    assert Step.objects.count() == 1


def test_a_run_of_another_site_is_not_sent_here(studio: Person, home: Path) -> None:
    options = {"site": NOWHERE, "api_key": studio.secret, "home": home}
    with record("elsewhere", **options) as run:
        with run.step("c2pa.created", **CREATED) as step:
            step.output(b"x")
    found = flush_all(site=SITE, api_key=studio.secret, home=home, http=studio.http)
    assert found == recorder.Flushed(0, 0)
    assert Spool(home / "spool").count(run.id) == 1
    assert not Run.objects.exists()


def test_a_refused_run_does_not_hold_up_the_others(studio: Person, home: Path) -> None:
    studio.transport.down = True
    made = []
    for key in (Ed25519Key.generate(), None):  # the first key is enrolled nowhere
        with record("offline", **studio.recorder(home, key=key)) as run:
            with run.step("c2pa.created", **CREATED) as step:
                step.output(b"x")
        made.append(run.id)
    studio.transport.down = False
    studio.api.enroll(Ed25519Key.load(home / "key.pem"))
    found = flush_all(site=SITE, api_key=studio.secret, home=home, http=studio.http)
    assert (found.sent, found.waiting) == (1, 1)
    assert made[0] in found.problems[0]
    assert "is not an enrolled key" in found.problems[0]
    assert [one.run.code for one in Step.objects.all()] == [made[1]]


def test_a_slow_site_is_asked_again_only_after_a_while(
    studio: Person, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with record("slow", **studio.recorder(home)) as run:
        studio.transport.down = True
        calls: list[str] = []
        send = run.pipeline.send_step  # type: ignore[union-attr]

        def counted(run_id: str, body: Any) -> Any:
            calls.append(run_id)
            return send(run_id, body)

        monkeypatch.setattr(run.pipeline, "send_step", counted)
        for number in range(5):
            with run.step("c2pa.created", **CREATED) as step:
                step.output(f"{number}".encode())
        assert len(calls) == 1
        studio.transport.down = False
    assert len(steps_of(run.id)) == 5


CRASH = """
import os, sys
from pathlib import Path
from colophon import recorder
from colophon.pipeline import Pipeline
from colophon.spool import Spool

home, site, point = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
die = lambda *_: os._exit(9)
if point == "before sending":
    recorder.send_waiting = die
with recorder.record("crash", site=site, api_key="clp_x", home=home) as run:
    if point == "before the rename":
        os.fsync = die
    for number in range(2):
        if number == 1 and point == "in the second step":
            die()
        with run.step("c2pa.created", source_type=sys.argv[4]) as step:
            step.output(str(number).encode())
"""


@pytest.mark.parametrize(
    ("point", "kept"), [("before sending", 1), ("in the second step", 1)]
)
def test_a_kill_between_spool_and_send_loses_nothing(
    studio: Person, home: Path, point: str, kept: int
) -> None:
    words = [sys.executable, "-c", CRASH, str(home), NOWHERE, point, AI]
    ended = subprocess.run(words, check=False, capture_output=True, timeout=60)
    assert ended.returncode == 9, ended.stderr.decode()
    spool = Spool(home / "spool")
    (run_id,) = spool.runs()
    assert spool.count(run_id) == kept
    spool.begin(recorder.replace(spool.info(run_id), site=SITE))
    studio.api.enroll(Ed25519Key.load(home / "key.pem"))
    found = flush_all(site=SITE, api_key=studio.secret, home=home, http=studio.http)
    assert found == recorder.Flushed(kept, 0)
    assert [one.outputs[0].sha256 for one in steps_of(run_id)] == [sha256(b"0")]


def test_a_kill_before_the_file_is_whole_leaves_no_half_step(home: Path) -> None:
    words = [sys.executable, "-c", CRASH, str(home), NOWHERE, "before the rename", AI]
    ended = subprocess.run(words, check=False, capture_output=True, timeout=60)
    assert ended.returncode == 9, ended.stderr.decode()
    (half,) = (home / "spool").glob("run_*/000000.*")
    assert half.suffix == ".tmp"
    later = resume(half.parent.name, api_key="clp_x", home=home)
    later.keep(_draft(b"x"), action="c2pa.created", **CREATED)
    assert [path.name for path, _ in later.spool.waiting(later.id)] == ["000000.json"]
    later.close()


# --- several at once ----------------------------------------------------------------


def test_threads_record_into_one_run_without_a_gap(home: Path) -> None:
    options = {"site": NOWHERE, "api_key": "clp_x", "home": home}
    with record("threads", **options) as run:

        def work(number: int) -> None:
            with run.step("c2pa.created", **CREATED) as step:
                step.output(f"{number}".encode())

        threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
    bodies = [body for _, body in run.spool.waiting(run.id)]
    found = [
        parse_step(read_statement(Envelope.from_json(one["envelope"]).payload))
        for one in bodies
    ]
    assert [one.index for one in found] == list(range(8))
    assert len({one.outputs[0].sha256 for one in found}) == 8


def test_another_process_goes_on_with_a_run(studio: Person, home: Path) -> None:
    with record("first", **studio.recorder(home, strict=True)) as run:
        with run.step("c2pa.created", **CREATED) as step:
            step.output(b"x")
    later = resume(run.id, api_key=studio.secret, home=home, http=studio.http)
    with later.step("c2pa.edited", source_type=EDIT, kind="human") as step:
        step.input(b"x")
        step.output(b"y")
    assert [one.index for one in steps_of(run.id)] == [0, 1]
    assert len({one.ticket for one in steps_of(run.id)}) == 1


def test_a_run_that_is_not_here_cannot_be_resumed(home: Path) -> None:
    for text in ("run_0198abcd00007abc8abcdef012345678", "../../etc", ""):
        with pytest.raises(InputError, match="run"):
            resume(text, api_key="clp_x", home=home)


def test_a_recording_that_is_off_says_why(studio: Person, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    run = begin("x", **studio.recorder(blocked))
    with pytest.raises(RecordingError, match="nothing is recorded"):
        run.keep(_draft(b"x"), action="c2pa.created")


def test_its_own_connections_are_closed_and_yours_stay_open(home: Path) -> None:
    run = begin("x", site=NOWHERE, api_key="clp_x", home=home)
    assert run.pipeline is not None
    own = run.pipeline._http
    assert own.timeout.read == recorder.TIMEOUT_SECONDS
    run.close()
    assert own.is_closed
    with httpx.Client() as yours:
        begin("x", site=NOWHERE, api_key="clp_x", home=home, http=yours).close()
        assert not yours.is_closed


# --- decorators ---------------------------------------------------------------------


def test_a_decorated_function_is_one_step_per_call(
    studio: Person, home: Path, tmp_path: Path
) -> None:
    with record("decorated", **studio.recorder(home, strict=True)) as run:

        @run.recorded("c2pa.created", **CREATED)
        def draw(name: str, *, data: bytes = b"x") -> Path:
            """Draws."""
            path = tmp_path / name
            path.write_bytes(data)
            return path

        assert draw("a.png") == tmp_path / "a.png"
        assert draw("b.png", data=b"y").read_bytes() == b"y"
        assert (draw.__name__, draw.__doc__) == ("draw", "Draws.")
    first, second = steps_of(run.id)
    assert (first.tool.name, first.outputs[0].name) == ("draw", "a.png")
    assert second.outputs[0].sha256 == sha256(b"y")


def test_a_decorator_takes_another_tool_name(studio: Person, home: Path) -> None:
    with record("named", **studio.recorder(home, strict=True)) as run:
        made = run.recorded("c2pa.created", tool="Krita", **CREATED)(lambda: b"x")
        assert made() == b"x"
    assert steps_of(run.id)[0].tool.name == "Krita"


def test_a_decorated_coroutine_is_awaited_inside_its_step(home: Path) -> None:
    options = {"site": NOWHERE, "api_key": "clp_x", "home": home}
    with record("async", **options) as run:

        @run.recorded("c2pa.created", **CREATED)
        async def draw() -> bytes:
            await asyncio.sleep(0)
            return b"x"

        assert asyncio.run(draw()) == b"x"
        assert run.spool.count(run.id) == 1


def test_a_decorated_generator_is_one_step_with_all_its_files(home: Path) -> None:
    options = {"site": NOWHERE, "api_key": "clp_x", "home": home}
    with record("frames", **options) as run:

        @run.recorded("c2pa.created", **CREATED)
        def frames() -> Iterator[bytes]:
            yield b"1"
            yield b"2"

        @run.recorded("c2pa.created", **CREATED)
        async def late() -> AsyncIterator[bytes]:
            yield b"3"

        async def all_late() -> list[bytes]:
            return [one async for one in late()]

        assert list(frames()) == [b"1", b"2"]
        assert asyncio.run(all_late()) == [b"3"]
        bodies = [body for _, body in run.spool.waiting(run.id)]
    made = [
        parse_step(read_statement(Envelope.from_json(one["envelope"]).payload))
        for one in bodies
    ]
    assert [len(one.outputs) for one in made] == [2, 1]


def test_a_decorated_function_that_fails_is_no_step(home: Path) -> None:
    options = {"site": NOWHERE, "api_key": "clp_x", "home": home}
    with record("fails", **options) as run:

        @run.recorded("c2pa.created", **CREATED)
        def fail() -> bytes:
            raise KeyError("mine")

        with pytest.raises(KeyError, match="mine"):
            fail()
        assert run.spool.count(run.id) == 0


def test_text_that_is_no_file_does_not_stop_a_decorated_function(
    home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    options = {"site": NOWHERE, "api_key": "clp_x", "home": home}
    with caplog.at_level(logging.WARNING), record("text", **options) as run:
        say = run.recorded("c2pa.created", **CREATED)(lambda: "just words")
        assert say() == "just words"
        assert run.spool.count(run.id) == 0
    assert "step not recorded" in caplog.text


def test_the_home_is_that_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("COLOPHON_HOME", str(tmp_path))
    assert recorder.default_home() == tmp_path
    monkeypatch.delenv("COLOPHON_HOME")
    assert recorder.default_home() == Path.home() / ".colophon"
    assert os.environ.get("COLOPHON_HOME") is None
