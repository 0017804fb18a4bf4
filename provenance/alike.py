"""Earlier works that a picture looks like: exact over stored prints, never proof.

PDQ distance <= 31 is strong, 32 to 64 is possible; the answer is always "looks
like", never "is" (reference: PDQ paper; ADR 0013).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import QuerySet

from provenance.models import Asset, Findings

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


@dataclass(frozen=True)
class Look:
    """A finished search for earlier look-alikes of one asset.

    Attributes:
        methods: the prints that were compared, such as ``pdq``.
        earlier: earlier works of others within the strong distance.
        nearest: the nearest work of all, if any is near.
    """

    methods: tuple[str, ...]
    earlier: int
    nearest: Match | None


def look_for(findings: Findings) -> Look:
    """Search the works that were registered before this one.

    A party's own earlier works are not held against it.
    """
    pdq = findings.metadata.get("pdq")
    if not pdq:
        same = _same_iscc(findings)
        return Look(("iscc.image-256",), 1 if same else 0, same)
    found = nearest(pdq["turned"] or [pdq["hash"]], exclude=findings.asset_id)
    earlier = (
        found is not None
        and found.strong
        and found.findings.asset.created_at < findings.asset.created_at
        and found.findings.asset.party_id != findings.asset.party_id
    )
    return Look(("pdq-256", "pdq.turned", "pdq.crops"), int(earlier), found)


def _same_iscc(findings: Findings) -> Match | None:
    """Without PDQ only an equal ISCC image code is called a look-alike."""
    row = (
        Findings.objects.filter(
            iscc=findings.iscc, asset__created_at__lt=findings.asset.created_at
        )
        .exclude(asset__party=findings.asset.party_id)
        .select_related("asset")
        .first()
    )
    return Match(row, 0) if row else None


def nearest(
    prints: Iterable[str],
    *,
    exclude: int | None = None,
    among: QuerySet[Asset] | None = None,
) -> Match | None:
    """The stored work nearest to any of some PDQ prints (hex), within 64 bits.

    Args:
        prints: the picture's own print and those of its turns and mirrors.
        exclude: primary key of the asset that asks.
        among: works that the asker may hear of; None: all of them.
    """
    wanted = [int(one, 16) for one in prints]
    best: Match | None = None
    if not wanted:
        return None
    rows = Findings.objects.filter(pdq__isnull=False).select_related("asset")
    if exclude is not None:
        rows = rows.exclude(asset=exclude)
    if among is not None:
        rows = rows.filter(asset__in=among)
    for row in rows.order_by("pk").iterator(chunk_size=BLOCK):
        bits = min(
            (one ^ other).bit_count() for one in wanted for other in _stored(row)
        )
        if bits <= POSSIBLE_BITS and (best is None or bits < best.bits):
            best = Match(row, bits)
    return best


def _stored(row: Findings) -> list[int]:
    """The work's own print and those of its stored crops."""
    crops = (row.metadata.get("pdq") or {}).get("crops", [])
    return [int.from_bytes(bytes(row.pdq or b""), "big"), *(int(c, 16) for c in crops)]
