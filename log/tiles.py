"""Keep the log's tiles as files that any web server or CDN could serve.

The rows are the truth. A tile that is missing is derived from them; a tile that is
there is never changed, only completed. Files appear whole: written aside, then
renamed. Source: C2SP tlog-tiles.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from colophon import merkle
from colophon.entry import entry_leaf
from colophon.merkle import HASH_BYTES, Read
from colophon.tiles import (
    TILE_HEIGHT,
    TILE_WIDTH,
    Tile,
    entry_bundle,
    new_tiles,
    tile_reader,
)
from log.errors import InconsistentLogError
from log.models import Entry


def reader(size: int) -> Read:
    """A `read` callback for `colophon.merkle` over the tree of `size` entries."""
    return tile_reader(load, size)


def load(tile: Tile) -> bytes:
    """The hashes of a tile, from its file or else from the rows.

    Raises:
        InconsistentLogError: neither the file nor the rows give it.
    """
    full = _full(Path(settings.LOG_TILES_DIR), tile.level, tile.index)
    wanted = tile.width * HASH_BYTES
    if full is not None:
        return full[:wanted]
    found = read_file(tile.path)
    return found if found and len(found) == wanted else derive(tile)


def load_bundle(tile: Tile) -> bytes:
    """The entries of a level-0 tile, each behind its length.

    Raises:
        InconsistentLogError: neither the file nor the rows give it.
    """
    found = read_file(tile.entries_path)
    return found if found is not None else entry_bundle(_entries(tile))


def derive(tile: Tile) -> bytes:
    """The hashes of a tile, computed from the rows or from the tiles below.

    Raises:
        InconsistentLogError: an entry is missing.
    """
    if tile.level == 0:
        return b"".join(entry_leaf(data) for data in _entries(tile))
    first = tile.index * TILE_WIDTH
    return b"".join(_node(tile.level, first + at) for at in range(tile.width))


def grow(old: int, new: int) -> bytes:
    """Write the tiles that a tree of `new` entries has beyond one of `old`.

    Doing it twice, or in two processes at once, writes the same bytes.

    Args:
        old: size of the newest checkpoint, whose tiles are there.
        new: at most the head's size.

    Returns:
        The root over `new` entries.

    Raises:
        InconsistentLogError: an entry is missing, or a row was changed.
    """
    for tile in new_tiles(old, new):
        if tile.level == 0:
            entries = _entries(tile, check=True)
            write_file(tile.entries_path, entry_bundle(entries))
            hashes = b"".join(map(entry_leaf, entries))
        else:
            hashes = _completed(tile, old)
        write_file(tile.path, hashes)
        if tile.width == TILE_WIDTH:
            _drop_partial(tile)
    return merkle.root_at(new, reader(new))


def forget() -> None:
    """Drop the tiles kept in memory; for whoever changes files behind them."""
    _kept.cache_clear()


def read_file(path: str) -> bytes | None:
    """Bytes of a file below the tiles folder; None when it is not there."""
    try:
        return (Path(settings.LOG_TILES_DIR) / path).read_bytes()
    except FileNotFoundError:
        return None


def write_file(path: str, data: bytes) -> None:
    """Make a file appear whole; nothing happens when it has these bytes already."""
    if read_file(path) == data:
        return
    target = Path(settings.LOG_TILES_DIR) / path
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, aside = tempfile.mkstemp(dir=target.parent, prefix=".tile-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(aside).chmod(0o644)
        Path(aside).replace(target)
    except BaseException:
        Path(aside).unlink(missing_ok=True)
        raise


def _completed(tile: Tile, old: int) -> bytes:
    """Hashes of an upper tile: those it had at size `old`, and the new ones."""
    first = tile.index * TILE_WIDTH
    had = min(max((old >> (TILE_HEIGHT * tile.level)) - first, 0), tile.width)
    kept = load(Tile(tile.level, tile.index, had)) if had else b""
    fresh = (_node(tile.level, first + at) for at in range(had, tile.width))
    return kept + b"".join(fresh)


def _node(level: int, index: int) -> bytes:
    """One hash of an upper tile: the root over the full tile below."""
    flat = load(Tile(level - 1, index))
    return merkle.root(split(flat))


def split(flat: bytes) -> Iterator[bytes]:
    """The hashes of a tile, one by one."""
    for at in range(0, len(flat), HASH_BYTES):
        yield flat[at : at + HASH_BYTES]


def _entries(tile: Tile, *, check: bool = False) -> list[bytes]:
    """The entries under a level-0 tile, contiguous and in order."""
    first = tile.index * TILE_WIDTH
    rows = (
        Entry.objects.filter(index__gte=first, index__lt=first + tile.width)
        .order_by("index")
        .values_list("index", "data", "leaf_hash")
    )
    found = []
    for wanted, (index, data, leaf) in zip(
        range(first, first + tile.width), rows, strict=False
    ):
        if index != wanted or (check and entry_leaf(bytes(data)) != bytes(leaf)):
            raise InconsistentLogError(f"entry {wanted} is missing or changed", wanted)
        found.append(bytes(data))
    if len(found) != tile.width:
        missing = first + len(found)
        raise InconsistentLogError(f"entry {missing} is missing", missing)
    return found


def _drop_partial(tile: Tile) -> None:
    """The full tile serves whoever asks for a part of it."""
    root = Path(settings.LOG_TILES_DIR)
    for path in (tile.path, tile.entries_path)[: 2 if tile.level == 0 else 1]:
        shutil.rmtree(root / f"{path}.p", ignore_errors=True)


def _full(folder: Path, level: int, index: int) -> bytes | None:
    """A full tile's file; None when it is not there or not whole."""
    try:
        return _kept(folder, level, index)
    except FileNotFoundError:
        return None


@lru_cache(maxsize=512)
def _kept(folder: Path, level: int, index: int) -> bytes:
    data = (folder / Tile(level, index).path).read_bytes()
    if len(data) != TILE_WIDTH * HASH_BYTES:
        raise FileNotFoundError
    return data
