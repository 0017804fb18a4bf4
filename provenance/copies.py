"""Keep the smaller copies of pictures that recorded steps name."""

from __future__ import annotations

import io

from django.db import transaction
from django.utils import timezone

from colophon.digest import sha256
from colophon.proxies import MAX_BYTES
from colophon.sniff import HEAD_BYTES, sniff
from outbox.enqueue import enqueue
from provenance.errors import CopyError
from provenance.files import store
from provenance.models import Asset, Proxy, Run

MAX_KEPT = 1_000  # of one run


def keep_proxy(*, run: Run, digest: bytes, data: bytes) -> Proxy:
    """Keep a copy; the same one again changes nothing. A late one renews the map.

    The bytes are whole and of the kind that they seem; a decoder meets them in the
    killable child only (provenance/blame.py).

    Writes: Proxy, Job. Lock: the Run row.

    Raises:
        CopyError: too large, no JPEG, not the bytes of the digest, named by no step,
            or one too many.
    """
    if len(data) > MAX_BYTES:
        raise CopyError(f"has more than {MAX_BYTES:,} bytes; send at most 512 pixels")
    if sniff(data[:HEAD_BYTES]) != "image/jpeg":
        raise CopyError("is no JPEG")
    if sha256(data) != digest:
        raise CopyError("has another SHA-256 than the address says")
    row = Proxy.objects.filter(run=run, digest=digest).first()
    if row is None:
        raise CopyError("is named by no step of the run; send the step first")
    if row.path:
        return row
    _, _, path = store(io.BytesIO(data))
    with transaction.atomic(durable=True):
        Run.objects.select_for_update().get(pk=run.pk)
        if run.proxies.exclude(path="").count() >= MAX_KEPT:
            raise CopyError(f"is one too many; a run keeps {MAX_KEPT:,}")
        row.path, row.received_at = path, timezone.now()
        row.save(update_fields=["path", "received_at"])
        for asset in Asset.objects.filter(run=run, findings__isnull=False):
            key = f"map:{asset.code}:{digest.hex()}"
            enqueue("asset.map", key=key, payload={"asset": asset.pk})
    return row
