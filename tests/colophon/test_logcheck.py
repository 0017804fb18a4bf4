"""Checking a log from outside: one honest log, and every way to rewrite it."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from colophon import records
from colophon.entry import public_entry, sealed_entry
from colophon.errors import InputError, ProofError, SignatureError
from colophon.logcheck import check_log
from colophon.merkle import Tree, leaf_hash
from colophon.note import COSIGNATURE, Checkpoint, NoteKey, cosign, sign_note
from colophon.statement import sign
from colophon.tiles import (
    entry_bundle,
    new_tiles,
    parse_entry_bundle,
    tile_bytes,
    tile_for,
)
from tests.colophon.bundles import ORIGIN, at, key

LOG_KEY = NoteKey.of_signer(ORIGIN, key("log"))
Pages = dict[str, bytes]


def entries(count: int) -> list[bytes]:
    said = records.policy({"id": "2026-11"})
    envelope = sign(said, key("platform"))
    return [
        sealed_entry("step", at.to_bytes(32, "big"), envelope) for at in range(count)
    ]


def publish(found: list[bytes], *, by: str = "log") -> tuple[str, Pages]:
    """Checkpoint and tiles of a log with these entries."""
    tree = Tree([leaf_hash(one) for one in found])
    pages: Pages = {}
    for tile in new_tiles(0, tree.size):
        pages[tile.path] = tile_bytes(tile, tree.read)
    for number in range(-(-tree.size // 256)):
        tile = tile_for(0, number, tree.size)
        start = number * 256
        pages[tile.entries_path] = entry_bundle(found[start : start + tile.width])
    note = sign_note(
        Checkpoint(ORIGIN, tree.size, tree.root()).to_body(), ORIGIN, key(by)
    )
    return note, pages


def head_of(found: list[bytes]) -> Checkpoint:
    tree = Tree([leaf_hash(one) for one in found])
    return Checkpoint(ORIGIN, tree.size, tree.root())


@pytest.mark.parametrize("size", [1, 5, 255, 256, 257, 700])
def test_an_honest_log_holds(size: int) -> None:
    note, pages = publish(entries(size))
    report = check_log(note, pages.__getitem__, [LOG_KEY])
    assert (report.head.size, report.grown) == (size, None)
    assert report.kinds == {"step": size}
    assert report.tiles == sum(1 for path in pages if "entries" not in path)


def test_a_grown_log_holds_against_the_last_time() -> None:
    every = entries(300)
    note, pages = publish(every)
    report = check_log(note, pages.__getitem__, [LOG_KEY], head_of(every[:120]))
    assert report.grown == 180


def swap(pages: Pages, size: int) -> None:
    path = tile_for(0, 0, size).entries_path
    found = parse_entry_bundle(pages[path])
    found[0], found[1] = found[1], found[0]
    pages[path] = entry_bundle(found)


def drop(pages: Pages, size: int) -> None:
    path = tile_for(0, 0, size).entries_path
    pages[path] = entry_bundle(parse_entry_bundle(pages[path])[:-1])


def rot_tile(pages: Pages, size: int) -> None:
    path = tile_for(1, 0, size).path
    pages[path] = bytes(len(pages[path]))


def rot_leaves(pages: Pages, size: int) -> None:
    path = tile_for(0, 0, size).path
    pages[path] = pages[path][:-1] + b"\0"


def junk(pages: Pages, size: int) -> None:
    path = tile_for(0, 0, size).entries_path
    found = parse_entry_bundle(pages[path])
    pages[path] = entry_bundle([b"junk", *found[1:]])


@pytest.mark.parametrize(
    ("tamper", "words"),
    [
        (swap, "do not give the root"),
        (drop, "has 255 entries"),
        (rot_tile, "tile/1/000.p/1 is not what the entries give"),
        (rot_leaves, "tile/0/000 is not what the entries give"),
        (junk, "entry 0 is malformed"),
    ],
)
def test_a_changed_log_is_found(
    tamper: Callable[[Pages, int], None], words: str
) -> None:
    note, pages = publish(entries(300))
    tamper(pages, 300)
    with pytest.raises(ProofError, match=words):
        check_log(note, pages.__getitem__, [LOG_KEY])


def test_a_log_with_another_past_is_found() -> None:
    note, pages = publish(entries(50))
    other = [entries(51)[50], *entries(20)]
    with pytest.raises(ProofError, match="first 21 entries are not those"):
        check_log(note, pages.__getitem__, [LOG_KEY], head_of(other))


def test_a_log_that_shrank_is_found() -> None:
    note, pages = publish(entries(10))
    with pytest.raises(ProofError, match="shrank from 11 entries to 10"):
        check_log(note, pages.__getitem__, [LOG_KEY], head_of(entries(11)))


def test_another_log_in_its_place_is_found() -> None:
    note, pages = publish(entries(10))
    kept = Checkpoint("other.example/log", 3, bytes(32))
    with pytest.raises(ProofError, match="it was another"):
        check_log(note, pages.__getitem__, [LOG_KEY], kept)


def test_a_checkpoint_by_a_stranger_is_refused() -> None:
    note, pages = publish(entries(10), by="thief")
    with pytest.raises(SignatureError):
        check_log(note, pages.__getitem__, [LOG_KEY])


def test_a_malformed_checkpoint_is_refused() -> None:
    with pytest.raises(InputError):
        check_log("hello", {}.__getitem__, [LOG_KEY])


# --- witnesses


def test_cosignatures_of_known_witnesses_are_told_and_a_wrong_one_is_refused() -> None:
    w1 = NoteKey.of_signer("w1", key("w1"), COSIGNATURE)
    note, pages = publish(entries(9))
    cosigned = cosign(note, "w1", key("w1"), at(0))
    report = check_log(cosigned, pages.__getitem__, [LOG_KEY], witnesses=[w1])
    assert [(one.key, one.signed_at) for one in report.cosigned] == [(w1, at(0))]
    assert check_log(note, pages.__getitem__, [LOG_KEY], witnesses=[w1]).cosigned == ()
    other = cosign(publish(entries(8))[0], "w1", key("w1"), at(0)).split("\n")[-2]
    with pytest.raises(SignatureError):
        check_log(f"{note}{other}\n", pages.__getitem__, [LOG_KEY], witnesses=[w1])
    alone = f"{cosigned.split(chr(10) * 2)[0]}\n\n{cosigned.splitlines()[-1]}\n"
    with pytest.raises(SignatureError):
        check_log(alone, pages.__getitem__, [LOG_KEY], witnesses=[w1])


# --- a new key of the log


def named(new: str, *by: str, origin: str = ORIGIN) -> bytes:
    """An entry that names a key, signed by others."""
    vkey = NoteKey.of_signer(origin, key(new)).vkey
    said = records.checkpoint_key(vkey=vkey, valid_from=at(0))
    return public_entry("checkpoint-key", sign(said, *map(key, by)))


def key_of(name: str) -> NoteKey:
    return NoteKey.of_signer(ORIGIN, key(name))


def test_a_new_key_that_the_old_one_announced_is_followed() -> None:
    found = [named("log", "log"), *entries(3), named("log 2", "log")]
    found += [*entries(5), named("log 3", "log 2")]
    note, pages = publish(found, by="log 3")
    report = check_log(note, pages.__getitem__, [LOG_KEY], head_of(found[:4]))
    assert report.keys == (LOG_KEY, key_of("log 2"), key_of("log 3"))
    assert report.grown == 7
    assert check_log(note, pages.__getitem__, [key_of("log 2")])


@pytest.mark.parametrize(
    "announced",
    [
        [],
        [named("log 2", "log 2")],
        [named("log 2", "eve")],
        [named("log 2", "log", origin="other.example/log")],
        [named("log 2", "log 3"), named("log 3", "log")],
    ],
)
def test_a_new_key_that_no_known_key_announced_before_it_is_refused(
    announced: list[bytes],
) -> None:
    note, pages = publish([named("log", "log"), *announced], by="log 2")
    with pytest.raises(SignatureError):
        check_log(note, pages.__getitem__, [LOG_KEY])


def test_an_announcement_does_not_excuse_another_past() -> None:
    found = [*entries(3), named("log 2", "log"), *entries(5)]
    note, pages = publish(found, by="log 2")
    other = [*entries(9)[5:], *entries(2)]
    with pytest.raises(ProofError, match="not those of the old note"):
        check_log(note, pages.__getitem__, [LOG_KEY], since=head_of(other))
    good = check_log(note, pages.__getitem__, [LOG_KEY], since=head_of(found[:2]))
    assert (good.since, good.grown) == (7, None)


def test_a_wrong_signature_of_a_known_key_is_no_rotation() -> None:
    note, pages = publish([*entries(3), named("log 2", "log")], by="log 2")
    other = publish(entries(7))[0].split("\n\n")[1]
    with pytest.raises(SignatureError):
        check_log(note + other, pages.__getitem__, [LOG_KEY])


# --- chance decides where


def _edited(found: list[bytes], rng: Random) -> list[bytes]:
    """One entry that never was, in the place of another."""
    at = rng.randrange(len(found))
    return [*found[:at], entries(len(found) + 7)[-1], *found[at + 1 :]]


def _dropped(found: list[bytes], rng: Random) -> list[bytes]:
    at = rng.randrange(len(found))
    return found[:at] + found[at + 1 :]


def _reordered(found: list[bytes], rng: Random) -> list[bytes]:
    one, other = rng.sample(range(len(found)), 2)
    made = list(found)
    made[one], made[other] = made[other], made[one]
    return made


@pytest.mark.parametrize("rewrite", [_edited, _dropped, _reordered])
def test_a_rewritten_log_is_found_wherever_it_was_rewritten(
    rewrite: Callable[[list[bytes], Random], list[bytes]],
) -> None:
    """Behind the old head; and with tiles and head made anew, against the last time."""
    for seed in range(25):
        rng = Random(f"{rewrite.__name__} {seed}")
        found = entries(rng.randrange(2, 400))
        note, _ = publish(found)
        forged_note, forged = publish(rewrite(found, rng))
        with pytest.raises((ProofError, KeyError)):
            check_log(note, forged.__getitem__, [LOG_KEY])
        with pytest.raises(ProofError):
            check_log(forged_note, forged.__getitem__, [LOG_KEY], head_of(found))


def test_a_forked_log_is_found_wherever_it_forks() -> None:
    every = entries(900)
    for seed in range(25):
        rng = Random(f"fork {seed}")
        common = rng.randrange(1, 300)
        mine = every[: common + rng.randrange(1, 60)]
        other = [*mine[:common], *every[500 : 500 + len(mine) - common]]
        longer = [*other, *every[600 : 600 + rng.randrange(40)]]
        note, pages = publish(longer)
        with pytest.raises(ProofError):
            check_log(note, pages.__getitem__, [LOG_KEY], head_of(mine))
        assert check_log(note, pages.__getitem__, [LOG_KEY], head_of(mine[:common]))
