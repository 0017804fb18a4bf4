"""Ask certifiers to review a work, and appeal once when they refused."""

from __future__ import annotations

from django.db import transaction

from colophon.policy import CERTIFIED_E, Standing
from provenance.errors import DisputeError
from provenance.models import Asset, Case

REFUSED, CONFIRMED = "refused", "confirmed"


def why_no_review(asset: Asset) -> str:
    """Why a work cannot be put into the queue now; "" when it can."""
    verdict = asset.verdicts.first()
    if verdict is None or verdict.evidence_level < CERTIFIED_E:
        return "A review needs a work whose every step was recorded (E3)."
    if verdict.standing != Standing.ACTIVE:
        return (
            f"A review needs a work in good standing; this one is {verdict.standing}."
        )
    last = newest_review(asset)
    return "" if last is None else _why_not_again(last)


def _why_not_again(last: Case) -> str:
    if last.closed_at is None:
        return "It is in the queue already."
    if last.outcome == CONFIRMED:
        return "Two certifiers confirmed it already."
    if last.appeal_of_id is not None:
        return "The appeal was decided; that is final for this version."
    return ""


def newest_review(asset: Asset) -> Case | None:
    """The case of the last review, appealed or not."""
    return asset.cases.filter(kind=Case.Kind.REVIEW).order_by("-pk").first()


def ask_review(*, asset: Asset, text: str = "") -> Case:
    """Put a work into the certifiers' queue; after a refusal this is the appeal.

    Args:
        text: of an appeal: what the decision got wrong.

    Writes: Case. Lock: the Asset row; the constraints of Case.

    Raises:
        DisputeError: says why it cannot be reviewed.
    """
    with transaction.atomic(durable=True):
        asset = Asset.objects.select_for_update().get(pk=asset.pk)
        if why := why_no_review(asset):
            raise DisputeError(why, "")
        last = newest_review(asset)
        if last is not None and not text:
            raise DisputeError("says nothing; tell what the decision got wrong", "text")
        return Case.objects.create(
            kind=Case.Kind.REVIEW, asset=asset, appeal_of=last, text=text
        )
