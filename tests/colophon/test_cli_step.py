"""`colophon step`: the recorder from a shell, with the same spool and the same keys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from accounts.models import User
from colophon import cli, cli_step, recorder
from colophon.digest import sha256
from colophon.keys import Ed25519Key
from colophon.origin import IPTC
from colophon.spool import Spool
from colophon.statement import Envelope, read_statement
from colophon.steps import parse_step
from provenance.models import Disclosure, Step
from tests.loop import SITE, Person

pytestmark = pytest.mark.django_db
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def studio(ada: User, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Person]:
    """Ada's shell; its commands reach the site in this process."""
    person = Person.of(ada, "record")
    monkeypatch.setenv("COLOPHON_HOME", str(home))
    monkeypatch.setenv(cli_step.API_KEY, person.secret)
    monkeypatch.setenv(cli_step.SITE, SITE)
    real = recorder._connect
    monkeypatch.setattr(
        recorder, "_connect", lambda site, key, _: real(site, key, person.http)
    )
    return person


def ran(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Exit code, output and errors of a command."""
    code = cli.main(["step", *words])
    said = capsys.readouterr()
    return code, said.out.strip(), said.err


def test_a_shell_pipeline_records_its_steps(
    studio: Person, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, run, _ = ran(capsys, "open", "spring")
    assert code == 0
    draft, final, prompt = (tmp_path / name for name in ("d.png", "f.png", "p.txt"))
    draft.write_bytes(b"draft")
    final.write_bytes(b"final")
    prompt.write_text("a harbor at night")
    weights = sha256(b"weights").hex()
    words = ["--action", "c2pa.created", "--source-type", "trainedAlgorithmicMedia"]
    words += ["--kind", "agent", "--tool", "diffuser", "--tool-version", "2"]
    words += ["--model", f"{weights}=Diffuser 2", "--source", weights]
    words += ["--prompt-file", str(prompt), "--parameter", "seed=7"]
    words += ["--parameter", "style=nocturne", "--output", str(draft)]
    code, digest, _ = ran(capsys, "add", run, *words)
    assert code == 0
    words = ["--action", "c2pa.edited", "--source-type", IPTC + "humanEdits"]
    words += ["--kind", "human", "--input", f"parentOf={draft}", "--note", "warmer"]
    words += ["--intermediate", str(draft), "--output", str(final)]
    assert ran(capsys, "add", run, *words)[0] == 0
    first, second = Step.objects.order_by("position")
    assert bytes(first.digest).hex() == digest
    parsed = parse_step(
        read_statement(Envelope.from_json(first.entry.envelope).payload)
    )
    assert parsed.model is not None
    assert parsed.model.name == "Diffuser 2"
    assert parsed.source_type == IPTC + "trainedAlgorithmicMedia"
    assert (first.run.code, second.position, second.actor_kind) == (run, 1, "human")
    opened = dict(Disclosure.objects.values_list("field", "value"))
    assert opened == {
        "prompt": "a harbor at night",
        "parameters/seed": 7,
        "parameters/style": "nocturne",
    }


def test_a_step_waits_while_the_site_is_down_and_is_flushed(
    studio: Person, tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    studio.transport.down = True
    code, run, err = ran(capsys, "open", "spring")
    assert code == 0
    assert "no ticket" in err
    (tmp_path / "a").write_bytes(b"a")
    words = ["--action", "c2pa.created", "--source-type", "digitalCreation"]
    code, _, err = ran(capsys, "add", run, *words, "--output", str(tmp_path / "a"))
    assert code == 0
    assert "recorded, not sent yet" in err
    code, out, err = ran(capsys, "flush")
    assert (code, out) == (11, "0 sent, 1 waiting")
    assert run in err
    studio.transport.down = False
    assert ran(capsys, "flush")[:2] == (0, "1 sent, 0 waiting")
    assert ran(capsys, "flush")[:2] == (0, "0 sent, 0 waiting")
    assert Step.objects.get().run.code == run


def test_a_key_of_ones_own_and_an_api_key_file(
    studio: Person,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(cli_step.API_KEY)
    (tmp_path / "api").write_text(studio.secret + "\n")
    studio.key.save(tmp_path / "mine.pem")
    mine = [
        "--api-key-file",
        str(tmp_path / "api"),
        "--key",
        str(tmp_path / "mine.pem"),
    ]
    _, run, _ = ran(capsys, "open", "spring", *mine)
    (tmp_path / "a").write_bytes(b"a")
    words = ["--action", "c2pa.created", "--source-type", "digitalCreation"]
    words += ["--output", str(tmp_path / "a"), *mine]
    assert ran(capsys, "add", run, *words)[0] == 0
    assert Step.objects.get().key.key_id == studio.key.key_id


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--output", "missing.png"], "missing.png"),
        (["--model", "xyz", "--output", __file__], "--model"),
        (["--parameter", "seed", "--output", __file__], "--parameter"),
        (["--source", "00", "--output", __file__], "--source"),
        (["--prompt-file", "missing.txt", "--output", __file__], "missing.txt"),
        (["--source-type", "byHand", "--output", __file__], "digitalSourceType"),
        ([], "subject"),
    ],
)
def test_a_wrong_argument_is_named_and_nothing_is_recorded(
    studio: Person,
    home: Path,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    said: str,
) -> None:
    _, run, _ = ran(capsys, "open", "spring")
    given = ["--action", "c2pa.created", "--source-type", "digitalCreation", *words]
    code, out, err = ran(capsys, "add", run, *given)
    assert code == 12
    assert out == ""
    assert said in err
    assert Spool(home / "spool").next_index(run) == 0


def test_what_is_missing_is_named(
    studio: Person,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code, _, err = ran(capsys, "add", "run_x", "--action", "c2pa.created")
    assert (code, "id of a run" in err) == (12, True)
    monkeypatch.delenv(cli_step.SITE)
    code, _, err = ran(capsys, "open", "spring")
    assert (code, "--site" in err) == (12, True)
    monkeypatch.delenv(cli_step.API_KEY)
    code, _, err = ran(capsys, "open", "spring", "--site", SITE)
    assert (code, cli_step.API_KEY in err) == (12, True)
    code, _, err = ran(capsys, "add", "run_x", "--action", "c2pa.invented")
    assert code == 64


def test_a_run_needs_a_key_folder_that_works(
    studio: Person,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("COLOPHON_HOME", str(tmp_path / "file"))
    code, out, err = ran(capsys, "open", "spring")
    assert (code, out) == (12, "")
    assert "nothing is recorded" in err


def test_the_key_in_the_home_is_kept(
    studio: Person, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ran(capsys, "open", "one")
    first = Ed25519Key.load(home / "key.pem").key_id
    ran(capsys, "open", "two")
    assert Ed25519Key.load(home / "key.pem").key_id == first


# --- imported from a picture ---------------------------------------------------------


def generated(path: Path, text: str = "a harbor at night\nSteps: 20, Seed: 7") -> Path:
    """A picture as AUTOMATIC1111 leaves it."""
    info = PngInfo()
    info.add_text("parameters", text)
    Image.new("RGB", (4, 4)).save(path, pnginfo=info)
    return path


def test_an_import_is_a_claim_without_a_ticket(
    studio: Person, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = generated(tmp_path / "made.png")
    code, run, _ = ran(capsys, "import", str(path))
    assert code == 0
    words = ["--action", "c2pa.edited", "--source-type", "humanEdits"]
    words += ["--kind", "human", "--input", str(path), "--output", str(tmp_path / "b")]
    (tmp_path / "b").write_bytes(b"edited")
    assert ran(capsys, "add", run, *words)[0] == 0
    rows = Step.objects.order_by("position")
    assert {row.run.code for row in rows} == {run}
    assert rows[0].run.name == "made.png"
    first, second = (
        parse_step(read_statement(Envelope.from_json(row.entry.envelope).payload))
        for row in rows
    )
    # One step with a ticket beside it would break check 6: neither has one.
    assert (first.ticket, second.ticket) == (None, None)
    assert first.outputs[0].sha256 == sha256(path.read_bytes())
    assert first.tool.name == "AUTOMATIC1111 (imported)"
    assert str(first.note).startswith("Claimed, not seen")
    opened = dict(Disclosure.objects.values_list("field", "value"))
    assert opened["prompt"] == "a harbor at night"
    assert opened["parameters/seed"] == 7


@pytest.mark.parametrize(
    ("text", "said"), [("only words", "Steps:"), ("a" * 2_000_000, "not read")]
)
def test_a_picture_that_claims_nothing_readable_opens_no_run(
    studio: Person,
    home: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    *,
    text: str,
    said: str,
) -> None:
    path = generated(tmp_path / "made.png", text)
    code, out, err = ran(capsys, "import", str(path))
    assert (code, out, said in err) == (12, "", True)
    code, _, err = ran(capsys, "import", str(tmp_path / "missing.png"))
    assert (code, "missing.png" in err) == (12, True)
    assert not Step.objects.exists()
    assert not (home / "spool").exists()
