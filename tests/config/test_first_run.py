"""The first run says what is missing, skips what is done, and resets with care."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from config import first_run
from config.first_run import SetupError


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout of its own, in which no command may be run."""
    monkeypatch.setattr(first_run, "ROOT", tmp_path)
    monkeypatch.setattr(first_run, "VENV", tmp_path / ".venv")

    def refuse(*command: object, **_: object) -> None:
        raise AssertionError(f"ran {command}")

    monkeypatch.setattr(subprocess, "run", refuse)
    return tmp_path


def old(monkeypatch: pytest.MonkeyPatch, which: Callable[[str], str | None]) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 18, "final", 0))
    monkeypatch.setattr(shutil, "which", which)


def test_an_old_python_is_named_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    old(monkeypatch, lambda _: None)
    with pytest.raises(SetupError, match=r"found 3\.9\.18; install python3\.11"):
        first_run._check_python()


def test_an_old_python_hands_over_to_a_newer_one_on_the_path(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    old(monkeypatch, lambda name: "/new/python" if name == "python3.12" else None)
    went: list[tuple[str, list[str]]] = []
    monkeypatch.setattr(os, "execv", lambda path, argv: went.append((path, argv)))
    with pytest.raises(SetupError):  # the real execv does not come back
        first_run._check_python()
    assert went == [("/new/python", ["/new/python", *sys.argv])]


def test_packages_that_fit_the_lock_are_not_installed_again(place: Path) -> None:
    (place / "uv.lock").write_text("locked")
    first_run.VENV.mkdir()
    want = first_run._digest("uv.lock", "pyproject.toml")
    (first_run.VENV / "stamp").write_text(want)
    assert first_run._packages(dev=False) is False
    (place / "uv.lock").write_text("changed")
    with pytest.raises(AssertionError, match="ran"):
        first_run._packages(dev=False)


def test_developer_packages_count_for_a_visitor_but_not_the_other_way(
    place: Path,
) -> None:
    first_run.VENV.mkdir()
    want = first_run._digest("uv.lock", "pyproject.toml")
    (first_run.VENV / "stamp-dev").write_text(want)
    assert first_run._packages(dev=False) is False
    (first_run.VENV / "stamp-dev").rename(first_run.VENV / "stamp")
    with pytest.raises(AssertionError, match="ran"):
        first_run._packages(dev=True)
    assert place.is_dir()


def test_without_node_the_demo_goes_on_without_a_chain(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(first_run, "_uv", lambda: ["uv"])
    monkeypatch.setattr(first_run, "_try", lambda *_: False)
    first_run._stage(3, 7, "Local chain", lambda: first_run._node_packages(dev=False))
    told = capsys.readouterr().out
    assert "[3/7] Local chain: no Node, going on without " in told
    assert "✓" not in told
    with pytest.raises(SetupError, match="needs Node"):
        first_run._node_packages(dev=True)
    assert not (place / "node_modules").exists()


def test_a_full_disk_is_told_before_anything_is_installed(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = shutil._ntuple_diskusage(10**12, 10**12 - 10**8, 10**8)  # type: ignore[attr-defined]
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)
    with pytest.raises(SetupError, match="100 MB are free"):
        first_run._check_folder()
    (place / ".venv" / "bin").mkdir(parents=True)
    (place / ".venv" / "bin" / "python").touch()
    first_run._check_folder()


def test_a_command_that_is_not_there_is_a_sentence() -> None:
    with pytest.raises(SetupError, match="no-such-program x failed; install it"):
        first_run._run(["/nowhere/no-such-program", "x"], "install it")


def test_secrets_are_made_once_and_are_of_one_piece(place: Path) -> None:
    first_run._secrets(place / "secrets")
    folder = place / "secrets"
    before = {one.name: one.read_text() for one in folder.iterdir()}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert before["database_password"] in before["database_url"]
    assert before["secret_key"] != before["custody_key"]
    first_run._secrets(folder)
    assert {one.name: one.read_text() for one in folder.iterdir()} == before


def test_reset_forgets_the_data_but_not_under_a_running_demo(place: Path) -> None:
    run = place / "var" / "run.json"
    run.parent.mkdir()
    run.write_text(json.dumps({"pid": os.getpid()}))
    with pytest.raises(SetupError, match="running; stop it first"):
        first_run._reset()
    assert run.exists()
    run.write_text(json.dumps({"pid": 2**22 + 1}))  # above the kernel's highest
    first_run._reset()
    assert not run.parent.exists()


def test_stages_are_numbered_when_all_are_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    first_run._stage(2, 7, "Packages", lambda: False)
    first_run._stage(2, 0, "Packages", lambda: False)
    told = capsys.readouterr().out
    assert told.startswith("  [2/7] Packages ")
    assert "✓" in told
