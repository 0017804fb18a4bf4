"""An outsider derives the whole log from what is served, and only from that."""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import quote

import pytest

from colophon import merkle, note
from colophon.tiles import entry_bundle, parse_entry_bundle, tile_for
from log.keys import log_key
from log.models import Entry

pytestmark = pytest.mark.django_db


class Outsider:
    """A client after C2SP tlog-tiles, with no view of the database."""

    def __init__(self, client: Any) -> None:
        self.get = client.get

    def head(self) -> note.Checkpoint:
        text = self.get("/log/checkpoint").content.decode()
        return note.open_checkpoint(text, log_key())

    def entries(self, size: int) -> list[bytes]:
        found = []
        for index in range(-(-size // 256)):
            tile = tile_for(0, index, size)
            answer = self.get(f"/log/{tile.entries_path}")
            assert answer.status_code == 200
            found += parse_entry_bundle(answer.content)[: tile.width]
        return found

    def hash_at(self, level: int, index: int, size: int) -> bytes:
        """Hash of a node, from whichever tile holds its base."""
        tile_level, height = divmod(level, 8)
        first = index << height
        tile = tile_for(tile_level, first // 256, size)
        flat = self.get(f"/log/{tile.path}").content
        assert len(flat) == 32 * tile.width
        begin = first % 256 * 32
        nodes = [flat[at : at + 32] for at in range(begin, begin + (32 << height), 32)]
        while len(nodes) > 1:
            nodes = [
                hashlib.sha256(b"\x01" + left + right).digest()
                for left, right in zip(nodes[::2], nodes[1::2], strict=True)
            ]
        return nodes[0]


@pytest.fixture
def outsider(client: Any) -> Outsider:
    return Outsider(client)


def test_the_tree_derived_from_the_bundles_is_the_one_signed(
    grow: Any, outsider: Any
) -> None:
    grow(120)
    grow(400)
    head = outsider.head()
    entries = outsider.entries(head.size)
    leaves = [hashlib.sha256(b"\x00" + entry).digest() for entry in entries]
    assert head.size == len(leaves) == 521
    assert merkle.root(leaves) == head.root


def test_the_hash_tiles_alone_prove_any_entry(grow: Any, outsider: Any) -> None:
    grow(300)
    grow(300)
    head = outsider.head()
    entries = outsider.entries(head.size)

    def read(level: int, index: int) -> bytes:
        return outsider.hash_at(level, index, head.size)

    for index in (0, 255, 256, 511, 512, 600):
        proof = merkle.inclusion_proof(index, head.size, read)
        leaf = hashlib.sha256(b"\x00" + entries[index]).digest()
        merkle.verify_inclusion(leaf, index, head.size, proof, head.root)


def test_an_older_checkpoint_is_still_provable_after_its_tiles_filled_up(
    grow: Any, outsider: Any, client: Any
) -> None:
    old = grow(99)
    grow(300)
    assert (
        client.get("/log/tile/0/000.p/100").content
        == outsider.get("/log/tile/0/000").content[: 100 * 32]
    )
    bundle = client.get("/log/tile/entries/000.p/100").content
    full = client.get("/log/tile/entries/000").content
    assert full.startswith(bundle)
    assert len(parse_entry_bundle(bundle)) == 100
    then = client.get("/log/checkpoint/100").content.decode()
    assert note.open_checkpoint(then, log_key()).root == bytes(old.root)


def test_tiles_may_be_kept_for_ever_and_the_checkpoint_never(
    grow: Any, client: Any
) -> None:
    grow(3)
    for path in ("tile/0/000.p/4", "tile/entries/000.p/4"):
        answer = client.get(f"/log/{path}")
        assert answer["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer["Content-Type"] == "application/octet-stream"
        assert answer["Access-Control-Allow-Origin"] == "*"
        assert "Set-Cookie" not in answer
    answer = client.get("/log/checkpoint")
    assert answer["Cache-Control"] == "no-cache"
    assert answer["Content-Type"] == "text/plain; charset=utf-8"


def test_entry_bundles_carry_two_byte_lengths(grow: Any, client: Any) -> None:
    grow(2)
    data = [bytes(row.data) for row in Entry.objects.order_by("index")]
    raw = client.get("/log/tile/entries/000.p/3").content
    assert raw == b"".join(len(one).to_bytes(2, "big") + one for one in data)
    assert raw == entry_bundle(data)


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/000",
        "tile/0/000.p/5",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/001",
        "tile/1/000",
        "tile/1/000.p/1",
        "tile/0/0",
        "tile/0/x000/000",
        "tile/64/000",
        "tile/entries/001.p/1",
        "tile/data/000.p/4",
        "tile/" + quote("0/../../secret", safe=""),
        "tile/0/000.p/4/",
        "checkpoint/3",
        "checkpoint/4/timestamp",
    ],
)
def test_what_no_checkpoint_covers_or_no_tile_is_called_is_not_found(
    grow: Any, client: Any, path: Any
) -> None:
    grow(3)
    assert client.get(f"/log/{path}").status_code == 404


def test_entries_without_checkpoint_are_not_served(
    grow: Any, add: Any, client: Any
) -> None:
    from log.sequence import sequence

    add(3)
    sequence()
    assert client.get("/log/checkpoint").status_code == 404
    assert client.get("/log/tile/0/000.p/4").status_code == 404


def test_the_log_only_answers_reads(grow: Any, client: Any) -> None:
    grow(1)
    for path in ("checkpoint", "keys", "tile/0/000.p/2"):
        assert client.post(f"/log/{path}").status_code == 405
        assert client.head(f"/log/{path}").status_code == 200


def test_the_keys_are_those_that_the_log_itself_names(grow: Any, client: Any) -> None:
    grow(1)
    told = client.get("/log/keys").json()
    assert [one["vkey"] for one in told["keys"]] == [log_key().vkey]
    first = Entry.objects.get(index=0)
    assert first.kind == "checkpoint-key"
    assert told["origin"] == log_key().name
    assert note.NoteKey.from_vkey(told["keys"][0]["vkey"]) == log_key()
