"""The page of a work: what it is, how it was made, who is paid, and how to check."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_safe

from accounts.models import Party, User
from chain.read import facts as network_facts
from marketplace.models import Listing, Offer
from marketplace.views.linked_data import as_script, image_object
from marketplace.views.splits import split_rows, total_of
from provenance.models import Agreement, AgreementPart, Asset, Verdict
from provenance.shown.badge import reasons, shown
from provenance.shown.disputes import public_note
from provenance.shown.origin import origin_of
from provenance.shown.pictures import picture_of
from provenance.shown.story import story_of

PREFERRED = Offer.Use.COMMERCIAL


@require_safe
def page(request: HttpRequest, code: str) -> HttpResponse:
    """One published work; a draft of one's own is in the studio."""
    asset = get_object_or_404(_rows(request), code=code)
    if asset.published_at is None:
        return redirect("marketplace:work", code=asset.code)
    verdict = asset.verdicts.first()
    story = story_of(asset)
    context = {
        "asset": asset,
        "creator": asset.creator_name or asset.party.name,
        "picture": picture_of(asset),
        "verdict": shown(verdict),
        "judged": verdict,
        "reasons": reasons(verdict),
        "story": story,
        "origin": origin_of(asset, story.titles),
        "linked_data": as_script(image_object(asset, story.rows)),
        "newer": _newer(asset),
        "objection": public_note(asset),
        "technical": _technical(asset),
        **_sale(request, asset, verdict),
    }
    return render(request, "marketplace/asset.html", context)


def _rows(request: HttpRequest) -> Any:
    return (
        Asset.objects.visible_to(request.user)
        .select_related("party", "run", "seal__entry", "findings", "token", "listing")
        .select_related("origin_map")
        .prefetch_related("renditions")
    )


def _sale(
    request: HttpRequest, asset: Asset, verdict: Verdict | None
) -> dict[str, Any]:
    """The license box: offers, the chosen one, where its price goes, or why not."""
    listing: Listing | None = getattr(asset, "listing", None)
    parts = Prefetch("parts", AgreementPart.objects.select_related("holder", "source"))
    agreement = (
        Agreement.objects.filter(asset=asset)
        .prefetch_related(parts)
        .order_by("-version")
        .first()
    )
    live = listing is not None and listing.is_on_sale
    offers = (
        list(listing.offers.filter(withdrawn_at__isnull=True))
        if listing and live
        else []
    )
    chosen = _chosen(offers, request.GET.get("offer", ""))
    found: dict[str, Any] = {
        "offers": offers,
        "chosen": chosen,
        "own": _is_own(request, asset),
        "suspended": verdict is not None and verdict.standing == "suspended",
    }
    if chosen is not None and agreement is not None:
        found["total_units"] = total_of(chosen)
        found["split"] = split_rows(list(agreement.parts.all()), total_of(chosen))
    return found


def _chosen(offers: list[Offer], asked: str) -> Offer | None:
    by_code = {offer.code: offer for offer in offers}
    usual = next((one for one in offers if one.use == PREFERRED), None)
    return by_code.get(asked) or usual or (offers[0] if offers else None)


def _is_own(request: HttpRequest, asset: Asset) -> bool:
    if not isinstance(request.user, User):
        return False
    return Party.objects.of(request.user).filter(pk=asset.party_id).exists()


def _newer(asset: Asset) -> Asset | None:
    """The published version that replaces this one."""
    return Asset.objects.filter(supersedes=asset, published_at__isnull=False).first()


def _technical(asset: Asset) -> dict[str, Any]:
    """Digests, credential, certificate and network, as the rows hold them."""
    token, network = getattr(asset, "token", None), network_facts()
    seal, findings = asset.seal, asset.findings
    return {
        "sha256": bytes(seal.file_digest),
        "uploaded": bytes(asset.uploaded_digest),
        "pixels": bytes(findings.pixels_digest),
        "pdq": bytes(findings.pdq) if findings.pdq else None,
        "iscc": findings.iscc,
        "seal": bytes(seal.digest),
        "log_index": seal.entry.index,
        "credential": seal.credential,
        "token": token,
        "network": network,
        "royalty_ppm": settings.CHAIN_ROYALTY_BPS * 100,
    }
