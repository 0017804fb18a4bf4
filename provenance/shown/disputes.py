"""A dispute in words: what each side may read and do, and how far it has come."""

from __future__ import annotations

from typing import Any

from provenance.models import Asset, Dispute
from provenance.queue import place_of
from provenance.reasons import CLAIMS, RELATIONS, words
from provenance.shown.words import decided

State = Dispute.State
SUMMARY = {
    State.OPEN: ("Open", "wait", "It waits for certifiers. The owner may answer."),
    State.ANSWERED: ("Answered", "wait", "The owner answered; certifiers decide."),
    State.UPHELD: ("Upheld", "bad", "Two certifiers upheld it: the work is suspended."),
    State.REJECTED: ("Rejected", "off", "It was rejected; the work stands."),
    State.APPEALED: ("Appealed", "wait", "Others than those who decided look anew."),
}
MOVES = {
    "opened": "Objection made",
    "answered": "The owner answered",
    "upheld": "A certifier upheld it",
    "rejected": "A certifier rejected it",
    "appealed": "Appealed",
}
BY = {"by-owner": "By the owner", "by-complainant": "By who objected"}


def told(row: Dispute, side: str) -> dict[str, Any]:
    """What the page of a dispute shows to one side.

    Args:
        side: owner, complainant or certifier. Who objects, and their contact, is told
            to certifiers alone.
    """
    word, kind, summary = SUMMARY[State(row.state)]
    case = row.cases.filter(closed_at__isnull=True).first()
    last = row.cases.order_by("pk").last()
    lost = {"owner": State.UPHELD, "complainant": State.REJECTED}.get(side)
    return {
        "side": side,
        "word": word,
        "kind": kind,
        "summary": summary,
        "claim": CLAIMS.get(row.reason, row.reason),
        "relation": RELATIONS.get(row.relation, ""),
        "links": row.links.splitlines(),
        "moves": [_moved(one) for one in row.moves.select_related("entry", "by")],
        "place": place_of(case) if case else None,
        "decided": decided(last) if last else [],
        "may_answer": side == "owner" and row.state == State.OPEN,
        "may_appeal": row.state == lost and row.appealed_at is None,
        "suspends": row.suspends,
    }


def _moved(one: Any) -> dict[str, Any]:
    reason = "" if one.move == "answered" else BY.get(one.reason) or words(one.reason)
    return {
        "words": MOVES[one.move],
        "reason": reason,
        "at": one.at,
        "log_index": one.entry.index,
    }


def open_for_owner(assets: Any) -> list[Dispute]:
    """Disputes about these works that are not over, newest first."""
    rows = Dispute.objects.filter(asset__in=assets).exclude(state=State.REJECTED)
    return list(rows.select_related("asset").order_by("-pk"))


def public_note(asset: Asset) -> str:
    """One sentence for the page of a work that somebody objects to."""
    states = [one.suspends for one in asset.disputes.exclude(state=State.REJECTED)]
    if any(states):
        return "An objection to this work was upheld by two certifiers."
    if states:
        count = len(states)
        many = "Somebody objects" if count == 1 else f"{count} people object"
        return f"{many} to this work. Certifiers have not decided yet."
    return ""
