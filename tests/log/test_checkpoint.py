"""A checkpoint covers what is written down, extends the last, and never shrinks."""

from __future__ import annotations

import random
from itertools import combinations
from pathlib import Path
from typing import Any, Never

import pytest

from colophon import merkle, note
from colophon.entry import entry_leaf
from colophon.tlogproof import LogProof
from log import checkpoint as module
from log import proofs, tiles
from log.checkpoint import publish
from log.errors import InconsistentLogError, NotCoveredError
from log.keys import log_key
from log.models import Checkpoint, Entry
from log.sequence import sequence
from outbox.models import Job

pytestmark = pytest.mark.django_db


def leaves() -> list[bytes]:
    rows = Entry.objects.exclude(index=None).order_by("index")
    return [entry_leaf(bytes(data)) for data in rows.values_list("data", flat=True)]


def test_a_checkpoint_is_signed_over_the_root_of_all_entries(grow: Any) -> None:
    made = grow(6)
    opened = note.open_checkpoint(made.note, log_key())
    assert opened.size == 7
    assert opened.root == merkle.root(leaves()) == bytes(made.root)


def test_nothing_new_is_not_published_again(grow: Any) -> None:
    grow(2)
    assert publish() is None
    assert Checkpoint.objects.count() == 1


def test_an_empty_log_has_no_checkpoint() -> None:
    assert publish() is None


def test_every_pair_of_checkpoints_is_consistent(grow: Any) -> None:
    sizes = [1, 1, 5, 60, 200, 3, 270, 33]
    made = [grow(count) for count in sizes]
    tree = merkle.Tree(leaves())
    for row in made:
        assert bytes(row.root) == tree.root(row.size)
    for old, new in combinations(made, 2):
        proof = proofs.consistency(old, new)
        merkle.verify_consistency(
            old.size, new.size, bytes(old.root), bytes(new.root), proof
        )


def test_every_entry_is_proved_under_every_checkpoint_that_covers_it(grow: Any) -> None:
    made = [grow(count) for count in (3, 250, 20)]
    chance = random.Random(7)
    for row in chance.sample(list(Entry.objects.all()), 40):
        first = proofs.covering(row)
        assert first == next(one for one in made if one.size > row.index)
        for one in made:
            if one.size > row.index:
                text = proofs.inclusion(row, one)
                proof = LogProof.from_text(text)
                proof.check(entry_leaf(bytes(row.data)), log_key())


def test_an_entry_beyond_the_checkpoint_has_no_proof_there(grow: Any, add: Any) -> None:
    first = grow(2)
    second = grow(1)
    last = Entry.objects.order_by("index").last()
    with pytest.raises(NotCoveredError, match="does not cover"):
        proofs.inclusion(last, first)
    assert proofs.covering(last) == second
    (pending,) = add(1)
    with pytest.raises(NotCoveredError):
        proofs.inclusion(pending, second)
    assert proofs.covering(pending) is None


def test_a_crash_between_tiles_and_checkpoint_loses_and_doubles_nothing(
    grow: Any, add: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    grow(5)
    add(300)
    sequence()

    def crash(*_: Any, **__: Any) -> Never:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(module.note, "sign_note", crash)
        with pytest.raises(MemoryError):
            publish()
    assert Checkpoint.objects.count() == 1
    assert tiles.read_file("tile/1/000.p/1") is not None
    made = grow(4)
    assert made.size == 310
    assert bytes(made.root) == merkle.root(leaves())
    assert Checkpoint.objects.count() == 2


def test_a_half_written_tile_never_appears(
    grow: Any, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    def crash(_: Any) -> Never:
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(tiles.os, "fsync", crash)
        with pytest.raises(OSError, match="disk full"):
            grow(3)
    files = [path for path in Path(settings.LOG_TILES_DIR).rglob("*") if path.is_file()]
    assert files == []
    assert not Checkpoint.objects.exists()
    assert publish().size == 4


def test_tiles_that_are_lost_are_derived_from_the_rows(
    grow: Any, settings: Any, tmp_path: Path
) -> None:
    grow(300)
    settings.LOG_TILES_DIR = tmp_path / "empty disk"
    made = grow(300)
    assert bytes(made.root) == merkle.root(leaves())


@pytest.mark.parametrize("index", [256, 258, 260])
def test_a_changed_row_under_an_open_tile_stops_publishing(
    grow: Any, index: Any
) -> None:
    grow(260)
    row = Entry.objects.get(index=index)
    data = bytes(row.data).replace(b'"v":1', b'"v":2')
    Entry.objects.filter(pk=row.pk).update(data=data, leaf_hash=entry_leaf(data))
    with pytest.raises(InconsistentLogError):
        grow(1)
    assert Checkpoint.objects.count() == 1


def test_a_changed_row_under_a_full_tile_is_never_signed(grow: Any) -> None:
    old = grow(255)
    Entry.objects.filter(index=3).update(
        data=b"forged", leaf_hash=entry_leaf(b"forged")
    )
    new = grow(1)
    proof = proofs.consistency(old, new)
    merkle.verify_consistency(256, 257, bytes(old.root), bytes(new.root), proof)


def test_a_changed_tile_stops_publishing(grow: Any) -> None:
    grow(300)
    flat = tiles.read_file("tile/1/000.p/1")
    tiles.write_file("tile/1/000.p/1", bytes(32) + flat[32:])
    with pytest.raises(InconsistentLogError, match="log_fsck"):
        grow(1)


def test_another_publisher_meanwhile_leaves_one_checkpoint(
    grow: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    grow(2)
    real = tiles.grow

    def slow(old: int, new: int) -> bytes:
        root = real(old, new)
        monkeypatch.setattr(module.tiles, "grow", real)
        assert publish() is not None
        return root

    monkeypatch.setattr(module.tiles, "grow", slow)
    assert grow(2) is None
    assert [row.size for row in Checkpoint.objects.order_by("size")] == [3, 5]


def test_a_checkpoint_wants_a_timestamp_when_there_is_an_authority(
    grow: Any, settings: Any
) -> None:
    grow(1)
    assert not Job.objects.exists()
    settings.TSA_URL = "http://127.0.0.1:1/"
    made = grow(1)
    job = Job.objects.get()
    assert (job.kind, job.payload) == ("log.timestamp", {"checkpoint": made.pk})
