"""Tiles: paths and widths of the C2SP text, and proofs read from tiles alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colophon import merkle, tiles
from colophon.errors import InputError, ProofError
from colophon.tiles import Tile

SIZE = 70_000
TREE = merkle.Tree(merkle.leaf_hash(b"%d" % at) for at in range(SIZE))


def serve(size: int) -> dict[str, bytes]:
    """All tiles of a tree, as a web server would have them."""
    return {
        tile.path: tiles.tile_bytes(tile, TREE.read)
        for tile in tiles.new_tiles(0, size)
    }


SERVED = serve(SIZE)


def test_paths_are_those_of_the_specification() -> None:
    assert Tile(0, 1_234_067).path == "tile/0/x001/x234/067"
    assert Tile(1, 0, 17).path == "tile/1/000.p/17"
    assert Tile(0, 273, 112).entries_path == "tile/entries/273.p/112"


@given(st.integers(0, 63), st.integers(0, 10**9), st.integers(1, 256))
def test_paths_round_trip(level: int, index: int, width: int) -> None:
    tile = Tile(level, index, width)
    assert tiles.parse_path(tile.path) == (tile, False)
    bundle = Tile(0, index, width)
    assert tiles.parse_path(bundle.entries_path) == (bundle, True)


@pytest.mark.parametrize(
    "path",
    [
        "tile/64/000",
        "tile/00/000",
        "tile/0/0",
        "tile/0/x000/067",
        "tile/0/x001/x067",
        "tile/0/001/067",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000/",
        "tile/0/../../etc/passwd",
        "tile/-1/000",
        "tile/0/\u0660\u0660\u0660",
        "/tile/0/000",
        "tile/0/000\n",
    ],
)
def test_other_paths_are_refused(path: str) -> None:
    with pytest.raises(InputError):
        tiles.parse_path(path)


def test_a_tree_of_70000_has_the_tiles_of_the_specification() -> None:
    made = list(tiles.new_tiles(0, SIZE))
    assert sum(1 for one in made if one.level == 0 and one.width == 256) == 273
    assert [one for one in made if one.width < 256 or one.level > 0] == [
        Tile(0, 273, 112),
        Tile(1, 0, 256),
        Tile(1, 1, 17),
        Tile(2, 0, 1),
    ]


def test_a_tree_of_256_has_one_full_and_one_partial_tile() -> None:
    assert list(tiles.new_tiles(0, 256)) == [Tile(0, 0, 256), Tile(1, 0, 1)]


@given(st.integers(0, 3_000), st.integers(0, 600))
def test_growth_writes_what_changed_and_nothing_else(old: int, more: int) -> None:
    before, after = set(tiles.new_tiles(0, old)), set(tiles.new_tiles(0, old + more))
    written = list(tiles.new_tiles(old, old + more))
    assert set(written) == after - before
    assert len(written) == len(set(written))


@given(st.integers(1, SIZE), st.data())
def test_inclusion_is_proved_from_tiles_alone(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    fetched: list[str] = []

    def fetch(tile: Tile) -> bytes:
        fetched.append(tile.path)
        return tiles.tile_bytes(tile, TREE.read)

    read = tiles.tile_reader(fetch, size)
    assert merkle.inclusion_proof(index, size, read) == TREE.inclusion_proof(
        index, size
    )
    assert len(fetched) == len(set(fetched)) <= 6


@given(st.integers(0, SIZE))
def test_consistency_is_proved_from_served_tiles(old: int) -> None:
    read = tiles.tile_reader(lambda tile: SERVED[tile.path], SIZE)
    proof = merkle.consistency_proof(old, SIZE, read)
    merkle.verify_consistency(old, SIZE, TREE.root(old), TREE.root(), proof)
    assert merkle.root_at(SIZE, read) == TREE.root()


def test_a_full_tile_may_stand_for_a_partial_one() -> None:
    full = tiles.tile_bytes(Tile(0, 0), TREE.read)
    read = tiles.tile_reader(lambda tile: full, 100)
    assert merkle.root_at(100, read) == TREE.root(100)


def test_a_tile_of_another_size_is_refused() -> None:
    read = tiles.tile_reader(lambda tile: b"short", 100)
    with pytest.raises(ProofError, match=r"tile/0/000\.p/100"):
        read(0, 0)


def test_a_node_beyond_the_tree_is_refused() -> None:
    read = tiles.tile_reader(lambda tile: SERVED[tile.path], SIZE)
    for level, index in ((0, SIZE), (3, SIZE // 8), (24, 0), (0, -1)):
        with pytest.raises(InputError):
            read(level, index)


def test_a_changed_tile_byte_changes_the_root() -> None:
    broken = bytearray(SERVED["tile/0/000"])
    broken[40] ^= 1
    served = {**SERVED, "tile/0/000": bytes(broken)}
    read = tiles.tile_reader(lambda tile: served[tile.path], SIZE)
    proof = merkle.inclusion_proof(7, SIZE, read)
    with pytest.raises(ProofError):
        merkle.verify_inclusion(TREE.read(0, 7), 7, SIZE, proof, TREE.root())


@given(st.lists(st.binary(max_size=70), min_size=1, max_size=256))
def test_entry_bundles_round_trip(entries: list[bytes]) -> None:
    data = tiles.entry_bundle(entries)
    assert tiles.parse_entry_bundle(data) == entries
    if data[:-1]:
        with pytest.raises(InputError):
            tiles.parse_entry_bundle(data[:-1])


def test_a_bundle_starts_each_entry_with_its_length() -> None:
    assert tiles.entry_bundle([b"ab", b""]) == b"\0\2ab\0\0"


@pytest.mark.parametrize("entries", [[], [b""] * 257, [b"x" * 65_536]])
def test_a_bundle_out_of_bounds_is_refused(entries: list[bytes]) -> None:
    with pytest.raises(InputError):
        tiles.entry_bundle(entries)


@pytest.mark.parametrize("data", [b"", b"\0", b"\0\1", b"\0\0" * 257])
def test_a_malformed_bundle_is_refused(data: bytes) -> None:
    with pytest.raises(InputError):
        tiles.parse_entry_bundle(data)
