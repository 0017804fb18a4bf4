"""Bytes to a draft asset: checked for size and kind, stored once, examined later."""

from __future__ import annotations

from typing import IO

from django.db import IntegrityError, transaction

from accounts.models import Party
from colophon.formats import ANY_OF, FORMATS
from colophon.pictures import MAX_BYTES
from colophon.sniff import HEAD_BYTES, sniff
from outbox.enqueue import enqueue
from provenance.errors import UploadError
from provenance.files import digest_of, store
from provenance.models import Asset, Rendition, Run


def accept_file(
    *,
    file: IO[bytes],
    name: str,
    party: Party,
    run: Run,
    title: str,
    description: str = "",
    alt_text: str = "",
    creator_name: str = "",
    training: dict[str, str] | None = None,
    supersedes: Asset | None = None,
) -> Asset:
    """Keep an uploaded picture as a draft asset and ask for its examination.

    The same bytes by the same party are the same asset: the existing row comes back.

    Writes: Asset, Rendition, Job. Lock: none, unique (party, uploaded_digest).

    Raises:
        UploadError: too large, empty, or of no format that is taken.
    """
    digest, size, mime = check_file(file)
    if existing := Asset.objects.filter(party=party, uploaded_digest=digest).first():
        return existing
    _, _, path = store(file)
    try:
        with transaction.atomic(durable=True):
            asset = Asset.objects.create(
                party=party,
                run=run,
                title=title,
                description=description,
                alt_text=alt_text,
                creator_name=creator_name,
                training=training or {},
                supersedes=supersedes,
                uploaded_digest=digest,
                uploaded_name=name[-160:],
            )
            Rendition.objects.create(
                asset=asset,
                kind=Rendition.Kind.UPLOADED,
                digest=digest,
                path=path,
                mime=mime,
                size_bytes=size,
            )
            enqueue("asset.examine", key=f"examine:{asset.code}", payload=_id(asset))
    except IntegrityError:
        return Asset.objects.get(party=party, uploaded_digest=digest)
    return asset


def check_file(file: IO[bytes]) -> tuple[bytes, int, str]:
    """SHA-256, size in bytes and media type of an upload, by its first bytes alone.

    Raises:
        UploadError: too large, empty, or of no format that is taken.
    """
    digest, size = digest_of(file)
    if size == 0:
        raise UploadError(f"is empty; choose a {ANY_OF} file", "file")
    if size > MAX_BYTES:
        raise UploadError(
            f"has {size:,} bytes, at most {MAX_BYTES:,} are taken", "file"
        )
    mime = sniff(file.read(HEAD_BYTES))
    if mime not in FORMATS:
        raise UploadError(
            f"looks like {mime}; a work must be a {ANY_OF} picture", "file"
        )
    file.seek(0)
    return digest, size, mime


def _id(asset: Asset) -> dict[str, int]:
    return {"asset": asset.pk}
