"""Rows for tests of pages: cheap to make, and true to what the verbs write.

Runs, steps, agreements, listings and orders go through the verbs, so their records
are really signed. Files, findings, seals and verdicts are written directly, for a
picture need not be examined and signed again for each test of a page; real_works.py
makes true ones.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import Holder, Party
from accounts.platform import platform_signer, verdict_signer
from chain.models import Intent, Network
from colophon import policy, records, statement
from colophon.digest import sha256
from colophon.filematch import CredentialFacts
from colophon.ids import new_id
from colophon.origin import OriginClass
from log.append import append
from log.checkpoint import publish
from log.models import Checkpoint
from log.sequence import sequence
from marketplace.issue import issue_license
from marketplace.models import Delivery, License, Offer, Order
from marketplace.order import make_order
from marketplace.publish import publish_listing
from marketplace.refresh import refresh_listing
from marketplace.terms import OfferPlan
from provenance.agree import propose_agreement
from provenance.declare import declared_step
from provenance.files import store
from provenance.models import (
    Agreement,
    Anchor,
    Asset,
    Findings,
    Rendition,
    Run,
    Seal,
    Source,
    Verdict,
)
from provenance.record import append_step
from provenance.register import register_source
from provenance.shares import default_parts
from provenance.ticket import open_run
from tests.colophon.bundles import chain_proof
from tests.drawings import jpeg

WALLET = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
EDITORIAL = OfferPlan("editorial", 12_000_000, 0, 0, 1000, 365)
COMMERCIAL = OfferPlan("commercial", 40_000_000, 0, 0, 1000, 365)
METERED = OfferPlan("pay-per-use", 2_000_000, 10_000_000, 600_000, 1000, 365)
OFFERS = (EDITORIAL, COMMERCIAL, METERED)


def declared_run(party: Party, data: bytes, *, origin: str = "human") -> Run:
    """A run with the one step that an upload form records."""
    run = open_run(party=party, name="Upload")
    step = declared_step(run=run, name="work.jpg", digest=sha256(data), origin=origin)
    append_step(run=run, envelope=step, party=party)
    return run


def draft_asset(
    party: Party,
    *,
    title: str = "Night current",
    seed: int = 1,
    origin: str = "human",
    **fields: Any,
) -> Asset:
    """An upload that was received and nothing more."""
    data = jpeg(seed) + title.encode() + party.code.encode()
    run = fields.pop("run", None) or declared_run(party, data, origin=origin)
    digest, size, path = store(io.BytesIO(data))
    values = {
        "alt_text": "Long soft lines",
        "creator_name": "Ada Lindqvist",
        "training": {"ai_generative_training": "notAllowed"},
        **fields,
    }
    asset = Asset.objects.create(
        party=party,
        title=title,
        run=run,
        uploaded_digest=digest,
        uploaded_name="work.jpg",
        **values,
    )
    _rendition(asset, Rendition.Kind.UPLOADED, digest, size, path, (480, 320))
    return asset


def examined_asset(party: Party, *, seed: int = 1, **fields: Any) -> Asset:
    """A draft whose findings, preview and thumbnail exist."""
    asset = draft_asset(party, seed=seed, **fields)
    for kind, side in ((Rendition.Kind.PREVIEW, 400), (Rendition.Kind.THUMBNAIL, 200)):
        data = jpeg(seed, side, side * 2 // 3) + asset.code.encode()
        digest, size, path = store(io.BytesIO(data))
        _rendition(asset, kind, digest, size, path, (side, side * 2 // 3))
    Findings.objects.create(
        asset=asset,
        pixels_digest=sha256(b"pixels" + bytes(asset.uploaded_digest)),
        pdq=sha256(b"pdq" + bytes(asset.uploaded_digest)),
        inspection={"c2pa": {"present": False, "state": "none"}},
        metadata={"findings": {}, "credential": {}, "pdq": None},
    )
    return asset


def sealed_asset(party: Party, **fields: Any) -> Asset:
    """A work with a sealed file and its seal, not yet published."""
    asset = examined_asset(party, **fields)
    data = b"signed " + bytes(asset.uploaded_digest)
    digest, size, path = store(io.BytesIO(data))
    _rendition(asset, Rendition.Kind.SEALED, digest, size, path, (480, 320))
    signature = sha256(b"claim" + digest)
    steps = [bytes(one.digest) for one in asset.run.steps.all()] if asset.run else []
    envelope = statement.sign(
        records.seal(
            asset=asset.code,
            file=digest,
            uploaded=bytes(asset.uploaded_digest),
            hard_binding=("sha256", sha256(b"hard" + digest)),
            claim_signature=signature,
            pixels=bytes(asset.findings.pixels_digest),
            steps=steps,
            run=asset.run.code if asset.run else None,
            manifest="urn:c2pa:00000000-0000-0000-0000-000000000000",
            registrant=party.code,
            identities=party.identities(),
            title=asset.title,
            creator=asset.creator_name or None,
            sealed_at=timezone.now(),
        ),
        platform_signer(),
    )
    examination = statement.sign(
        records.examination(
            asset=asset.code,
            file=digest,
            examined_at=timezone.now(),
            methods=("pdq-256",),
            earlier_look_alikes=0,
        ),
        platform_signer(),
    )
    credential = CredentialFacts(
        "trusted",
        clean=True,
        attributed=True,
        complete=True,
        signer="Colophon",
        signature=signature.hex(),
        binding=("sha256", sha256(b"hard" + digest).hex()),
        steps=tuple(one.hex() for one in steps),
    )
    with transaction.atomic():
        Seal.objects.create(
            asset=asset,
            digest=envelope.digest,
            file_digest=digest,
            entry=append("seal", envelope.to_json()),
            examination=append("examination", examination.to_json()),
            inspection={"c2pa": {"present": True, "state": "Trusted"}},
            credential=credential.to_json(),
        )
    return Asset.objects.get(pk=asset.pk)


def published_asset(
    party: Party,
    *,
    evidence: int = 1,
    origin_class: str = "HUMAN_MADE",
    rights: int = 2,
    standing: str = "active",
    offers: Sequence[OfferPlan] = OFFERS,
    **fields: Any,
) -> Asset:
    """A work on sale with an agreement and a verdict."""
    asset = sealed_asset(party, **fields)
    agreed(asset)
    publish_listing(asset=asset, plans=list(offers))
    judged(
        asset,
        evidence=evidence,
        origin_class=origin_class,
        rights=rights,
        standing=standing,
    )
    refresh_listing(asset=asset)
    return Asset.objects.get(pk=asset.pk)


def agreed(asset: Asset) -> Agreement:
    """The default agreement of a sealed work."""
    parts = default_parts(asset)
    return propose_agreement(asset=asset, parts=parts, by=asset.party)


def judged(
    asset: Asset,
    *,
    evidence: int = 1,
    origin_class: str = "HUMAN_MADE",
    rights: int = 2,
    standing: str = "active",
) -> Verdict:
    """A verdict of these levels; its criteria pass up to them."""
    levels = {"E": evidence, "R": rights}
    now = timezone.now().replace(microsecond=0)
    word = policy._word(evidence, OriginClass(origin_class), rights, standing)
    criteria = [
        {**vars(rule), "passed": rule.level <= levels[rule.axis], "detail": ""}
        for rule in policy.POLICY.rules
    ]
    envelope = statement.sign(
        records.verdict(
            name=asset.code,
            file=bytes(asset.seal.file_digest),
            verifier="http://127.0.0.1:8000",
            verified_at=now,
            resource=f"http://127.0.0.1:8000/a/{asset.code}",
            policy_uri="http://127.0.0.1:8000/policy/2026-11",
            policy_digest=policy.POLICY.digest,
            levels=[f"COLOPHON_E{evidence}", f"COLOPHON_O_{origin_class}"],
            standing=standing,
            expires_at=now + timedelta(days=7),
            criteria=[(one["id"], one["passed"]) for one in criteria],
            passed=evidence >= 1 and standing in {"active", "pending"},
        ),
        verdict_signer(),
    )
    with transaction.atomic():
        return Verdict.objects.create(
            asset=asset,
            envelope=envelope.to_json(),
            evidence_level=evidence,
            origin_class=origin_class,
            rights_level=rights,
            standing=standing,
            word=word,
            criteria=criteria,
            policy_digest=policy.POLICY.digest,
            entry=append("verdict", envelope.to_json()),
            standing_entry=append("standing", _standing(asset, standing).to_json()),
            as_of=now,
            expires_at=now + timedelta(days=7),
        )


def _standing(asset: Asset, standing: str) -> statement.Envelope:
    said = records.standing(
        asset=asset.code,
        file=bytes(asset.seal.file_digest),
        before="pending",
        after=standing,
        reason="no-objection",
        at=timezone.now(),
    )
    return statement.sign(said, platform_signer())


def logged() -> Checkpoint:
    """Number every pending entry and publish a checkpoint over them."""
    while sequence():
        pass
    return publish() or Checkpoint.objects.latest("size")


def anchored(moment: datetime | None = None) -> Anchor:
    """Log everything, and anchor the newest checkpoint in a made-up final block."""
    head = logged()
    moment = moment or timezone.now()
    proof = chain_proof(head.size, bytes(head.root), moment)
    intent = Intent.objects.create(
        kind="anchor",
        key=f"anchor:{head.size}",
        role="anchorer",
        state=Intent.State.FINAL,
        tx_hash="0x" + sha256(bytes(head.root)).hex(),
    )
    anchor, _ = Anchor.objects.get_or_create(
        checkpoint=head,
        defaults={
            "intent": intent,
            "block_number": 4711,
            "block_hash": "0x" + "ab" * 32,
            "tx_hash": intent.tx_hash,
            "block_at": moment,
            "receipt": proof.to_json(),
        },
    )
    return anchor


def model_of(party: Party, name: str = "Tidewater-XL", **fields: Any) -> Source:
    """A model registered by its owner, with a standing ask of 12 %."""
    values = {
        "kind": "model",
        "digest": sha256(name.encode() + party.code.encode()),
        "version": "3.1",
        "ask_ppm": 120_000,
        **fields,
    }
    return register_source(party=party, name=name, **values)


def offer_of(asset: Asset, use: str = "commercial") -> Offer:
    """The current offer for a use."""
    return Offer.objects.get(listing__asset=asset, use=use, withdrawn_at__isnull=True)


def open_order(asset: Asset, buyer: Party, use: str = "commercial") -> Order:
    """An order that nobody has paid yet."""
    offer = offer_of(asset, use)
    return make_order(offer=offer, buyer=buyer, user=None, account=WALLET)


def licensed(asset: Asset, buyer: Party, use: str = "commercial") -> License:
    """A paid order's license without its copy; its price is earned."""
    row = cancelable(asset, buyer, use)
    row.fee_due_at = row.issued_at
    row.save(update_fields=["fee_due_at"])
    return row


