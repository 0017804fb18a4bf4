"""The log's new key is announced by its old one, and strangers can follow it."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any, Never

import pytest
from django.core.management import call_command

from colophon.logcheck import check_log
from colophon.note import NoteKey, open_checkpoint
from colophon.statement import Envelope, verify
from log import rotate as module
from log.fsck import check
from log.keys import log_key, log_keys, naming
from log.models import Checkpoint, Entry
from log.rotate import next_key, rotate

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_keys(settings: Any, tmp_path: Path) -> None:
    settings.KEYS_DIR = tmp_path / "keys"


def seen_from_outside(client: Any, *known: NoteKey) -> tuple[NoteKey, ...]:
    """What `colophon log check` finds over HTTP, with these keys."""

    def fetch(path: str) -> bytes:
        return bytes(client.get(f"/log/{path}").content)

    return check_log(fetch("checkpoint").decode(), fetch, known).keys


def test_the_old_key_announces_the_new_one_which_strangers_follow(
    grow: Any, client: Any
) -> None:
    grow(3)
    old = log_key()
    new = rotate()
    assert (log_key(), log_keys()) == (new, [old, new])
    row = naming(new)
    verify(Envelope.from_json(row.envelope), old.public_spki)
    covering = Checkpoint.objects.filter(size__gt=row.index).earliest("size")
    assert open_checkpoint(covering.note, old)
    made = grow(2)
    assert open_checkpoint(made.note, new).size == made.size
    assert Entry.objects.filter(kind="checkpoint-key").count() == 2
    assert seen_from_outside(client, old) == (old, new)
    again = rotate()
    grow(1)
    assert seen_from_outside(client, old) == (old, new, again)
    assert check().findings == []


def test_the_first_key_of_an_empty_log_can_be_rotated_too(client: Any) -> None:
    old = log_key()
    new = rotate()
    assert seen_from_outside(client, old) == (old, new)
    assert Entry.objects.get(index=0).kind == "checkpoint-key"


@pytest.mark.parametrize("where", ["sequence", "publish", "_put_in_place"])
def test_a_crash_in_between_is_made_good_by_doing_it_again(
    where: str, grow: Any, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: Any) -> Never:
        raise MemoryError

    grow(3)
    old, new = log_key(), next_key()
    with monkeypatch.context() as patch:
        patch.setattr(module, where, crash)
        with pytest.raises(MemoryError):
            rotate()
    assert log_key() == old
    made = grow(1)
    assert open_checkpoint(made.note, old)
    assert rotate() == new
    assert Entry.objects.filter(kind="checkpoint-key").count() == 2
    grow(1)
    assert seen_from_outside(client, old) == (old, new)


def test_witnesses_learn_the_next_key_before_it_is_used() -> None:
    out = StringIO()
    call_command("log_rotate", "--next", stdout=out)
    said = out.getvalue().strip()
    assert said == next_key().vkey
    assert log_key().vkey != said
    call_command("log_rotate", stdout=out)
    assert log_key().vkey == said
    assert next_key().vkey != said
