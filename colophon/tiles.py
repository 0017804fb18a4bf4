"""The log's tiles: their paths, their bytes, and proofs that read from them.

A tile is up to 256 neighboring hashes of one of the levels 0, 8, 16, …; entry
bundles hold the entries of one level-0 tile. Source: C2SP tlog-tiles.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from colophon.errors import InputError, ProofError
from colophon.merkle import HASH_BYTES, Read, node_hash

TILE_WIDTH = 256
TILE_HEIGHT = 8
MAX_ENTRY_BYTES = 2**16 - 1
ENTRIES = "entries"
_LENGTH_BYTES = 2
_PATH = re.compile(
    r"tile/(entries|0|[1-5]?[1-9]|[1-5]0|6[0-3])"
    r"/((?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?",
    re.ASCII,
)


@dataclass(frozen=True, order=True)
class Tile:
    """One tile: tile level, index within the level, number of hashes."""

    level: int
    index: int
    width: int = TILE_WIDTH

    @property
    def path(self) -> str:
        """Path below the log's prefix, like ``tile/0/x001/067.p/12``."""
        return f"tile/{self.level}/{_number(self.index)}{_part(self.width)}"

    @property
    def entries_path(self) -> str:
        """Path of the entry bundle beside a level-0 tile."""
        return f"tile/{ENTRIES}/{_number(self.index)}{_part(self.width)}"


def parse_path(path: str) -> tuple[Tile, bool]:
    """The tile of a path, and whether the path names its entry bundle.

    Raises:
        InputError: not a tile path in its one canonical form.
    """
    match = _PATH.fullmatch(path)
    if match is None:
        raise InputError("is not a tile path like tile/0/x001/067", "path")
    bundle = match[1] == ENTRIES
    index = int(match[2].replace("x", "").replace("/", ""))
    width = int(match[3]) if match[3] else TILE_WIDTH
    tile = Tile(0 if bundle else int(match[1]), index, width)
    if path != (tile.entries_path if bundle else tile.path):
        raise InputError("is not in its canonical form", "path")
    return tile, bundle


def tile_for(level: int, index: int, size: int) -> Tile:
    """The tile at (level, index) of a tree of ``size`` leaves, full or partial.

    Raises:
        InputError: a tree of that size has no such tile.
    """
    hashes = size >> (TILE_HEIGHT * level)
    width = min(hashes - index * TILE_WIDTH, TILE_WIDTH)
    if index < 0 or width < 1:
        raise InputError(f"tree of {size} leaves has no tile {level}/{index}")
    return Tile(level, index, width)


def new_tiles(old: int, new: int) -> Iterator[Tile]:
    """Tiles to write when a tree grows from ``old`` to ``new`` leaves."""
    level = 0
    while hashes := new >> (TILE_HEIGHT * level):
        before = old >> (TILE_HEIGHT * level)
        if before < hashes:
            for index in range(before // TILE_WIDTH, -(-hashes // TILE_WIDTH)):
                yield tile_for(level, index, new)
        level += 1


def tile_bytes(tile: Tile, read: Read) -> bytes:
    """The hashes of a tile, concatenated."""
    first = tile.index * TILE_WIDTH
    return b"".join(
        read(tile.level * TILE_HEIGHT, first + at) for at in range(tile.width)
    )


def tile_reader(fetch: Callable[[Tile], bytes], size: int) -> Read:
    """A ``read`` callback over fetched tiles of a tree of ``size`` leaves.

    Each tile is fetched once and kept; a proof needs at most one tile for each
    eight levels, plus those on the right edge.

    Args:
        fetch: gives the bytes of a tile; may give the full tile for a partial one.
        size: tree size of the checkpoint that is trusted.
    """
    kept: dict[tuple[int, int], bytes] = {}

    def read(level: int, index: int) -> bytes:
        tile_level, height = divmod(level, TILE_HEIGHT)
        first = index << height
        number = first // TILE_WIDTH
        if (tile_level, number) not in kept:
            tile = tile_for(tile_level, number, size)
            kept[tile_level, number] = _fetched(fetch(tile), tile)
        start = (first % TILE_WIDTH) * HASH_BYTES
        flat = kept[tile_level, number][start : start + (HASH_BYTES << height)]
        if len(flat) != HASH_BYTES << height:
            raise InputError(f"tree of {size} leaves has no node {level}/{index}")
        return _fold(flat)

    return read


def entry_bundle(entries: Sequence[bytes]) -> bytes:
    """Entries of one tile, each behind its big-endian 16-bit length.

    Raises:
        InputError: none or more than 256 entries, or one over 65,535 bytes.
    """
    if not 1 <= len(entries) <= TILE_WIDTH:
        raise InputError(f"has {len(entries)} entries, expected 1 to {TILE_WIDTH}")
    if any(len(entry) > MAX_ENTRY_BYTES for entry in entries):
        raise InputError(f"an entry is longer than {MAX_ENTRY_BYTES} bytes")
    return b"".join(
        len(entry).to_bytes(_LENGTH_BYTES, "big") + entry for entry in entries
    )


def parse_entry_bundle(data: bytes) -> list[bytes]:
    """The entries of a bundle.

    Raises:
        InputError: cut short, empty, or more than 256 entries.
    """
    entries = []
    at = 0
    while at < len(data):
        start = at + _LENGTH_BYTES
        end = start + int.from_bytes(data[at:start], "big")
        if start > len(data) or end > len(data):
            raise InputError("entry bundle is cut short")
        entries.append(data[start:end])
        at = end
    if not 1 <= len(entries) <= TILE_WIDTH:
        raise InputError(f"has {len(entries)} entries, expected 1 to {TILE_WIDTH}")
    return entries


def _number(index: int) -> str:
    """Three-digit path elements, all but the last behind an x."""
    digits = str(index)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    parts = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    return "/".join([*(f"x{part}" for part in parts[:-1]), parts[-1]])


def _part(width: int) -> str:
    return "" if width == TILE_WIDTH else f".p/{width}"


def _fetched(data: bytes, tile: Tile) -> bytes:
    """Bytes of the tile asked for, cut when the full tile came."""
    wanted = tile.width * HASH_BYTES
    if len(data) not in (wanted, TILE_WIDTH * HASH_BYTES):
        raise ProofError(f"{tile.path} has {len(data)} bytes, expected {wanted}")
    return data[:wanted]


def _fold(flat: bytes) -> bytes:
    """Root of a power of two of concatenated hashes."""
    nodes = [flat[at : at + HASH_BYTES] for at in range(0, len(flat), HASH_BYTES)]
    while len(nodes) > 1:
        pairs = iter(nodes)
        nodes = [node_hash(*pair) for pair in zip(pairs, pairs, strict=True)]
    return nodes[0]
