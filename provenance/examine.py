"""What an uploaded file says of itself: examined once, in a killable child."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from django.db import transaction

from colophon.errors import InputError
from colophon.examine import examine as examine_file
from outbox.claims import Claim
from outbox.enqueue import enqueue
from provenance.authorities import claim_roots, tsa_roots
from provenance.files import local_copy, store_path
from provenance.models import Asset, Findings, Rendition, Run

COPIES = {
    Rendition.Kind.PREVIEW: "preview",
    Rendition.Kind.THUMBNAIL: "thumbnail",
    Rendition.Kind.PROXY: "proxy",
}


def examine_asset(*, asset: Asset, claim: Claim | None = None) -> Findings | None:
    """Examine an upload and keep digests, credential state, prints and copies.

    A file that the examination refuses leaves a draft with the reason; nothing of
    it is ever shown.

    Writes: Findings, Rendition, Job, or Asset.refused_reason.
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
                "tail_bytes": found["tail_bytes"],
                "version": found["version"],
            },
        },
    )
    return made


def _size(path: str) -> tuple[int, int]:
    """Width and height of a copy that we made ourselves."""
    from PIL import Image

    with Image.open(path) as image:
        return image.size
