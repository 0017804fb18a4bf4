"""Job handlers: load by id, call one verb."""

from __future__ import annotations

from chain.models import Event
from chain.receipts import proof_of
from log.models import Entry
from log.proofs import covering
from outbox.claims import Claim, Retry
from provenance import (
    alike,
    anchor,
    assemble,
    blame,
    claims,
    examine,
    judge,
    mint,
    renew,
    sign,
)
from provenance.models import Asset

COVERED_SECONDS = 2.0


def examine_asset(claim: Claim) -> None:
    """Handle `asset.examine`."""
    examine.examine_asset(asset=_asset(claim), claim=claim)


def make_prints(claim: Claim) -> None:
    """Handle `prints.make`."""
    examine.remake_prints(asset=_asset(claim), claim=claim)


def map_asset(claim: Claim) -> None:
    """Handle `asset.map`."""
    blame.map_asset(asset=_asset(claim), claim=claim)


def sign_asset(claim: Claim) -> None:
    """Handle `asset.sign`."""
    asset = _asset(claim)
    look = alike.look_for(asset.findings)
    sign.sign_asset(asset=asset, plan=claims.plan_for(asset), look=look, claim=claim)


def judge_asset(claim: Claim) -> None:
    """Handle `asset.judge`; with an `entry`, once a checkpoint covers that.

    A record counts for nothing before: what was agreed just now is judged then.
    """
    entry = claim.payload.get("entry")
    if entry is not None and covering(Entry.objects.get(pk=entry)) is None:
        raise Retry("its newest record waits for a checkpoint", COVERED_SECONDS)
    asset = _asset(claim)
    judge.judge_asset(asset=asset, bundle=assemble.bundle_for(asset), claim=claim)


def renew_verdicts(claim: Claim) -> None:
    """Handle `verdicts.renew`."""
    renew.renew_verdicts(claim=claim)


def mint_asset(claim: Claim) -> None:
    """Handle `asset.mint`."""
    mint.mint_asset(asset=_asset(claim), claim=claim)


def keep_token(claim: Claim) -> None:
    """Handle `asset.minted`."""
    mint.keep_token(asset=_asset(claim), claim=claim)


def keep_anchor(claim: Claim) -> None:
    """Handle `checkpoint.anchored`."""
    event = Event.objects.get(pk=claim.payload["event"])
    anchor.keep_anchor(event=event, receipt=proof_of(event.tx_hash), claim=claim)


def _asset(claim: Claim) -> Asset:
    return Asset.objects.get(pk=claim.payload["asset"])
