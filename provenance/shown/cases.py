"""Cases in words: a line of the queue, the page of a case, the owner's view of it."""

from __future__ import annotations

from typing import Any

from accounts.models import User
from provenance.conflicts import why_not
from provenance.models import Asset, Case
from provenance.queue import holds, is_taken, place_of
from provenance.reasons import CLAIMS
from provenance.review import newest_review, why_no_review
from provenance.shown.pictures import picture_of
from provenance.shown.words import SAID, decided

OUTCOMES = {
    "confirmed": ("Confirmed by two certifiers", "ok"),
    "refused": ("Refused", "bad"),
}


def line_of(case: Case, user: User) -> dict[str, Any]:
    """One line of the queue, as a certifier sees it."""
    mine = holds(case, user)
    return {
        "case": case,
        "title": case.asset.title,
        "what": what_of(case),
        "picture": picture_of(case.asset, "thumbnail"),
        "said": [SAID[one.decision] for one in case.decisions.all()],
        "mine": mine,
        "taken": is_taken(case) and not mine,
        "why_not": why_not(case, user),
    }


def what_of(case: Case) -> str:
    """What is asked for, in a few words."""
    appeal = "Appeal: " if case.appeal_of_id else ""
    if case.dispute is None:
        return f"{appeal}review" if appeal else "Review"
    claim = CLAIMS.get(case.dispute.reason, case.dispute.reason)
    return f"{appeal}{claim[:1].lower()}{claim[1:]}" if appeal else claim


def review_of(asset: Asset) -> dict[str, Any]:
    """What the owner of a work sees of its review: place, words, what to do next."""
    last = newest_review(asset)
    why = why_no_review(asset)
    shown: dict[str, Any] = {"why_not": why, "asks": not why, "appeals": False}
    if last is None:
        return shown
    word, kind = OUTCOMES.get(last.outcome, ("In the queue", "wait"))
    return {
        **shown,
        "word": word,
        "kind": kind,
        "place": place_of(last),
        "appeals": not why,
        "decided": decided(last),
    }
