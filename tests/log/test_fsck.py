"""Whoever changes the log behind our back is found, and the first bad index named."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models import F

from colophon.entry import entry_leaf
from colophon.keys import Ed25519Key
from colophon.note import COSIGNATURE, NoteKey, cosignature, sign_note, split_note
from log import tiles
from log.erase import erase
from log.fsck import check
from log.models import Checkpoint, Entry, Head
from tests.log.conftest import record

pytestmark = pytest.mark.django_db


@pytest.fixture
def log(grow: Any) -> list[Checkpoint]:
    """306 entries under three checkpoints: 101, 281 and 306."""
    return [grow(100), grow(180), grow(25)]


def at(index: int) -> Any:
    return Entry.objects.filter(index=index)


def test_a_sound_log_has_no_findings(log: Any) -> None:
    report = check()
    assert report.findings == []
    assert report.first_bad is None
    assert (report.size, report.checkpoints, report.tiles) == (306, 3, 3)


def test_an_empty_log_is_sound() -> None:
    assert check().findings == []


@pytest.mark.parametrize("index", [0, 100, 255, 256, 305])
def test_an_edited_entry_is_named_even_when_its_leaf_hash_is_edited_too(
    log: Any, index: Any
) -> None:
    old = bytes(at(index).get().data)
    data = old.replace(old[-10:-8], b"ff")
    at(index).update(data=data, leaf_hash=entry_leaf(data))
    assert check().first_bad == index


def test_an_edited_leaf_hash_is_named(log: Any) -> None:
    at(200).update(leaf_hash=bytes(32))
    assert check().first_bad == 200


def test_a_swapped_envelope_is_named(log: Any) -> None:
    at(17).update(envelope=record(4711).to_json())
    assert check().first_bad == 17


def test_a_swapped_public_envelope_is_named(log: Any) -> None:
    at(0).update(envelope=record(4711).to_json())
    assert check().first_bad == 0


@pytest.mark.parametrize("index", [1, 256, 304])
def test_a_deleted_entry_is_named(log: Any, index: Any) -> None:
    at(index).delete()
    assert check().first_bad == index


def test_a_deleted_last_entry_is_named(log: Any) -> None:
    at(305).delete()
    assert check().first_bad == 305


def test_two_swapped_entries_are_named(log: Any) -> None:
    at(30).update(index=9999)
    at(40).update(index=30)
    at(9999).update(index=40)
    assert check().first_bad == 30


def test_a_deleted_entry_whose_followers_moved_up_is_named(log: Any) -> None:
    at(50).delete()
    for row in Entry.objects.filter(index__gt=50).order_by("index"):
        at(row.index).update(index=F("index") - 1)
    Head.objects.update(size=305)
    assert check().first_bad == 50


def test_an_edit_that_also_reached_the_tiles_is_found_by_the_checkpoint(
    log: Any,
) -> None:
    data = bytes(at(150).get().data).replace(b"step", b"seal")
    at(150).update(data=data, leaf_hash=entry_leaf(data), kind="seal")
    tiles.forget()
    tiles.grow(0, 306)
    report = check()
    assert report.first_bad is not None
    assert 101 <= report.first_bad <= 150


def test_a_forged_checkpoint_is_found(log: Any) -> None:
    row = log[1]
    text, _ = split_note(row.note)
    name = text.split("\n")[0]
    forged = sign_note(text, name, Ed25519Key.generate())
    Checkpoint.objects.filter(pk=row.pk).update(note=forged)
    assert "not signed by the log" in check().findings[0].what


def test_a_wrong_line_of_a_witness_is_found(log: Any, settings: Any) -> None:
    signer = Ed25519Key.generate()
    vkey = NoteKey.of_signer("w1", signer, COSIGNATURE).vkey
    settings.LOG_WITNESSES = [f"http://127.0.0.1:9 {vkey}"]
    row, now = log[1], datetime.now(UTC)
    text, _ = split_note(row.note)
    right = cosignature(text, "w1", signer, now)
    Checkpoint.objects.filter(pk=row.pk).update(note=row.note + right)
    assert check().findings == []
    wrong = cosignature(split_note(log[0].note)[0], "w1", signer, now)
    Checkpoint.objects.filter(pk=row.pk).update(note=row.note + wrong)
    assert "does not match" in check().findings[0].what
    # A witness alone does not make a checkpoint.
    Checkpoint.objects.filter(pk=row.pk).update(note=f"{text}\n{right}")
    assert "only witnesses signed it" in check().findings[0].what


def test_a_checkpoint_row_that_says_other_than_its_note_is_found(log: Any) -> None:
    Checkpoint.objects.filter(pk=log[1].pk).update(root=bytes(32))
    assert any("not what was signed" in one.what for one in check().findings)


@pytest.mark.parametrize(
    "path", ["tile/0/000", "tile/entries/001.p/50", "tile/1/000.p/1"]
)
def test_a_lost_tile_is_found_and_rebuilt(log: Any, settings: Any, path: Any) -> None:
    (Path(settings.LOG_TILES_DIR) / path).unlink()
    assert "missing" in check().findings[0].what
    call_command("log_fsck", "--rebuild", stdout=StringIO(), stderr=StringIO())
    assert check().findings == []


def test_a_changed_tile_is_named_at_its_entry_and_rebuilt(log: Any) -> None:
    flat = tiles.read_file("tile/0/000")
    tiles.write_file("tile/0/000", flat[: 77 * 32] + bytes(32) + flat[78 * 32 :])
    assert check().first_bad == 77
    call_command("log_fsck", "--rebuild", stdout=StringIO(), stderr=StringIO())
    assert check().findings == []


def test_a_changed_bundle_is_found(log: Any) -> None:
    bundle = tiles.read_file("tile/entries/001.p/50")
    tiles.write_file("tile/entries/001.p/50", bundle[:-1] + b"?")
    assert 256 <= check().first_bad <= 305


def test_erased_entries_are_sound_and_a_half_erased_one_is_not(log: Any) -> None:
    erase(at(5).get())
    assert check().findings == []
    at(6).update(salt=None)
    assert check().first_bad == 6


def test_a_rebuild_does_not_bless_a_changed_row(log: Any) -> None:
    data = bytes(at(150).get().data).replace(b"step", b"seal")
    at(150).update(data=data, leaf_hash=entry_leaf(data), kind="seal")
    with pytest.raises(
        CommandError, match="first bad index: 150; tiles are not rebuilt"
    ):
        call_command("log_fsck", "--rebuild", stdout=StringIO(), stderr=StringIO())
    assert check().first_bad == 150


def test_the_command_says_ok_or_fails_with_the_index(log: Any) -> None:
    out, err = StringIO(), StringIO()
    call_command("log_fsck", stdout=out, stderr=err)
    assert "ok: 306 entries, 3 checkpoints, 3 tiles" in out.getvalue()
    at(44).update(leaf_hash=bytes(32))
    with pytest.raises(CommandError, match="first bad index: 44"):
        call_command("log_fsck", stdout=out, stderr=err)
    assert "entry 44" in err.getvalue()


def test_forty_random_tampers_are_all_found_at_their_index(log: Any) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")  # noqa: T201
    chance = random.Random(seed)
    for _ in range(40):
        index = chance.randrange(306)
        row = at(index).get()
        data = bytearray(row.data)
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        both = {"leaf_hash": entry_leaf(bytes(data))} if chance.random() < 0.5 else {}
        at(index).update(data=bytes(data), **both)
        assert check().first_bad == index
        at(index).update(data=row.data, leaf_hash=row.leaf_hash)
    assert check().findings == []
