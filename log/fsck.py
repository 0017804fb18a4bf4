"""Derive the whole log again from its rows and compare everything that was signed.

Reads each entry once, in order; memory does not grow with the log. The first index
that cannot be right is what an operator, or a court, needs to know.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from colophon import merkle, note
from colophon.entry import entry_leaf, open_sealed, parse_entry
from colophon.errors import ColophonError, SignatureError
from colophon.statement import Envelope
from colophon.tiles import TILE_WIDTH, Tile, entry_bundle, new_tiles
from log import tiles
from log.keys import log_keys
from log.models import Checkpoint, Entry, Head
from log.witnesses import configured

MAX_FINDINGS = 100


@dataclass(frozen=True, order=True)
class Finding:
    """Something that is wrong at an entry, or somewhere from `index` to `last`."""

    index: int
    last: int
    what: str


@dataclass
class Report:
    """What was compared, and what did not fit.

    `rows_hold` is about rows, head and checkpoints: tiles can be written again.
    """

    size: int = 0
    checkpoints: int = 0
    tiles: int = 0
    rows_hold: bool = True
    findings: list[Finding] = field(default_factory=list)

    @property
    def first_bad(self) -> int | None:
        """The lowest index that is known to be wrong; None when all is well.

        A finding about a range gives way to an exact one inside it.
        """
        exact = sorted(one.index for one in self.findings if one.index == one.last)
        found = [
            next((at for at in exact if one.index <= at <= one.last), one.index)
            for one in self.findings
        ]
        return min(found, default=None)

    def add(self, index: int, what: str, *, last: int | None = None) -> None:
        if len(self.findings) < MAX_FINDINGS:
            self.findings.append(Finding(index, index if last is None else last, what))


class Frontier:
    """The roots of the complete subtrees of a growing tree: O(log N) memory."""

    def __init__(self) -> None:
        self.size = 0
        self._nodes: list[tuple[int, bytes]] = []

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash."""
        level, node = 0, leaf
        while self._nodes and self._nodes[-1][0] == level:
            node = merkle.node_hash(self._nodes.pop()[1], node)
            level += 1
        self._nodes.append((level, node))
        self.size += 1

    def root(self) -> bytes:
        """Root over all leaves so far."""
        if not self._nodes:
            return merkle.EMPTY_ROOT
        current = self._nodes[-1][1]
        for _, node in reversed(self._nodes[:-1]):
            current = merkle.node_hash(node, current)
        return current


def check() -> Report:
    """Compare rows, head, checkpoints, signatures and tiles.

    Tiles that are missing are findings, too; `rebuild` writes them.
    """
    report = Report()
    frontier = Frontier()
    checkpoints = iter(Checkpoint.objects.order_by("size").iterator())
    due = next(checkpoints, None)
    good = 0
    for leaf in _leaves(report):
        frontier.append(leaf)
        while due is not None and due.size == frontier.size:
            if _check_checkpoint(report, due, frontier, good):
                good = due.size
            due = next(checkpoints, None)
    report.size = frontier.size
    if due is not None:
        report.add(frontier.size, f"checkpoint {due.size} covers entries that are gone")
    head = Head.objects.first()
    if (head.size if head else 0) != frontier.size:
        report.add(frontier.size, f"the head says {head.size if head else 0} entries")
    report.rows_hold = not report.findings
    _check_tiles(report)
    return report


def rebuild() -> int:
    """Write every tile again from the rows; returns the size they cover.

    Only for a log whose rows `check` finds right: call that first and after.

    Raises:
        InconsistentLogError: an entry is missing or changed.
    """
    newest = Checkpoint.objects.order_by("-size").first()
    if newest is None:
        return 0
    tiles.forget()
    tiles.grow(0, newest.size)
    return newest.size


def _leaves(report: Report) -> Iterator[bytes]:
    """Leaf hashes of the rows, until the first gap."""
    rows = Entry.objects.filter(index__isnull=False).order_by("index")
    for expected, row in enumerate(rows.iterator(chunk_size=1000)):
        if row.index != expected:
            report.add(expected, f"entry {expected} is missing")
            return
        if wrong := _wrong(row):
            report.add(expected, wrong)
        yield entry_leaf(bytes(row.data))


