"""Re-derive a log from outside: every entry, every tile, the root, the past.

An honest log has one history. Whoever runs this from time to time, and keeps the
last checkpoint seen, notices when a log drops, changes or reorders an entry. A new
key of the log is followed when a key that is known announced it in the log itself.
Source: C2SP tlog-tiles; RFC 6962 section 2.1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from colophon import records
from colophon.entry import parse_entry
from colophon.errors import InputError, ProofError, SignatureError
from colophon.merkle import Tree, leaf_hash
from colophon.note import (
    ED25519,
    Checkpoint,
    NoteKey,
    NoteSignature,
    open_note,
    split_note,
)
from colophon.statement import Envelope, read_statement, verify
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
        since: entries since the older checkpoint that was asked about.
        keys: those that count from now on: the known ones, and what they announced.
        cosigned: signatures of the given witnesses on the checkpoint.
    """

    head: Checkpoint
    kinds: dict[str, int]
    tiles: int
    grown: int | None
    since: int | None = None
    keys: tuple[NoteKey, ...] = ()
    cosigned: tuple[NoteSignature, ...] = ()


@dataclass(frozen=True)
class _Contents:
    """What the entries hold: their tree, a count by kind, and named keys."""

    tree: Tree
    kinds: dict[str, int]
    named: list[tuple[int, Envelope]]


def check_log(
    note: str,
    fetch: Fetch,
    log_keys: Iterable[NoteKey],
    kept: Checkpoint | None = None,
    *,
    since: Checkpoint | None = None,
    witnesses: Iterable[NoteKey] = (),
) -> LogReport:
    """Check a whole log against its checkpoint, and against the past.

    Args:
        note: the newest checkpoint note.
        fetch: gives the bytes of a path like ``tile/0/000.p/5``.
        log_keys: keys that may sign it.
        kept: the checkpoint that was checked last time.
        since: any other old checkpoint of the log, its signature checked.
        witnesses: keys of witnesses; a wrong line of one of them spoils the note.

    Raises:
        SignatureError: no known log key signed the checkpoint.
        ProofError: the log is not what its checkpoint says, or has another past.
        InputError: a part of it is malformed.
    """
    known, others = list(log_keys), list(witnesses)
    head = Checkpoint.from_body(split_note(note)[0])
    if not _may_be_followed(note, head, known):
        _open(note, known)
    for past, words in ((kept, "the last time"), (since, "in the old note")):
        if past is not None and past.origin != head.origin:
            raise ProofError(f"this is log {head.origin}, {words} it was another")
        if past is not None and head.size < past.size:
            raise ProofError(f"the log shrank from {past.size} entries to {head.size}")
    found = _read_entries(head.size, fetch)
    if found.tree.root() != head.root:
        raise ProofError("the entries do not give the root of the checkpoint")
    known = _follow(known, found.named, head.origin)
    signatures = _open(note, known, others)
    tiles = _compare_tiles(found.tree, head.size, fetch)
    for past, words in ((kept, "the last time"), (since, "the old note")):
        if past is not None and found.tree.root(past.size) != past.root:
            raise ProofError(f"the first {past.size} entries are not those of {words}")
    return LogReport(
        head,
        found.kinds,
        tiles,
        grown=None if kept is None else head.size - kept.size,
        since=None if since is None else head.size - since.size,
        keys=tuple(known),
        cosigned=tuple(one for one in signatures if one.key in others),
    )


def _may_be_followed(note: str, head: Checkpoint, known: list[NoteKey]) -> bool:
    """Whether a log that we know signed with a key that we do not know (yet)."""
    signed = {(name, key_id) for name, key_id, _ in split_note(note)[1]}
    stranger = signed.isdisjoint((key.name, key.id) for key in known)
    return stranger and any(key.name == head.origin for key in known)


def _follow(
    known: list[NoteKey], named: list[tuple[int, Envelope]], origin: str
) -> list[NoteKey]:
    """The known keys, and each new one that a key known before it announced.

    A new key that only vouches for itself is not believed.
    """
    found = list(known)
    for index, envelope in named:
        try:
            said = records.parse_checkpoint_key(read_statement(envelope.payload))
        except InputError as error:
            raise ProofError(f"entry {index} names no key: {error}") from error
        if said.key in found or said.key.name != origin or said.key.kind != ED25519:
            continue
        if any(_is_signed(envelope, key) for key in found):
            found.append(said.key)
    return found


def _is_signed(envelope: Envelope, key: NoteKey) -> bool:
    try:
        verify(envelope, key.public_spki)
    except (SignatureError, InputError):
        return False
    return True


def _open(
    note: str, log_keys: list[NoteKey], witnesses: Iterable[NoteKey] = ()
) -> tuple[NoteSignature, ...]:
    """The signatures on the checkpoint, one of them by a known key of its log."""
    opened = open_note(note, [*log_keys, *witnesses])
    head = Checkpoint.from_body(opened.text)
    signed = [one.key for one in opened.signatures if one.key in log_keys]
    if all(key.name != head.origin for key in signed):
        raise SignatureError(f"checkpoint of {head.origin} is not signed by that log")
    return opened.signatures


def _read_entries(size: int, fetch: Fetch) -> _Contents:
    """All entries, in order, as a tree; each must be a well-formed entry."""
    tree, named = Tree(), []
    kinds: dict[str, int] = {}
    for number in range(-(-size // TILE_WIDTH)):
        tile = tile_for(0, number, size)
        entries = parse_entry_bundle(fetch(tile.entries_path))[: tile.width]
        if len(entries) != tile.width:
            raise ProofError(f"{tile.entries_path} has {len(entries)} entries")
        for at, data in enumerate(entries):
            index = number * TILE_WIDTH + at
            try:
                entry = parse_entry(data)
            except InputError as error:
                raise ProofError(f"entry {index} is malformed: {error}") from error
            kinds[entry.kind] = kinds.get(entry.kind, 0) + 1
            if entry.kind == "checkpoint-key" and entry.envelope is not None:
                named.append((index, entry.envelope))
        tree.extend(leaf_hash(data) for data in entries)
    return _Contents(tree, kinds, named)


def _compare_tiles(tree: Tree, size: int, fetch: Fetch) -> int:
    """Every published tile of hashes is what the entries give."""
    count = 0
    for tile in new_tiles(0, size):
        wanted = tile_bytes(tile, tree.read)
        if fetch(tile.path)[: len(wanted)] != wanted:
            raise ProofError(f"{tile.path} is not what the entries give")
        count += 1
    return count
