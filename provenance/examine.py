"""What an uploaded file says of itself: examined once, in a killable child."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import Q

from colophon.errors import InputError
from colophon.examine import examine as examine_file
from colophon.examine import prints as prints_of_file
from colophon.fingerprints import PRINTS
from outbox.claims import Claim
from outbox.enqueue import enqueue
from provenance.authorities import claim_roots, tsa_roots
from provenance.files import local_copy, store_path
from provenance.models import Asset, Findings, Rendition, Run
from provenance.prints import make_prints

COPIES = {
    Rendition.Kind.PREVIEW: "preview",
    Rendition.Kind.THUMBNAIL: "thumbnail",
    Rendition.Kind.PROXY: "proxy",
}


def examine_asset(*, asset: Asset, claim: Claim | None = None) -> Findings | None:
    """Examine an upload and keep digests, credential state, prints and copies.

    A file that the examination refuses leaves a draft with the reason; nothing of
    it is ever shown.

    Writes: Findings, Print, Rendition, Job, or Asset.refused_reason.
    Lock: unique Findings.asset, so that running twice makes one row; the Run row.
    """
    if Findings.objects.filter(asset=asset).exists():
        return asset.findings
    upload = asset.renditions.get(kind=Rendition.Kind.UPLOADED)
    with (
        tempfile.TemporaryDirectory(prefix="colophon-") as folder,
        local_copy(upload.path, Path(asset.uploaded_name).suffix) as path,
    ):
        try:
            found = examine_file(path, folder, claim_roots(), tsa_roots())
        except InputError as error:
            _refuse(asset, error.message, claim)
            return None
        copies = {kind: store_path(found[name]) for kind, name in COPIES.items()}
        sizes = {kind: _size(found[name]) for kind, name in COPIES.items()}
    with transaction.atomic(durable=True):
        if claim:
            claim.hold()
        findings = _keep(asset, found)
        for kind, (digest, size, path_name) in copies.items():
            width, height = sizes[kind]
            Rendition.objects.get_or_create(
                asset=asset,
                kind=kind,
                defaults={
                    "digest": digest,
                    "path": path_name,
                    "mime": "image/jpeg",
                    "width": width,
                    "height": height,
                    "size_bytes": size,
                },
            )
        upload.width, upload.height = found["width"], found["height"]
        upload.save(update_fields=["width", "height"])
        # The map comes first, so that the credential can name its regions.
        step = "map" if _has_copies(asset) else "sign"
        enqueue(
            f"asset.{step}", key=f"{step}:{asset.code}", payload={"asset": asset.pk}
        )
    return findings


def remake_prints(*, asset: Asset, claim: Claim | None = None) -> int:
    """Make a work's prints by today's version, and return how many it has.

    Writes: Findings, Print. Lock: the constraint of Print.
    """
    findings = asset.findings
    if findings.metadata.get("prints") != PRINTS:
        upload = asset.renditions.get(kind=Rendition.Kind.UPLOADED)
        with local_copy(upload.path, Path(asset.uploaded_name).suffix) as path:
            found = prints_of_file(path)
        pdq = found["pdq"]
        findings.pdq = bytes.fromhex(pdq["hash"]) if pdq else None
        findings.iscc = found["iscc"]
        findings.metadata |= {
            "pdq": pdq,
            "iscc_turned": found["iscc_turned"],
            "prints": PRINTS,
        }
    with transaction.atomic(durable=True):
        if claim:
            claim.hold()
        findings.save(update_fields=["pdq", "iscc", "metadata"])
        return make_prints(asset, findings.metadata["pdq"], findings.iscc)


def ask_for_prints() -> int:
    """Ask for the prints of every work that has none of today's version.

    Writes: Job. Lock: the key of a job, so that asking twice is asking once.
    """
    # A key that is absent is neither equal nor unequal to anything.
    older = Q(findings__metadata__prints__isnull=True) | ~Q(
        findings__metadata__prints=PRINTS
    )
    rows = Asset.objects.filter(older, findings__isnull=False)
    count = 0
    for asset in rows.order_by("pk").iterator():
        with transaction.atomic():
            enqueue(
                "prints.make",
                key=f"prints:{asset.code}:{PRINTS}",
                payload={"asset": asset.pk},
            )
        count += 1
    return count


def _has_copies(asset: Asset) -> bool:
    """Whether the run's pictures are at hand; one that comes later asks for a map."""
    if asset.run is None:
        return False
    run = Run.objects.select_for_update().get(pk=asset.run.pk)
    return run.proxies.exclude(path="").exists()


def _refuse(asset: Asset, reason: str, claim: Claim | None) -> None:
    with transaction.atomic(durable=True):
        if claim:
            claim.hold()
        Asset.objects.filter(pk=asset.pk).update(refused_reason=reason)


def _keep(asset: Asset, found: dict[str, Any]) -> Findings:
    pdq = found["pdq"]
    made, _ = Findings.objects.get_or_create(
        asset=asset,
        defaults={
            "pixels_digest": bytes.fromhex(found["pixels"]["sha256"]),
            "pdq": bytes.fromhex(pdq["hash"]) if pdq else None,
            "iscc": found["iscc"],
            "inspection": found["inspection"],
            "metadata": {
                "findings": found["metadata"],
                "credential": found["credential"],
                "pdq": pdq,
                "iscc_turned": found["iscc_turned"],
                "prints": PRINTS,
                "tail_bytes": found["tail_bytes"],
                "version": found["version"],
            },
        },
    )
    make_prints(asset, pdq, found["iscc"])
    return made


def _size(path: str) -> tuple[int, int]:
    """Width and height of a copy that we made ourselves."""
    from PIL import Image

    with Image.open(path) as image:
        return image.size