def _wrong(row: Entry) -> str:
    """What contradicts itself in one row; empty when nothing does."""
    data = bytes(row.data)
    if entry_leaf(data) != bytes(row.leaf_hash):
        return "the entry and its leaf hash differ"
    try:
        found = parse_entry(data)
        if found.kind != row.kind:
            return f"the entry is of kind {found.kind}, the row says {row.kind}"
        if found.envelope is not None:
            same = row.envelope == found.envelope.to_json()
            return "" if same else "the row has another envelope than the entry"
        return _wrong_seal(row, data)
    except ColophonError as error:
        return f"the entry does not hold: {error}"


def _wrong_seal(row: Entry, data: bytes) -> str:
    """The same for what a sealed entry hides."""
    if row.erased_at is not None:
        gone = row.envelope is None and row.salt is None
        return "" if gone else "the entry is erased, but not all of it"
    if row.envelope is None or row.salt is None:
        return "envelope or salt is gone, but nobody erased the entry"
    open_sealed(data, bytes(row.salt), Envelope.from_json(row.envelope))
    return ""


def _signed(text: str) -> note.Checkpoint:
    """What the log signed.

    A wrong line of a witness is an error, too: it spoils the note for everybody.
    """
    ours = log_keys()
    opened = note.open_note(text, [*ours, *(one.key for one in configured())])
    if not any(one.key in ours for one in opened.signatures):
        raise SignatureError("only witnesses signed it")
    return note.Checkpoint.from_body(opened.text)


def _check_checkpoint(
    report: Report, row: Checkpoint, frontier: Frontier, good: int
) -> bool:
    """Whether a checkpoint is signed over the root that the rows give."""
    report.checkpoints += 1
    try:
        signed = _signed(row.note)
    except ColophonError as error:
        report.add(
            good,
            f"checkpoint {row.size} is not signed by the log: {error}",
            last=row.size - 1,
        )
        return False
    if (signed.size, signed.root) != (row.size, bytes(row.root)):
        report.add(
            good,
            f"the row of checkpoint {row.size} is not what was signed",
            last=row.size - 1,
        )
    if (signed.size, signed.root) != (row.size, frontier.root()):
        report.add(
            good,
            f"checkpoint {row.size} has another root: "
            f"an entry from {good} to {row.size - 1} was changed",
            last=row.size - 1,
        )
        return False
    return True


def _check_tiles(report: Report) -> None:
    """Compare the files with what the rows give; 32 bytes are kept per 256 rows."""
    covered = Checkpoint.objects.order_by("-size").first()
    nodes: defaultdict[int, list[bytes]] = defaultdict(list)
    for tile in new_tiles(0, covered.size if covered else 0):
        if (tile.index * TILE_WIDTH + tile.width) * _step(tile) > report.size:
            continue  # behind the first gap nothing can be derived
        report.tiles += 1
        first = tile.index * TILE_WIDTH
        if tile.level == 0:
            entries = _rows(first, tile.width)
            _compare_bundle(report, tile, entries)
            right = [entry_leaf(one) for one in entries]
        else:
            right = nodes[tile.level][first : first + tile.width]
        if tile.width == TILE_WIDTH:
            nodes[tile.level + 1].append(merkle.root(right))
        _compare(report, tile, right)


def _compare(report: Report, tile: Tile, right: list[bytes]) -> None:
    step = _step(tile)
    first = tile.index * TILE_WIDTH * step
    found = tiles.read_file(tile.path)
    if found is None:
        report.add(
            first,
            f"{tile.path} is missing; run with --rebuild",
            last=first + tile.width * step - 1,
        )
    elif found != b"".join(right):
        hashes = list(tiles.split(found))
        at = next(
            (
                at
                for at, pair in enumerate(zip(hashes, right, strict=False))
                if pair[0] != pair[1]
            ),
            min(len(hashes), tile.width - 1),
        )
        bad = first + at * step
        report.add(bad, f"{tile.path} differs from the rows", last=bad + step - 1)


def _compare_bundle(report: Report, tile: Tile, entries: list[bytes]) -> None:
    found = tiles.read_file(tile.entries_path)
    if found == entry_bundle(entries):
        return
    first = tile.index * TILE_WIDTH
    what = (
        "is missing; run with --rebuild" if found is None else "differs from the rows"
    )
    report.add(first, f"{tile.entries_path} {what}", last=first + tile.width - 1)


def _rows(first: int, count: int) -> list[bytes]:
    rows = Entry.objects.filter(index__gte=first, index__lt=first + count)
    return [bytes(one) for one in rows.order_by("index").values_list("data", flat=True)]


def _step(tile: Tile) -> int:
    """How many entries one hash of the tile stands for."""
    return int(TILE_WIDTH**tile.level)
