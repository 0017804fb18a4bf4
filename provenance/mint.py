"""The ERC-721 certificate of a published work, minted after its anchor is final."""

from __future__ import annotations

import base64
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from chain.intend import intend
from chain.models import Intent
from log.models import Checkpoint
from outbox.claims import Claim, Retry
from outbox.enqueue import enqueue
from provenance.models import Asset, Token

CID_PREFIX = bytes([0x01, 0x55, 0x12, 0x20])  # CIDv1, raw, sha2-256, 32 bytes
WAIT_SECONDS = 5.0
ALREADY = "AlreadyMinted"
FIRST_AGAIN = timedelta(minutes=1)
LAST_AGAIN = timedelta(days=1)


def cid_of(digest: bytes) -> str:
    """CIDv1 of raw bytes by their SHA-256, in base32 (`bafkrei…`)."""
    text = base64.b32encode(CID_PREFIX + digest).decode().lower().rstrip("=")
    return f"b{text}"


def mint_asset(*, asset: Asset, claim: Claim | None = None) -> Token | None:
    """Ask the chain for the certificate of a published work, once.

    A request that failed is followed by another, with a key of its own.

    Returns:
        None when minting is lazy or the creator has no wallet to own it yet.

    Writes: Token, Intent. Lock: unique Token.asset.

    Raises:
        Retry: the anchor that covers the seal is not final yet.
    """
    owner = asset.party.holder.payout_address
    if settings.MINT_LAZILY or not owner:
        return None
    existing = Token.objects.select_related("intent").filter(asset=asset).first()
    if existing and not _has_failed(existing):
        return existing
    index = asset.seal.entry.index
    anchored = Checkpoint.objects.filter(anchor__isnull=False)
    if index is None or not anchored.filter(size__gt=index).exists():
        raise Retry("the anchor is not final yet", WAIT_SECONDS)
    digest = bytes(asset.seal.file_digest)
    with transaction.atomic(durable=True):
        if claim:
            claim.hold()
        tries = _tries(asset)
        intent = intend(
            "mint",
            {
                "to": [owner],
                "contentDigests": ["0x" + digest.hex()],
                "logIndexes": [index],
                "assetIds": ["0x" + asset.code.removeprefix("ast_")],
                "assetCids": [cid_of(digest)],
            },
            key=f"mint:{asset.code}" + (f":{tries}" if tries else ""),
            then=("asset.minted", {"asset": asset.pk}),
        )
        token, _ = Token.objects.update_or_create(
            asset=asset, defaults={"intent": intent}
        )
    return token


def _has_failed(token: Token) -> bool:
    failed = (Intent.State.REVERTED, Intent.State.CANCELED)
    return token.minted_at is None and token.intent.state in failed


def _tries(asset: Asset) -> int:
    """How many requests for a work's certificate have ended without one."""
    failed = (Intent.State.REVERTED, Intent.State.CANCELED)
    mine = Intent.objects.filter(key__startswith=f"mint:{asset.code}")
    return mine.filter(state__in=failed).count()


def keep_token(*, asset: Asset, claim: Claim | None = None) -> None:
    """The mint is final: the token id is the content digest as a number.

    One that failed is asked for again, each time after a longer wait; one that the
    contract refused because there is a certificate already has it.

    Writes: Token, Job. Lock: none; running twice writes the same.
    """
    if claim and claim.payload.get("failed"):
        intent = Intent.objects.get(pk=claim.payload["intent"])
        if ALREADY not in intent.error:
            _ask_again(asset, claim)
            return
    with transaction.atomic(durable=True):
        if claim:
            claim.hold()
        number = int.from_bytes(bytes(asset.seal.file_digest), "big")
        Token.objects.filter(asset=asset, minted_at__isnull=True).update(
            token_id=str(number), minted_at=timezone.now()
        )


def _ask_again(asset: Asset, claim: Claim) -> None:
    with transaction.atomic(durable=True):
        claim.hold()
        tries = _tries(asset)
        wait = min(FIRST_AGAIN * 2 ** min(tries, 12), LAST_AGAIN)
        enqueue(
            "asset.mint",
            key=f"mint:{asset.code}:again:{tries}",
            payload={"asset": asset.pk},
            due_at=timezone.now() + wait,
        )
