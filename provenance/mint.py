"""The ERC-721 certificate of a published work, minted after its anchor is final."""

from __future__ import annotations

import base64

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from chain.intend import intend
from log.models import Checkpoint
from outbox.claims import Claim, Retry
from provenance.models import Asset, Token

CID_PREFIX = bytes([0x01, 0x55, 0x12, 0x20])  # CIDv1, raw, sha2-256, 32 bytes
WAIT_SECONDS = 5.0


def cid_of(digest: bytes) -> str:
    """CIDv1 of raw bytes by their SHA-256, in base32 (`bafkrei…`)."""
    text = base64.b32encode(CID_PREFIX + digest).decode().lower().rstrip("=")
    return f"b{text}"


def mint_asset(*, asset: Asset, claim: Claim | None = None) -> Token | None:
    """Ask the chain for the certificate of a published work, once.

    Returns:
        None when minting is lazy or the creator has no wallet to own it yet.

    Writes: Token, Intent. Lock: unique Token.asset.

    Raises:
        Retry: the anchor that covers the seal is not final yet.
    """
    owner = asset.party.holder.payout_address
    if settings.MINT_LAZILY or not owner:
        return None
    if existing := Token.objects.filter(asset=asset).first():
        return existing
    index = asset.seal.entry.index
    anchored = Checkpoint.objects.filter(anchor__isnull=False)
    if index is None or not anchored.filter(size__gt=index).exists():
        raise Retry("the anchor is not final yet", WAIT_SECONDS)
    digest = bytes(asset.seal.file_digest)
    with transaction.atomic(durable=True):
        if claim:
            claim.hold()
        intent = intend(
            "mint",
            {
                "to": [owner],
                "contentDigests": ["0x" + digest.hex()],
                "logIndexes": [index],
                "assetIds": ["0x" + asset.code.removeprefix("ast_")],
                "assetCids": [cid_of(digest)],
            },
            key=f"mint:{asset.code}",
            then=("asset.minted", {"asset": asset.pk}),
        )
        token, _ = Token.objects.get_or_create(asset=asset, defaults={"intent": intent})
    return token


def keep_token(*, asset: Asset, claim: Claim | None = None) -> None:
    """The mint is final: the token id is the content digest as a number.

    Writes: Token. Lock: none; running twice writes the same.
    """
    if claim and claim.payload.get("failed"):
        return
    with transaction.atomic(durable=True):
        if claim:
            claim.hold()
        number = int.from_bytes(bytes(asset.seal.file_digest), "big")
        Token.objects.filter(asset=asset, minted_at__isnull=True).update(
            token_id=str(number), minted_at=timezone.now()
        )
