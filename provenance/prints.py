"""Keep the prints of works, and the index that finds them again.

The rows are the truth. Each process keeps an index over them in memory, about 100
bytes a print: what is new since the last search is read before each one, scanned as it
is, and built in when there is enough of it. What the index finds is read from the rows
again before it is told, so an index that is out of date can tell of nothing that is
not there.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from django.utils import timezone
from numpy.typing import NDArray

from colophon import fingerprints
from colophon.fingerprints import REDUCTION
from colophon.printindex import BYTES, RADIUS, PrintIndex
from provenance.models import Asset, Print

# Rows are numbered before they are committed, so for a while lower ones may still come.
SETTLED = timedelta(minutes=5)
TAIL = 4_096
# Database drivers take only so many values in one question.
CHUNK = 500
READ = 20_000


def make_prints(
    asset: Asset, pdq: dict[str, Any] | None, iscc: str, made_at: datetime | None = None
) -> int:
    """Keep the prints of a work that are not kept yet.

    Args:
        pdq: as `colophon.fingerprints.pdq` says them; None where it is not installed.
        iscc: "ISCC:…", or empty.

    Returns:
        How many prints the work has now.

    Writes: Print. Lock: its constraint.
    """
    values: list[tuple[str, int, str]] = []
    if pdq:
        stored = enumerate([pdq["hash"], *pdq["crops"]])
        values += [(Print.Kind.PDQ, at, value) for at, value in stored]
    if iscc:
        values.append((Print.Kind.ISCC, 0, fingerprints.iscc_bits(iscc)))
    rows = [
        Print(
            asset=asset,
            kind=kind,
            variant=variant,
            value=bytes.fromhex(value),
            reduction=(pdq or {}).get("reduction", REDUCTION),
            made_at=made_at or timezone.now(),
        )
        for kind, variant, value in values
    ]
    Print.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def near(kind: str, asked: Sequence[str], radius: int = RADIUS) -> dict[int, int]:
    """Works within some bits of any of the asked prints: primary key to least bits.

    Exact: every print of this reduction that is near is found. Up to 31 bits by the
    index, further by a scan of all.

    Args:
        kind: a `Print.Kind`.
        asked: prints, hex.
    """
    queries = [bytes.fromhex(one) for one in asked]
    if not queries:
        return {}
    found = _held(kind).search(queries, radius)
    best: dict[int, int] = {}
    for row in _rows(kind, found):
        value = int.from_bytes(bytes(row.value), "big")
        bits = min((value ^ int.from_bytes(q, "big")).bit_count() for q in queries)
        if bits <= radius:
            best[row.asset_id] = min(bits, best.get(row.asset_id, bits))
    return best


def forget() -> None:
    """Let go of the indexes of this process; for tests that undo their rows."""
    with _LOCK:
        _HELD.clear()


def _rows(kind: str, keys: Iterable[int]) -> list[Print]:
    wanted = sorted(keys)
    rows: list[Print] = []
    for begin in range(0, len(wanted), CHUNK):
        some = wanted[begin : begin + CHUNK]
        rows += Print.objects.filter(kind=kind, pk__in=some)
    return rows


class _Held:
    """One kind's index, and what came since it was built."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._index = PrintIndex(np.empty((0, BYTES), np.uint8))
        self._keys: NDArray[np.int64] = np.empty(0, np.int64)
        self._values: NDArray[np.uint8] = np.empty((0, BYTES), np.uint8)
        self._tail: dict[int, bytes] = {}
        self._floor = 0
        self._lock = threading.Lock()

    def search(self, queries: Sequence[bytes], radius: int) -> set[int]:
        """Primary keys of prints that are near, as far as this process knows."""
        with self._lock:
            self._refresh()
            index, keys = self._index, self._keys
            tail = list(self._tail.items())
        found: set[int] = set()
        new = np.frombuffer(b"".join(value for _, value in tail), np.uint8)
        recent = PrintIndex(new.reshape(-1, BYTES))
        for query in queries:
            rows, _ = index.search(query, radius)
            found.update(keys[rows].tolist())
            rows, _ = recent.search(query, radius)
            found.update(tail[row][0] for row in rows.tolist())
        return found

    def _refresh(self) -> None:
        settled = timezone.now() - SETTLED
        rows = Print.objects.filter(
            kind=self._kind, reduction=REDUCTION, pk__gt=self._floor
        )
        floor = self._floor
        for pk, value, made_at in (
            rows.order_by("pk")
            .values_list("pk", "value", "made_at")
            .iterator(chunk_size=READ)
        ):
            self._tail[pk] = bytes(value)
            if made_at < settled:
                floor = pk
        self._floor = floor
        if len(self._tail) > max(TAIL, len(self._keys) // 4):
            self._build_in()

    def _build_in(self) -> None:
        """Only what is settled: the rest is read again by the next search."""
        done = [pk for pk in self._tail if pk <= self._floor]
        if not done:
            return
        data = b"".join(self._tail.pop(pk) for pk in done)
        new = np.frombuffer(data, np.uint8).reshape(-1, BYTES)
        self._keys = np.concatenate([self._keys, np.array(done, np.int64)])
        self._values = np.concatenate([self._values, new])
        self._index = PrintIndex(self._values)


_HELD: dict[str, _Held] = {}
_LOCK = threading.Lock()


def _held(kind: str) -> _Held:
    with _LOCK:
        return _HELD.setdefault(kind, _Held(kind))