def cancelable(asset: Asset, buyer: Party, use: str = "commercial") -> License:
    """A paid order's license as it is issued: its price waits for a while."""
    order = open_order(asset, buyer, use)
    Order.objects.filter(pk=order.pk).update(state=Order.State.PAYING)
    row = issue_license(order_pk=order.pk)
    assert row is not None
    return row


def delivered(row: License) -> Delivery:
    """The buyer's copy of a license, with its record."""
    data = b"copy for " + row.code.encode()
    digest, size, path = store(io.BytesIO(data))
    envelope = statement.sign(
        records.delivery(
            license_id=row.code,
            asset=row.asset.code,
            delivered=digest,
            file=bytes(row.asset.seal.file_digest),
            made_at=timezone.now(),
        ),
        platform_signer(),
    )
    with transaction.atomic():
        return Delivery.objects.create(
            license=row,
            digest=digest,
            path=path,
            mime="image/jpeg",
            size_bytes=size,
            entry=append("delivery", envelope.to_json()),
        )


def stranger_holder(name: str = "Somebody Else") -> Holder:
    """A holder that no party has claimed."""
    return Holder.objects.create(name=name)


def an_id(prefix: str) -> str:
    """A well-formed id that belongs to no row."""
    return new_id(prefix)


def _rendition(  # noqa: PLR0917 - one line at each use
    asset: Asset,
    kind: str,
    digest: bytes,
    size: int,
    path: str,
    sides: tuple[int, int],
) -> Rendition:
    width, height = sides
    facts = {"mime": "image/jpeg", "width": width, "height": height}
    return Rendition.objects.create(
        asset=asset, kind=kind, digest=digest, path=path, size_bytes=size, **facts
    )


def network() -> Network:
    """The chain as a database knows it after deployment; no node runs."""
    contracts = {
        "ColophonLedger": {"address": "0x5FbDB2315678afecb367f032d93F642f64180aa3"},
        "ColophonAsset": {"address": "0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512"},
        "Token": {
            "address": "0x9fE46736679d2D9a65F0992F2272dE9f3c7fa6e0",
            "name": "Test USD",
            "version": "1",
        },
    }
    known = {"code_hash": "0x" + "ab" * 32, "block": 1}
    row, _ = Network.objects.get_or_create(
        only=True,
        defaults={
            "chain_id": 31337,
            "genesis_hash": "0x" + "00" * 32,
            "contracts": {name: {**known, **one} for name, one in contracts.items()},
        },
    )
    return row
