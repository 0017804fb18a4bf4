"""Find the work that a file is: by its bytes, by its pixels, or by what it claims.

Only works that the asker may see are found. Exact matches only; what merely looks
alike is `alike.py`'s, and never a match.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from colophon.manifest import LOG_LABEL
from log.models import Entry
from provenance.models import Asset, LicensedCopy


@dataclass(frozen=True)
class Found:
    """A sealed work, and records that tie a copy of it to the work.

    Attributes:
        asset: sealed.
        extra: entries that its bundle does not hold by itself.
    """

    asset: Asset
    extra: tuple[Entry, ...] = ()


def by_digest(digest: bytes, among: QuerySet[Asset]) -> Found | None:
    """The work whose sealed file, upload or licensed copy has this SHA-256.

    Args:
        digest: 32 bytes.
        among: works that the asker may see.
    """
    sealed = among.filter(seal__isnull=False)
    same = Q(seal__file_digest=digest) | Q(uploaded_digest=digest)
    # The earliest record of the same upload counts, and a sealed file has one only.
    asset = sealed.filter(same).order_by("pk").first()
    if asset is not None:
        return Found(asset)
    copy = (
        LicensedCopy.objects.filter(digest=digest, asset__in=sealed)
        .select_related("asset", "entry")
        .first()
    )
    return Found(copy.asset, (copy.entry,)) if copy else None


def by_pixels(pixels: bytes, among: QuerySet[Asset]) -> Found | None:
    """The earliest work with exactly these decoded pixels."""
    rows = among.filter(seal__isnull=False, findings__pixels_digest=pixels)
    asset = rows.order_by("pk").first()
    return Found(asset) if asset else None


def by_claim(assertions: dict[str, Any], among: QuerySet[Asset]) -> Found | None:
    """The work that a file's own credential says it is; the file may lie.

    Args:
        assertions: of the active manifest, by label.
    """
    said = assertions.get(LOG_LABEL)
    code = said.get("asset") if isinstance(said, dict) else None
    if not isinstance(code, str):
        return None
    asset = among.filter(seal__isnull=False, code=code).first()
    return Found(asset) if asset else None
