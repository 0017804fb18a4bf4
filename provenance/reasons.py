"""Reason codes: why somebody objects, and why a certifier decided as they did.

Codes go into signed records, so one that was used is never given another meaning.
"""

from __future__ import annotations

CLAIMS = {
    "not-theirs": "It is my work, or a copy of it",
    "no-license": "It uses something of mine without permission",
    "source-not-named": "It uses a model, data set or picture that it does not name",
    "false-record": "Its record says something that is not so",
    "shares-wrong": "Somebody who should be paid is left out",
    "shows-me": "It shows me, and I did not agree",
}
RELATIONS = {
    "maker": "I made or own what this is about",
    "agent": "I act for the one who does",
    "shown": "I am the person shown",
    "licensee": "I licensed this work",
    "other": "Somebody else",
}

UPHOLD = {
    "older-original": "An older original was shown",
    "no-permission": "A permission that is needed was not shown",
    "source-hidden": "A source was used and not named",
    "record-false": "The record says something that is not so",
    "shares-missing": "Somebody who should be paid was left out",
    "person-objects": "The person shown did not agree",
}
REJECT = {
    "no-evidence": "Nothing was shown that supports the objection",
    "record-holds": "The record was checked and holds",
    "permission-shown": "The permission was shown",
    "different-work": "It is about another work",
    "not-for-us": "The objection is not about provenance; a court can decide it",
    "settled": "Both sides settled it",
}
CONFIRM = {
    "record-matches": "The steps match the picture",
    "drafts-match": "Steps and work in progress match the picture",
    "sources-match": "Steps and sources match the picture",
}
REFUSE = {
    "steps-unclear": "The steps do not say how the picture came about",
    "picture-differs": "The picture shows something that no step made",
    "source-doubtful": "A source looks different from what is named",
    "origin-doubtful": "The declared origin does not fit the picture",
    "look-alike": "It looks like a work of somebody else",
}


def words(code: str) -> str:
    """What a reason code says; an unknown one stands for itself."""
    known = CLAIMS | UPHOLD | REJECT | CONFIRM | REFUSE
    return known.get(code, code)
