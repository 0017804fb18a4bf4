"""Works made through every verb, for tests that need the true signed file."""

from __future__ import annotations

import io

from accounts.models import Party
from marketplace.publish import publish_listing
from provenance import claims
from provenance.alike import look_for
from provenance.assemble import bundle_for
from provenance.examine import examine_asset
from provenance.intake import Draft, take_in
from provenance.judge import judge_asset
from provenance.models import Asset
from provenance.sign import sign_asset
from tests.factories import OFFERS, agreed, logged


def real_asset(party: Party, data: bytes, title: str = "Night current") -> Asset:
    """A work through every verb, up to its verdict."""
    draft = Draft(
        title=title, alt_text="Colors", creator_name=party.name, origin="human"
    )
    asset = take_in(io.BytesIO(data), "work.jpg", party, draft)
    findings = examine_asset(asset=asset)
    assert findings is not None, asset.refused_reason
    asset = Asset.objects.get(pk=asset.pk)
    sign_asset(asset=asset, plan=claims.plan_for(asset), look=look_for(findings))
    asset = Asset.objects.get(pk=asset.pk)
    agreed(asset)
    publish_listing(asset=asset, plans=list(OFFERS))
    logged()
    judge_asset(asset=asset, bundle=bundle_for(asset))
    logged()
    return Asset.objects.get(pk=asset.pk)
