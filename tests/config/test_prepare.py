"""The demo's witness outlives restarts with its key, and never loses its state."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from colophon.note import COSIGNATURE, NoteKey
from colophon.witness import STATE, Witness
from log.keys import log_key

pytestmark = pytest.mark.django_db


def prepared(folder: Path) -> NoteKey:
    out = StringIO()
    call_command("prepare", witness=folder, stdout=out)
    return NoteKey.from_vkey(out.getvalue().split()[-1])


def test_the_witness_keeps_its_key_and_learns_the_logs_new_one(
    tmp_path: Path, settings: Any
) -> None:
    settings.CHAIN_RPC_URLS = []
    folder = tmp_path / "witness"
    key = prepared(folder)
    assert key.kind == COSIGNATURE
    old = log_key()
    settings.KEYS_DIR = tmp_path / "new keys"
    assert prepared(folder) == key
    assert Witness.open(folder).state.log_keys(old.name) == [old, log_key()]


def test_a_witness_without_its_state_stops_the_start(
    tmp_path: Path, settings: Any
) -> None:
    settings.CHAIN_RPC_URLS = []
    folder = tmp_path / "witness"
    prepared(folder)
    (folder / STATE).unlink()
    with pytest.raises(CommandError, match="retired"):
        prepared(folder)
