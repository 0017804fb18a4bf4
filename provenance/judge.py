"""Compute a work's verdict from its evidence, sign it, and log it.

The same pure functions run here, on the Verify page and in `colophon verify`; the
site has no private truth.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.platform import platform_signer, verdict_signer
from colophon import records, statement
from colophon.evidence import Bundle, Record
from colophon.filematch import CredentialFacts
from colophon.judgment import judge, verdict_statement
from colophon.policy import Standing
from log.append import append
from log.models import Entry
from outbox.claims import Claim
from outbox.enqueue import enqueue
from provenance.models import Asset, Dispute, Verdict
from provenance.trusted import site_trust

VERDICT_KINDS = ("standing", "verdict")


def judge_asset(*, asset: Asset, bundle: Bundle, claim: Claim | None = None) -> Verdict:
    """Judge a sealed work now, and keep the signed verdict.

    Args:
        bundle: its evidence as assembled just now.

    Writes: Verdict, Entry (standing, verdict), Job. Lock: none; the newest counts.
    """
    evidence = _without_verdict(bundle)
    with transaction.atomic(durable=True):
        if claim:
            claim.hold()
        as_of = timezone.now().replace(microsecond=0)
        standing = _state(asset, as_of)
        evidence = _with(evidence, standing)
        judgment, _ = judge(
            evidence,
            CredentialFacts.from_json(asset.seal.credential),
            site_trust(),
            as_of=as_of,
        )
        said = verdict_statement(
            judgment,
            evidence,
            verifier=settings.SITE_URL,
            resource=f"{settings.SITE_URL}/a/{asset.code}",
        )
        envelope = statement.sign(said, verdict_signer())
        verdict = Verdict.objects.create(
            asset=asset,
            envelope=envelope.to_json(),
            evidence_level=judgment.evidence,
            origin_class=judgment.origin,
            rights_level=judgment.rights,
            standing=judgment.standing,
            word=judgment.word,
            criteria=[vars(one) for one in judgment.criteria],
            policy_digest=judgment.policy_digest,
            entry=append("verdict", envelope.to_json()),
            standing_entry=standing,
            as_of=judgment.as_of,
            expires_at=judgment.expires_at,
        )
        enqueue(
            "listing.refresh",
            key=f"refresh:{asset.code}:{verdict.pk}",
            payload={"asset": asset.pk},
        )
    return verdict


def _without_verdict(bundle: Bundle) -> Bundle:
    """The evidence alone: a verdict never rests on a verdict."""
    kept = tuple(one for one in bundle.records if one.kind not in VERDICT_KINDS)
    return replace(bundle, records=kept)


def _state(asset: Asset, as_of: datetime) -> Entry:
    """The platform's statement of the standing, as its rows say it."""
    before = asset.verdicts.values_list("standing", flat=True).first()
    after, reason = _standing(asset)
    envelope = statement.sign(
        records.standing(
            asset=asset.code,
            file=bytes(asset.seal.file_digest),
            before=before or Standing.PENDING,
            after=after,
            reason=reason,
            at=as_of,
        ),
        platform_signer(),
    )
    return append("standing", envelope.to_json())


def _standing(asset: Asset) -> tuple[str, str]:
    """Standing and reason by disputes and later versions; evidence adds its own."""
    disputes = asset.disputes.exclude(state=Dispute.State.REJECTED)
    ends = [one.suspends for one in disputes]
    if any(ends):
        return Standing.SUSPENDED, "dispute-upheld"
    if ends:
        return Standing.CONTESTED, "dispute-open"
    if Asset.objects.filter(supersedes=asset, published_at__isnull=False).exists():
        return Standing.SUPERSEDED, "newer-version"
    return Standing.ACTIVE, "no-objection"


def _with(evidence: Bundle, standing: Entry) -> Bundle:
    assert standing.envelope is not None
    assert standing.salt is not None
    envelope = statement.Envelope.from_json(standing.envelope)
    record = Record("standing", envelope, bytes(standing.salt))
    return replace(evidence, records=(*evidence.records, record))
