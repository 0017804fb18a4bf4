"""The answer of Verify in plain words: mark, sentence, questions, checks.

It says again what the report says; a look-alike never gets the seal, and no record
never reads as an accusation.
"""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from colophon import filematch
from colophon.checks import Check, Result
from colophon.origin import OriginClass
from colophon.report import Outcome, Report
from provenance.models import Asset
from provenance.shown.badge import SENTENCES, STANDINGS
from provenance.views.checking import Checked

CHECK_NAMES = {
    "file": "The file",
    "credential": "Content Credential",
    "signer": "Signer of the credential",
    "seal": "Seal",
    "steps": "Recorded steps",
    "ticket": "Ticket, given out beforehand",
    "log": "Place in the log",
    "checkpoint": "Head of the log",
    "time": "Time-stamp",
    "anchor": "Anchor on the ledger",
    "agreement": "Agreement on who is paid",
    "verdict": "Verdict",
    "standing": "Standing today",
}
STATES = {
    Result.PASSED: "passed",
    Result.FAILED: "failed",
    Result.NOT_CHECKED: "not checked",
}
MATCHES = {
    filematch.SEALED: "Genuine and unchanged",
    filematch.DELIVERY: "A genuine licensed copy",
    filematch.UPLOADED: "The file as it was before it was sealed",
    filematch.PIXELS: "The same picture, in another file",
}
LICENSED_WORDS = "A licensed copy holds its license in its credential."
NO_RECORD_WORDS = "This says nothing about whether it is real, or who made it."
OTHER_TITLES = {
    Outcome.OTHER_SIGNER: ("foreign", "Signed by someone else."),
    Outcome.NO_RECORD: ("none", "No record found."),
    Outcome.COULD_NOT_CHECK: ("unchecked", "This could not be checked."),
}
AI_ANSWERS = {
    OriginClass.AI: "Yes, it was made by AI",
    OriginClass.HYBRID: "Yes, beside a person's work",
    OriginClass.HUMAN_MADE: "No",
    OriginClass.CAPTURE: "No, it was captured from life",
    OriginClass.ALGORITHMIC: "No, it was computed without AI",
    OriginClass.UNKNOWN: "Not known",
}


def answer_of(checked: Checked) -> dict[str, Any]:
    """The inputs of provenance/answer.html."""
    report = checked.report
    outcome, title, words = _headline(checked)
    shown = report.outcome is Outcome.GENUINE and report.match != filematch.PIXELS
    return {
        "outcome": outcome,
        "title": title,
        "words": words,
        "work": _work(checked.asset),
        "like": _work(checked.looks_like),
        "like_bits": report.similar[0]["bits"] if report.similar else None,
        "verdict": _verdict(report) if shown else None,
        "questions": _questions(checked) if report.verdict else [],
        "checks": [_check(one) for one in report.checks],
        "sum": _sum(report),
        "sha256": report.file.sha256,
        "read": checked.inspection is not None,
        "credential": _credential(checked),
    }


def _headline(checked: Checked) -> tuple[str, str, str]:
    """Outcome for partials/verdict.html, title, words."""
    report = checked.report
    like = checked.looks_like
    if report.outcome is Outcome.GENUINE:
        title = MATCHES.get(report.match, "Genuine")
        return "genuine", f"{title}.", report.summary.removeprefix("Genuine. ")
    if report.outcome is Outcome.LOOKS_LIKE and like is not None:
        return "like", f"Looks like “{like.title}”, not proven.", _like_words(report)
    if report.outcome is Outcome.ALTERED:
        return _altered(checked)
    kind, title = OTHER_TITLES.get(report.outcome, OTHER_TITLES[Outcome.NO_RECORD])
    return kind, title, report.summary if kind != "none" else NO_RECORD_WORDS


def _altered(checked: Checked) -> tuple[str, str, str]:
    """A file that was changed, or records that do not hold."""
    if checked.report.match == filematch.NONE and checked.asset is not None:
        words = "It says that it is the work below, but its bytes are others."
        return "altered", "Known, but altered.", words
    return "broken", "This does not hold.", checked.report.summary


def _like_words(report: Report) -> str:
    bits = report.similar[0]["bits"]
    return (
        f"Its fingerprint is {bits} of 256 bits away from that work's. That is a hint "
        "where to look; it proves nothing about this file."
    )


def _work(asset: Asset | None) -> dict[str, str] | None:
    if asset is None:
        return None
    name = "marketplace:asset" if asset.published_at else "marketplace:work"
    return {"title": asset.title, "url": reverse(name, args=[asset.code])}


def _verdict(report: Report) -> dict[str, Any] | None:
    """What the badge shows: computed just now from the evidence."""
    found = report.verdict
    if found is None:
        return None
    return {
        "word": found.word,
        "standing": found.standing,
        "level": found.evidence,
        "o_class": found.origin.value,
        "words": STANDINGS.get(found.standing) or SENTENCES.get(found.word, ""),
    }


def _questions(checked: Checked) -> list[tuple[str, str, str]]:
    """Question, answer, how we know: for the registered work."""
    report = checked.report
    verdict, seal = report.verdict, report.seal
    assert verdict is not None
    maker = seal.creator or "not named" if seal else "not known"
    count = len(report.steps)
    steps = f"{count} recorded step{'' if count == 1 else 's'}"
    since = report.proven_at
    when = f"{since:%d %b %Y, %H:%M} UTC or earlier" if since else "Not proven yet"
    return [
        ("Is it the same file?", _same(report.match), report.checks[0].words),
        ("Who made it?", maker, report.checks[3].words),
        (
            "Is AI in it?",
            AI_ANSWERS[verdict.origin],
            f"{verdict.origin_words}; {steps}",
        ),
        ("Since when does it exist?", when, _clock_words(report)),
        ("May I use it?", _may(report.match), LICENSED_WORDS),
    ]


def _same(match: str) -> str:
    if match == filematch.SEALED:
        return "Yes, byte for byte"
    if match == filematch.DELIVERY:
        return "A copy made for a licensee"
    if match == filematch.UPLOADED:
        return "The original, without its credential"
    return "The picture is, the file is not" if match == filematch.PIXELS else "No"


def _may(match: str) -> str:
    if match == filematch.DELIVERY:
        return "Whoever holds this license may"
    return "Only with a license"


def _clock_words(report: Report) -> str:
    clocks = [one for one in report.checks if one.name in {"time", "anchor"}]
    return " ".join(one.words for one in clocks)


def _check(one: Check) -> dict[str, str]:
    return {
        "words": CHECK_NAMES[one.name],
        "state": STATES[one.result],
        "detail": one.words,
    }


def _sum(report: Report) -> str:
    if not report.checks:
        return ""
    results = [one.result for one in report.checks]
    passed, skipped = results.count(Result.PASSED), results.count(Result.NOT_CHECKED)
    words = f"{passed} of {len(results)} checks passed"
    return f"{words}, {skipped} not made" if skipped else words


def _credential(checked: Checked) -> str:
    """What the file's own Content Credential says, in a sentence."""
    return checked.inspection.summary if checked.inspection else ""
