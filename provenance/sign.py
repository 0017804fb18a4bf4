"""Sign the file with a C2PA credential, then seal it: a statement over its digests."""

from __future__ import annotations

import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.platform import platform_signer
from colophon import records, statement
from colophon.credential import inspect_file
from colophon.examine import examine as examine_file
from colophon.filematch import CredentialFacts
from colophon.formats import FORMATS
from colophon.keys import Signer
from colophon.manifest import ClaimPlan, sign_file
from log.append import append
from outbox.claims import Claim
from outbox.enqueue import enqueue
from provenance.alike import Look, examination_of
from provenance.authorities import authorities, claim_roots, tsa_roots
from provenance.files import local_copy, store_path
from provenance.models import Asset, Rendition, Seal


def sign_asset(
    *, asset: Asset, plan: ClaimPlan, look: Look, claim: Claim | None = None
) -> Seal:
    """Sign the uploaded file, read the result back, and seal what was read.

    The sealed file is the asset; upload, preview and delivery are renditions of it.

    Args:
        plan: what the credential says (provenance/claims.py builds it).
        look: the search for earlier look-alikes (provenance/alike.py).

    Writes: Rendition, Seal, Entry, Job. Lock: unique Seal.asset.

    Raises:
        CouldNotCheck: the time-stamp authority did not answer; try again.
    """
    if existing := Seal.objects.filter(asset=asset).first():
        return existing
    upload = asset.renditions.get(kind=Rendition.Kind.UPLOADED)
    suffix = FORMATS[upload.mime].suffix
    mine = authorities().claim
    with (
        tempfile.TemporaryDirectory(prefix="colophon-") as folder,
        local_copy(upload.path, suffix) as source,
    ):
        signed = Path(folder) / f"signed{suffix}"
        sign_file(
            source,
            signed,
            upload.mime,
            plan,
            chain_pem=mine.chain.read_bytes(),
            key=mine.key.read_bytes(),
            tsa_url=settings.TSA_URL or None,
            trust_anchors=claim_roots(),
            tsa_anchors=tsa_roots(),
        )
        found = examine_file(signed, folder, claim_roots(), tsa_roots())
        read = inspect_file(signed, claim_roots(), tsa_roots())
        digest, size, path = store_path(signed)
    signer = platform_signer()
    envelope = _seal(asset, plan, found, digest, signer)
    examination = examination_of(asset, digest, look, signer)
    with transaction.atomic(durable=True):
        if claim:
            claim.hold()
        Rendition.objects.create(
            asset=asset,
            kind=Rendition.Kind.SEALED,
            digest=digest,
            path=path,
            mime=upload.mime,
            width=found["width"],
            height=found["height"],
            size_bytes=size,
        )
        seal = Seal.objects.create(
            asset=asset,
            digest=envelope.digest,
            file_digest=digest,
            entry=append("seal", envelope.to_json()),
            examination=append("examination", examination.to_json()),
            inspection=found["inspection"],
            credential=CredentialFacts.of(read).to_json(),
        )
        enqueue(
            "asset.judge",
            key=f"judge:{asset.code}:sealed",
            payload={"asset": asset.pk},
        )
    return seal


def _now() -> datetime:
    """Whole seconds, as a verdict counts: it must not be made before its evidence."""
    return timezone.now().replace(microsecond=0)


def _seal(
    asset: Asset,
    plan: ClaimPlan,
    found: dict[str, Any],
    digest: bytes,
    signer: Signer,
) -> statement.Envelope:
    """The seal statement: it names the steps that the credential names, no later ones.

    Steps may be appended while the file is being signed.
    """
    detail = found["credential"]
    steps = (plan.log or {}).get("steps", [])
    return statement.sign(
        records.seal(
            asset=asset.code,
            file=digest,
            uploaded=bytes(asset.uploaded_digest),
            hard_binding=(
                detail["hard_binding_alg"],
                bytes.fromhex(detail["hard_binding"]),
            ),
            claim_signature=bytes.fromhex(detail["signature_sha256"]),
            pixels=bytes.fromhex(found["pixels"]["sha256"]),
            steps=[bytes.fromhex(one) for one in steps],
            run=asset.run.code if asset.run else None,
            manifest=detail["active_manifest"],
            registrant=asset.party.code,
            identities=asset.party.identities(),
            title=asset.title,
            creator=asset.creator_name or None,
            sealed_at=_now(),
        ),
        signer,
    )
