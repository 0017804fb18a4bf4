"""Make the buyer's own copy: signed, with the license id inside, made once."""

from __future__ import annotations

import hashlib
import secrets
import tempfile
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from accounts.platform import platform_signer
from colophon import records, statement
from colophon.formats import FORMATS
from colophon.manifest import Action, ClaimPlan, sign_file
from log.append import append
from marketplace.errors import CopyNotReadyError, GrantError, RevokedError
from marketplace.models import Delivery, Grant, License
from outbox.claims import Claim
from provenance.authorities import authorities, claim_roots, tsa_roots
from provenance.files import local_copy, store_path
from provenance.models import LicensedCopy, Rendition

GRANT_FOR = timedelta(seconds=60)


def make_delivery(*, license_row: License, claim: Claim | None = None) -> Delivery:
    """Sign a copy of the sealed file for one license and log its digest.

    The sealed file's credential is kept as the parent; ours adds that it was
    published to this licensee.

    Writes: Delivery, LicensedCopy, Entry. Lock: unique Delivery.license.
    """
    if existing := Delivery.objects.filter(license=license_row).first():
        return existing
    sealed = license_row.asset.renditions.get(kind=Rendition.Kind.SEALED)
    suffix = FORMATS[sealed.mime].suffix
    mine = authorities().claim
    with (
        tempfile.TemporaryDirectory(prefix="colophon-") as folder,
        local_copy(sealed.path, suffix) as source,
    ):
        signed = Path(folder) / f"delivery{suffix}"
        sign_file(
            source,
            signed,
            sealed.mime,
            _plan(license_row),
            chain_pem=mine.chain.read_bytes(),
            key=mine.key.read_bytes(),
            tsa_url=settings.TSA_URL or None,
            trust_anchors=claim_roots(),
            tsa_anchors=tsa_roots(),
        )
        digest, size, path = store_path(signed)
    envelope = statement.sign(
        records.delivery(
            license_id=license_row.code,
            asset=license_row.asset.code,
            delivered=digest,
            file=bytes(sealed.digest),
            made_at=timezone.now(),
        ),
        platform_signer(),
    )
    try:
        with transaction.atomic(durable=True):
            if claim:
                claim.hold()
            entry = append("delivery", envelope.to_json())
            LicensedCopy.objects.create(
                asset=license_row.asset, digest=digest, entry=entry
            )
            return Delivery.objects.create(
                license=license_row,
                digest=digest,
                path=path,
                mime=sealed.mime,
                size_bytes=size,
                entry=entry,
            )
    except IntegrityError:
        # Another worker was quicker: its copy is the buyer's, ours is forgotten.
        return Delivery.objects.get(license=license_row)


def _plan(license_row: License) -> ClaimPlan:
    return ClaimPlan(
        title=license_row.asset.title,
        actions=(
            Action("c2pa.opened"),
            Action("c2pa.published", when=_now()),
        ),
        log={
            "origin": settings.LOG_ORIGIN,
            "asset": license_row.asset.code,
            "steps": [],
        },
        license={
            "license": license_row.code,
            "terms": f"{settings.SITE_URL}/licenses/{license_row.code}",
        },
    )


def _now() -> str:
    return timezone.now().isoformat(timespec="seconds").replace("+00:00", "Z")


def grant_download(*, license_row: License, user: User | None) -> str:
    """A one-use token that opens the delivery for a minute.

    Writes: Grant.

    Raises:
        CopyNotReadyError: the copy is still being made.
        RevokedError: the license was revoked.
    """
    if license_row.state == License.State.REVOKED:
        raise RevokedError
    delivery = Delivery.objects.filter(license=license_row).first()
    if delivery is None:
        raise CopyNotReadyError(
            "your copy is still being signed; try again in a moment"
        )
    token = secrets.token_urlsafe(32)
    Grant.objects.create(
        digest=hashlib.sha256(token.encode()).hexdigest(),
        delivery=delivery,
        user=user,
        expires_at=timezone.now() + GRANT_FOR,
    )
    return token


def redeem(*, token: str) -> Delivery:
    """Use a grant, once and in time.

    The first download ends the right to cancel: the price is earned from then on.

    Writes: Grant.used_at, Delivery.first_downloaded_at, License.fee_due_at. Lock: the
    License row.

    Raises:
        GrantError: unknown, used or too old.
        RevokedError: the license was revoked meanwhile.
    """
    now = timezone.now()
    with transaction.atomic(durable=True):
        taken = Grant.objects.filter(
            digest=hashlib.sha256(token.encode()).hexdigest(),
            used_at__isnull=True,
            expires_at__gt=now,
        )
        grant = taken.select_related("delivery").first()
        if grant is None or not taken.update(used_at=now):
            raise GrantError("this link was used or is too old; ask for a new one")
        sold = License.objects.select_for_update().get(pk=grant.delivery.license_id)
        if sold.state == License.State.REVOKED:
            raise RevokedError
        Delivery.objects.filter(
            pk=grant.delivery_id, first_downloaded_at__isnull=True
        ).update(first_downloaded_at=now)
        if sold.fee_due_at and sold.fee_due_at > now:
            sold.fee_due_at = now
            sold.save(update_fields=["fee_due_at"])
        return grant.delivery
