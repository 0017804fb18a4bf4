"""`colophon export`: from a bundle or beside a file, to a file or to a pipe."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from colophon import cli
from colophon.evidence import Bundle
from colophon.report import EXIT_UNREADABLE
from tests.colophon.bundles import ASSET, Story, authorities


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return Story(authorities(tmp_path_factory.mktemp("pki"))).tell()


@pytest.fixture
def work(tmp_path: Path, bundle: Bundle) -> Path:
    (tmp_path / "work.jpg.colophon").write_bytes(bundle.to_bytes())
    place = tmp_path / "work.jpg"
    place.write_bytes(b"any picture")
    return place


@pytest.mark.parametrize("kind", ["prov", "cyclonedx", "in-toto"])
def test_the_evidence_beside_a_file_is_exported(
    work: Path, kind: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert cli.main(["export", str(work), "--format", kind]) == 0
    told = capfdbinary.readouterr()
    assert told.err == b""
    for line in told.out.splitlines():
        json.loads(line)
    bundle = work.with_name("work.jpg.colophon")
    assert cli.main(["export", str(bundle), "--format", kind]) == 0
    assert capfdbinary.readouterr().out == told.out


def test_a_file_is_written_and_says_that_nothing_was_checked(
    work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = work.with_name("work.cdx.json")
    call = ["export", str(work), "--format", "cyclonedx", "-o", str(made)]
    assert cli.main(call) == 0
    assert "Nothing in it was checked" in capsys.readouterr().out
    assert json.loads(made.read_bytes())["metadata"]["component"]["bom-ref"] == ASSET


def test_without_evidence_there_is_nothing_to_export(
    work: Path, bundle: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    work.with_name("work.jpg.colophon").unlink()
    call = ["export", str(work), "--format", "prov"]
    assert cli.main(call) == EXIT_UNREADABLE
    rest = tuple(one for one in bundle.records if one.kind != "seal")
    work.write_bytes(Bundle(records=rest).to_bytes())
    assert cli.main(call) == EXIT_UNREADABLE
    told = capsys.readouterr()
    assert told.out == ""
    assert "has no seal" in told.err


def test_a_place_that_cannot_be_written_is_named(
    work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = work.with_name("gone") / "x.json"
    call = ["export", str(work), "--format", "prov", "-o", str(gone)]
    assert cli.main(call) == EXIT_UNREADABLE
    assert str(gone) in capsys.readouterr().err


def test_another_format_is_a_wrong_call(work: Path) -> None:
    assert cli.main(["export", str(work), "--format", "spdx"]) == cli.EXIT_USAGE
    assert cli.main(["export", str(work)]) == cli.EXIT_USAGE
