"""Re-derive a log from outside: every entry, every tile, the root, the past.

An honest log has one history. Whoever runs this from time to time, and keeps the
last checkpoint seen, notices when a log drops, changes or reorders an entry.
Source: C2SP tlog-tiles; RFC 6962 section 2.1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from colophon.entry import parse_entry
from colophon.errors import InputError, ProofError, SignatureError
from colophon.merkle import Tree, leaf_hash
from colophon.note import Checkpoint, NoteKey, open_note
from colophon.tiles import (
    TILE_WIDTH,
    new_tiles,
    parse_entry_bundle,
    tile_bytes,
    tile_for,
)

Fetch = Callable[[str], bytes]


@dataclass(frozen=True)
class LogReport:
    """What the check of a log found; it holds, or an exception was raised.

    Attributes:
        head: the checkpoint that was checked.
        kinds: how many entries of each kind.
        tiles: how many tiles of hashes were compared.
        grown: entries since the checkpoint that was kept; None on a first use.
    """

    head: Checkpoint
    kinds: dict[str, int]
    tiles: int
    grown: int | None


def check_log(
    note: str,
    fetch: Fetch,
    log_keys: Iterable[NoteKey],
    kept: Checkpoint | None = None,
) -> LogReport:
    """Check a whole log against its checkpoint, and against the past.

    Args:
        note: the newest checkpoint note.
        fetch: gives the bytes of a path like ``tile/0/000.p/5``.
        log_keys: keys that may sign it.
        kept: the checkpoint that was checked last time.

    Raises:
        SignatureError: no known log key signed the checkpoint.
        ProofError: the log is not what its checkpoint says, or has another past.
        InputError: a part of it is malformed.
    """
    head = _open(note, list(log_keys))
    if kept is not None and kept.origin != head.origin:
        raise ProofError(f"this is log {head.origin}, the last time it was another")
    if kept is not None and head.size < kept.size:
        raise ProofError(f"the log shrank from {kept.size} entries to {head.size}")
    tree, kinds = _read_entries(head.size, fetch)
    if tree.root() != head.root:
        raise ProofError("the entries do not give the root of the checkpoint")
    tiles = _compare_tiles(tree, head.size, fetch)
    if kept is not None and tree.root(kept.size) != kept.root:
        raise ProofError(
            f"the first {kept.size} entries are not those of the last time"
        )
    grown = None if kept is None else head.size - kept.size
    return LogReport(head, kinds, tiles, grown)


def _open(note: str, log_keys: list[NoteKey]) -> Checkpoint:
    """The checkpoint, signed by a known key of the log that it names."""
    opened = open_note(note, log_keys)
    head = Checkpoint.from_body(opened.text)
    if all(one.key.name != head.origin for one in opened.signatures):
        raise SignatureError(f"checkpoint of {head.origin} is not signed by that log")
    return head


def _read_entries(size: int, fetch: Fetch) -> tuple[Tree, dict[str, int]]:
    """All entries, in order, as a tree; each must be a well-formed entry."""
    tree = Tree()
    kinds: dict[str, int] = {}
    for number in range(-(-size // TILE_WIDTH)):
        tile = tile_for(0, number, size)
        entries = parse_entry_bundle(fetch(tile.entries_path))[: tile.width]
        if len(entries) != tile.width:
            raise ProofError(f"{tile.entries_path} has {len(entries)} entries")
        for at, data in enumerate(entries):
            index = number * TILE_WIDTH + at
            try:
                kind = parse_entry(data).kind
            except InputError as error:
                raise ProofError(f"entry {index} is malformed: {error}") from error
            kinds[kind] = kinds.get(kind, 0) + 1
        tree.extend(leaf_hash(data) for data in entries)
    return tree, kinds


def _compare_tiles(tree: Tree, size: int, fetch: Fetch) -> int:
    """Every published tile of hashes is what the entries give."""
    count = 0
    for tile in new_tiles(0, size):
        wanted = tile_bytes(tile, tree.read)
        if fetch(tile.path)[: len(wanted)] != wanted:
            raise ProofError(f"{tile.path} is not what the entries give")
        count += 1
    return count
