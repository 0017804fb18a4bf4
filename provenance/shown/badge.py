"""A verdict in the words of its page: the badge, one sentence, the reasons.

The page repeats what the verdict row holds and adds nothing (DESIGN section 5).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone

from colophon import policy
from colophon.policy import Standing
from provenance.models import Verdict

NOT_YET = {"word": policy.DECLARED, "standing": "pending", "level": 0, "o_class": ""}
SENTENCES = {
    policy.DECLARED: "There is only the maker's word for how it was made.",
    policy.CREDENTIALED: (
        "The file is sealed, and who registered it is on record; how it was made "
        "rests on the maker's word."
    ),
    policy.CERTIFIED: (
        "Every step is signed by whoever did it, in order, when it happened, and two "
        "outside clocks agree."
    ),
    policy.REVIEWED: (
        "Every step is signed by whoever did it, and people other than the maker "
        "confirmed it."
    ),
}
STANDINGS = {
    Standing.CONTESTED: "Somebody objects to this page; that is being looked at.",
    Standing.SUSPENDED: "An objection was upheld, so the badge is suspended.",
    Standing.EXPIRED: "Its standing was not confirmed lately; the badge has expired.",
    Standing.SUPERSEDED: "There is a newer version of this work.",
}
TITLES = {
    policy.CERTIFIED: "Why it is certified",
    policy.REVIEWED: "Why it is certified",
    policy.CREDENTIALED: "What is on record",
    policy.DECLARED: "What is on record",
}
SHOWN_ABOVE = 1  # levels above the one reached that are listed, to say what is missing


def shown(verdict: Verdict | None, now: datetime | None = None) -> dict[str, Any]:
    """What partials/badge.html shows of a verdict; a late one reads as expired."""
    if verdict is None:
        words = "It has not been judged yet; that takes about a minute."
        return {**NOT_YET, "words": words}
    told = verdict.shown()
    standing = told["standing"]
    late = (now or timezone.now()) > verdict.expires_at
    if late and standing in {Standing.ACTIVE, Standing.PENDING}:
        standing = Standing.EXPIRED
    words = STANDINGS.get(standing) or SENTENCES.get(verdict.word, "")
    return {**told, "standing": standing, "words": words}


def reasons(verdict: Verdict | None) -> dict[str, Any]:
    """The criteria of a verdict for partials/checks.html.

    Returns:
        title, first (what counts toward the badge it has, and what the next level
        asks for), later (everything above that), rights.
    """
    if verdict is None:
        return {"title": "What is on record", "first": [], "later": [], "rights": []}
    near = verdict.evidence_level + SHOWN_ABOVE
    made = [one for one in verdict.criteria if one["axis"] == "E"]
    return {
        "title": TITLES.get(verdict.word, "What is on record"),
        "first": [_line(one) for one in made if one["level"] <= near],
        "later": [_line(one) for one in made if one["level"] > near],
        "rights": [_line(one) for one in verdict.criteria if one["axis"] == "R"],
    }


def _line(one: dict[str, Any]) -> dict[str, Any]:
    seen = one.get("detail", "")
    told = {"words": one["words"], "passed": bool(one["passed"])}
    if one["passed"]:
        return {**told, "seen": seen}
    if one.get("result") == policy.Met.NOT_REACHED:
        told["passed"] = None  # asked for by a higher level only
    return {**told, "detail": seen}
