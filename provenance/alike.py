"""Earlier works that a picture looks like: exact over stored prints, never proof.

PDQ distance <= 31 is strong, 32 to 64 is possible; the answer is always "looks
like", never "is" (reference: PDQ paper; ADR 0013).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone

from outbox.claims import Retry
from provenance.models import Asset, Findings

STRONG_BITS = 31
POSSIBLE_BITS = 64
BLOCK = 2_000
METHODS = ("pdq-256", "pdq.turned", "pdq.crops")
PATIENCE = timedelta(minutes=1)
WAIT_SECONDS = 1.0


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
        earlier: 1 when an earlier work of somebody else is within the strong distance.
        nearest: the nearest of them, if any is near.
    """

    methods: tuple[str, ...]
    earlier: int
    nearest: Match | None


def look_for(findings: Findings) -> Look:
    """Search the works that were registered before this one.

    A party's own earlier works are not held against it, nor do they hide an earlier
    one of somebody else that is further away.

    Raises:
        Retry: an upload that came earlier is still being examined.
    """
    others = _earlier_of_others(findings.asset)
    _wait_for_earlier(others)
    pdq = findings.metadata.get("pdq")
    if not pdq:
        same = _same_iscc(findings, others)
        return Look(("iscc.image-256",), 1 if same else 0, same)
    found = nearest(pdq["turned"] or [pdq["hash"]], among=others)
    return Look(METHODS, int(found is not None and found.strong), found)


def _earlier_of_others(asset: Asset) -> QuerySet[Asset]:
    earlier = Asset.objects.filter(created_at__lt=asset.created_at, refused_reason="")
    return earlier.exclude(party=asset.party_id)


def _wait_for_earlier(others: QuerySet[Asset]) -> None:
    """Whoever came first is found, even where the later one was examined sooner.

    For a while only: a file that cannot be examined must not hold up the others.
    """
    begun = timezone.now() - PATIENCE
    if others.filter(findings__isnull=True, created_at__gt=begun).exists():
        raise Retry("an earlier upload is still being examined", WAIT_SECONDS)


def _same_iscc(findings: Findings, others: QuerySet[Asset]) -> Match | None:
    """Without PDQ only an equal ISCC image code is called a look-alike."""
    if not findings.iscc:
        return None
    rows = Findings.objects.filter(iscc=findings.iscc, asset__in=others)
    row = rows.select_related("asset").order_by("asset__created_at").first()
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
