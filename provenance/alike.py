"""Earlier works that a picture looks like: exact over stored prints, never proof.

PDQ distance <= 31 is strong, 32 to 64 is possible; the answer is always "looks
like", never "is" (reference: PDQ paper; ADR 0013).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from provenance.models import Findings

STRONG_BITS = 31
POSSIBLE_BITS = 64
BLOCK = 2_000


@dataclass(frozen=True)
class Match:
    """One stored work that a print is near to."""

    findings: Findings
    bits: int

    @property
    def strong(self) -> bool:
        return self.bits <= STRONG_BITS


def nearest(prints: Iterable[str], *, exclude: int | None = None) -> Match | None:
    """The stored work nearest to any of some PDQ prints (hex), within 64 bits.

    Args:
        prints: the picture's own print and those of its turns and mirrors.
        exclude: primary key of the asset that asks.
    """
    wanted = [int(one, 16) for one in prints]
    best: Match | None = None
    if not wanted:
        return None
    rows = Findings.objects.filter(pdq__isnull=False).select_related("asset")
    if exclude is not None:
        rows = rows.exclude(asset=exclude)
    for row in rows.order_by("pk").iterator(chunk_size=BLOCK):
        bits = min(
            (one ^ other).bit_count()
            for one in wanted
            for other in _stored(row)
        )
        if bits <= POSSIBLE_BITS and (best is None or bits < best.bits):
            best = Match(row, bits)
    return best


def _stored(row: Findings) -> list[int]:
    """The work's own print and those of its stored crops."""
    crops = (row.metadata.get("pdq") or {}).get("crops", [])
    return [int.from_bytes(bytes(row.pdq or b""), "big"), *(int(c, 16) for c in crops)]
