"""Check a file as the command line does, with the evidence that this site holds.

The page and the API call `colophon.verify.verify` and add nothing to its answer: the
site only finds the evidence. Nothing of a file is kept.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from colophon.credential import Inspection, inspect_file
from colophon.errors import CouldNotCheck, InputError
from colophon.examine import examine
from colophon.filematch import CredentialFacts, FileDigests
from colophon.pictures import MAX_BYTES
from colophon.report import Report
from colophon.verify import verify
from provenance.alike import Match, nearest
from provenance.assemble import bundle_for
from provenance.authorities import claim_roots, tsa_roots
from provenance.errors import UploadError
from provenance.lookup import Found, by_claim, by_digest, by_pixels
from provenance.models import Asset
from provenance.trusted import site_trust

# Not read here: the digest alone is known, the file stayed where it is.
NOT_READ = CredentialFacts("error")


@dataclass(frozen=True)
class Checked:
    """A report, and the work that it is about when the asker may see it.

    Attributes:
        looks_like: the work that it only looks like.
        inspection: what the file says of itself; None when only a digest came.
    """

    report: Report
    asset: Asset | None = None
    looks_like: Asset | None = None
    inspection: Inspection | None = None


class VerifyThrottle(SimpleRateThrottle):
    """Checks by network address, the page's and the API's together."""

    scope = "verify"

    def get_cache_key(self, request: Request | HttpRequest, view: object) -> str:  # noqa: ARG002
        return f"verify-{self.get_ident(request)}"  # type: ignore[arg-type]


def check_digest(digest: bytes, among: QuerySet[Asset]) -> Checked | None:
    """The report on a file of which only the SHA-256 is known; None: no such record.

    Args:
        among: works that the asker may see.
    """
    found = by_digest(digest, among)
    if found is None:
        return None
    return _checked(FileDigests(digest), NOT_READ, found)


def check_file(file: UploadedFile[Any], among: QuerySet[Asset]) -> Checked:
    """The report on a file: bytes, credential, pixels, and at last look-alikes.

    Args:
        among: works that the asker may see.

    Raises:
        UploadError: empty or too large.
    """
    size = file.size or 0
    if size == 0:
        raise UploadError("is empty; choose another file", "file")
    if size > MAX_BYTES:
        raise UploadError(f"has {size:,} bytes, at most {MAX_BYTES:,} are read", "file")
    with _on_disk(file) as path:
        seen = inspect_file(path, claim_roots(), tsa_roots())
        picture = _picture(path)
    credential = CredentialFacts.of(seen)
    pixels = bytes.fromhex(picture["pixels"]["sha256"]) if picture else None
    digests = FileDigests(bytes.fromhex(seen.file.sha256), pixels)
    found = (
        by_digest(digests.sha256, among)
        or (by_pixels(pixels, among) if pixels else None)
        or by_claim(seen.detail.assertions, among)
    )
    if found is not None:
        return _checked(digests, credential, found, seen)
    return _unknown(digests, credential, picture, seen, among)


def _checked(
    digests: FileDigests,
    credential: CredentialFacts,
    found: Found,
    seen: Inspection | None = None,
) -> Checked:
    bundle = bundle_for(found.asset, extra=found.extra)
    report = verify(digests, credential, bundle, site_trust(), as_of=timezone.now())
    return Checked(report, found.asset, inspection=seen)


def _unknown(
    digests: FileDigests,
    credential: CredentialFacts,
    picture: dict[str, Any] | None,
    seen: Inspection,
    among: QuerySet[Asset],
) -> Checked:
    """No record of this file: its own credential, and what it looks like."""
    pdq = picture["pdq"] if picture else None
    iscc = picture["iscc_turned"] if picture else []
    match = looks_like(pdq["asked"] if pdq else [], among, iscc)
    similar = [similar_json(match)] if match else []
    report = verify(
        digests, credential, None, site_trust(), as_of=timezone.now(), similar=similar
    )
    like = match.findings.asset if match else None
    return Checked(report, looks_like=like, inspection=seen)


def looks_like(
    prints: list[str], among: QuerySet[Asset], iscc: Sequence[str] = ()
) -> Match | None:
    """The sealed work nearest to some prints, among those that the asker may see."""
    return nearest(prints, iscc, among=among.filter(seal__isnull=False))


def similar_json(match: Match) -> dict[str, Any]:
    """One item of a report's `similar` (docs/cli.md)."""
    like = match.findings.asset
    return {
        "asset": like.code,
        "title": like.title,
        "bits": match.bits,
        "strong": match.strong,
    }


def _picture(path: Path) -> dict[str, Any] | None:
    """Digests and prints of a picture; None for what is none or cannot be read."""
    with tempfile.TemporaryDirectory(prefix="colophon-") as folder:
        try:
            return examine(path, folder, claim_roots(), tsa_roots())
        except (InputError, CouldNotCheck):
            return None


@contextmanager
def _on_disk(file: UploadedFile[Any]) -> Iterator[Path]:
    """A file of our own with the uploaded bytes, removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="colophon-") as folder:
        suffix = Path(file.name or "").suffix[:12]
        path = Path(folder) / f"file{suffix}"
        with path.open("wb") as copy:
            for block in file.chunks():
                copy.write(block)
        yield path
