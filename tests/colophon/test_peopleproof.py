"""Reviews and disputes in evidence: two people, without a stake, both signatures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from colophon import records
from colophon.authority import Authorities
from colophon.checks import Check
from colophon.evidence import Bundle
from colophon.judgment import judge
from colophon.note import COSIGNATURE, NoteKey
from colophon.report import Outcome, Report
from colophon.statement import Envelope, Signature, read_statement
from colophon.verify import verify
from tests.colophon.bundles import (
    ASSET,
    CREDENTIAL,
    FILE,
    Story,
    World,
    an_id,
    at,
    authorities,
    digest,
    judged,
    key,
    trust_of,
)

PARTIES = {name: an_id("pty", 20 + n) for n, name in enumerate(("cora", "remy", "sol"))}
PARTIES |= {"ada": an_id("pty", 30), "mia": an_id("pty", 31)}
DISPUTE = an_id("dsp", 40)
WITNESS = "w1.example"
Tell = Callable[[Story, World], None]


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Authorities:
    return authorities(Path(tmp_path_factory.mktemp("people")))


def told(pki: Authorities, people: Tell, **changes: Any) -> Story:
    """A work that an independent witness saw, so that a review makes it E4."""
    known = (NoteKey.of_signer(WITNESS, key(WITNESS), COSIGNATURE),)
    trust = replace(
        trust_of(pki), witness_keys=known, quorum=1, independent_witnesses=(WITNESS,)
    )
    values: dict[str, Any] = {"certifiers": ("cora", "remy", "sol"), **changes}
    return Story(pki, people=people, trust=trust, witnesses=(WITNESS,), **values)


def review(by: str, decision: str = "confirmed", **changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "asset": ASSET,
        "file": FILE.sha256,
        "reviewer": PARTIES[by],
        "checklist": "2026-12",
        "decision": decision,
        "reason": "record-matches",
        "reviewed_at": at(11),
        "seen": [FILE.sha256],
        **changes,
    }
    return records.review(**values)


def reviews(*people: str, **changes: Any) -> Tell:
    """Everybody of these confirms."""

    def tell(_: Story, world: World) -> None:
        for one in people:
            said = review(one, **changes)
            world.say("review", said, key(one), key("platform"))

    return tell


def decided(*moves: tuple[str, str, float], appeal: bool = False) -> Tell:
    """Moves of one dispute: (move, by, minute)."""

    def tell(_: Story, world: World) -> None:
        for move, by, minute in moves:
            said = records.dispute(
                dispute_id=DISPUTE,
                asset=ASSET,
                file=FILE.sha256,
                move=move,
                reason="not-theirs",
                by=PARTIES.get(by),
                appeal=appeal,
                at=at(minute),
            )
            signers = (key(by), key("platform")) if by else (key("platform"),)
            world.say("dispute", said, *signers)

    return tell


def both(*tells: Tell) -> Tell:
    def tell(story: Story, world: World) -> None:
        for one in tells:
            one(story, world)

    return tell


def level(story: Story) -> int:
    assert story.trust
    return judge(story.tell(), CREDENTIAL, story.trust, as_of=at(20))[0].evidence


def reached(report: Report) -> int:
    assert report.verdict
    return report.verdict.evidence


def outside(story: Story, bundle: Bundle | None = None) -> Report:
    """What somebody finds who has the file, the bundle and the trust file."""
    return verify(
        file=story.file,
        credential=CREDENTIAL,
        bundle=bundle or story.tell(),
        trust=story.trust,
        as_of=at(30),
    )


def line(report: Report, number: int) -> Check:
    return report.checks[number - 1]


def test_two_people_and_a_witness_make_e4(pki: Authorities) -> None:
    story = told(pki, reviews("cora", "remy"))
    bundle = story.tell()
    report = outside(story, bundle)
    assert report.outcome is Outcome.GENUINE, [str(one) for one in report.checks]
    assert report.verdict
    assert (report.verdict.evidence, report.verdict.word) == (4, "Certified, reviewed")
    said = read_statement(bundle.of("verdict")[0].envelope.payload)
    named = records.parse_verdict(said)
    seen = {one.envelope.digest for one in bundle.of("review")}
    assert seen <= set(named.inputs), "the verdict cites the reviews"


@pytest.mark.parametrize(
    "people",
    [
        reviews("cora"),
        reviews("cora", "cora"),
        reviews("cora", "remy", conflict=True),
        reviews("cora", "remy", decision="refused"),
        both(reviews("cora", "remy"), reviews("sol", decision="refused")),
        reviews("cora", "remy", reviewed_at=at(35)),
        reviews("cora", "remy", reviewer=PARTIES["cora"]),
    ],
    ids=[
        "one person",
        "one person twice",
        "with a declared conflict",
        "two refusals",
        "a refusal after them",
        "dated later than the moment asked for",
        "two accounts of one party",
    ],
)
def test_less_than_two_people_make_no_e4(pki: Authorities, people: Tell) -> None:
    story = told(pki, people)
    report = outside(story)
    assert (report.outcome, reached(report)) == (Outcome.GENUINE, 3)


def test_after_a_refusal_two_others_must_confirm(pki: Authorities) -> None:
    refused = reviews("sol", decision="refused")
    assert level(told(pki, both(refused, reviews("cora", "remy")))) == 4
    assert level(told(pki, both(refused, reviews("cora")))) == 3


@pytest.mark.parametrize("stake", ["ada", "mia"])
def test_no_review_counts_by_somebody_whom_the_agreement_names(
    pki: Authorities, stake: str
) -> None:
    """Ada made it and Mia owns its model; a certifier's badge does not help them."""
    story = told(pki, reviews("cora", stake))
    report = outside(story)
    assert reached(report) == 3
    assert report.outcome is Outcome.ALTERED
    assert "has a stake" in line(report, 12).words


def test_the_registrant_s_other_account_does_not_count(pki: Authorities) -> None:
    story = told(pki, reviews("cora", "remy"), registrant=PARTIES["remy"])
    assert level(story) == 3


def forged(envelope: Envelope) -> Envelope:
    """The certifier's signature is one of other bytes."""
    mine, *others = envelope.signatures
    wrong = Signature(mine.keyid, mine.sig[:-1] + bytes([mine.sig[-1] ^ 1]))
    return replace(envelope, signatures=(wrong, *others))


def without_certifier(envelope: Envelope) -> Envelope:
    return replace(envelope, signatures=envelope.signatures[1:])


def without_platform(envelope: Envelope) -> Envelope:
    return replace(envelope, signatures=envelope.signatures[:1])


@pytest.mark.parametrize(
    ("change", "outcome", "words"),
    [
        (forged, Outcome.ALTERED, "does not hold"),
        (without_certifier, Outcome.ALTERED, "no enrolled account"),
        (without_platform, Outcome.OTHER_SIGNER, "platform key that you trust"),
    ],
)
@pytest.mark.parametrize("kind", ["review", "dispute"])
def test_a_decision_needs_both_signatures(
    pki: Authorities,
    kind: str,
    change: Callable[[Envelope], Envelope],
    outcome: Outcome,
    words: str,
) -> None:
    def people(story: Story, world: World) -> None:
        inner = reviews("cora", "remy")
        if kind == "dispute":
            inner = decided(("rejected", "cora", 10.5))
        apart = World(world.pki, world.anchor_with)
        inner(story, apart)
        for one in apart.entries:
            world.add(kind, change(one.envelope))

    story = told(pki, people)
    report = outside(story)
    assert reached(report) == 3
    assert report.outcome is outcome
    assert words in line(report, 12 if kind == "review" else 13).words


@pytest.mark.parametrize(
    "changes",
    [{"asset": an_id("ast", 77)}, {"file": digest("another")}],
    ids=["asset", "file"],
)
def test_a_transplanted_review_is_refused(
    pki: Authorities, changes: dict[str, Any]
) -> None:
    story = told(pki, reviews("cora", "remy", **changes))
    report = outside(story)
    assert reached(report) == 3
    assert report.outcome is Outcome.ALTERED
    assert "another work" in line(report, 12).words


def test_a_review_that_the_verdict_does_not_name_changes_nothing(
    pki: Authorities,
) -> None:
    """Slipped into the bundle after the verdict, it neither helps nor breaks it."""
    story = told(pki, reviews("cora", "remy"))
    full = story.tell()
    late = full.of("review")[1]
    rest = tuple(one for one in full.records if one is not late)
    assert story.trust
    bare = judged(replace(full, records=rest), story.trust, CREDENTIAL)
    report = outside(story, replace(bare, records=(*bare.records, late)))
    assert report.outcome is Outcome.GENUINE, [str(one) for one in report.checks]
    assert report.verdict
    assert report.verdict.evidence == 3


def test_a_review_outside_the_log_does_not_count(pki: Authorities) -> None:
    story = told(pki, reviews("cora", "remy"))
    bundle = story.tell()
    bare = tuple(
        replace(one, proofs=()) if one.kind == "review" else one
        for one in bundle.records
    )
    assert story.trust
    found = judge(replace(bundle, records=bare), CREDENTIAL, story.trust, as_of=at(20))[
        0
    ]
    assert found.evidence == 3


# --------------------------------------------------------------------------- disputes

UPHELD = decided(("opened", "", 10), ("upheld", "cora", 10.5), ("upheld", "remy", 10.6))
ALONE = decided(("opened", "", 10), ("upheld", "cora", 10.5))
UNDONE = decided(("rejected", "sol", 10.8), ("rejected", "mia", 10.9), appeal=True)
HALF = decided(("rejected", "sol", 10.8), appeal=True)
SUSPENDED = {"stated": "suspended", "reason": "dispute-upheld"}


@pytest.mark.parametrize(
    ("people", "stated", "words"),
    [
        (UPHELD, SUSPENDED, "is suspended"),
        (ALONE, SUSPENDED, "no decisions of two certifiers"),
        (UPHELD, {}, "it is not suspended"),
        (both(UPHELD, UNDONE), {}, "Nothing speaks against"),
        (both(UPHELD, HALF), {}, "it is not suspended"),
        (both(UPHELD, HALF), SUSPENDED, "is suspended"),
        (ALONE, {}, "Nothing speaks against"),
    ],
    ids=[
        "two uphold",
        "one alone cannot suspend",
        "what two upheld cannot be passed over",
        "two others reinstate",
        "one alone cannot reinstate",
        "while one of two has reinstated it stays",
        "one of two has upheld",
    ],
)
def test_two_people_suspend_and_two_reinstate(
    pki: Authorities, people: Tell, stated: dict[str, str], words: str
) -> None:
    story = told(pki, people, **stated)
    report = outside(story)
    assert report.outcome is Outcome.GENUINE, [str(one) for one in report.checks]
    assert words in line(report, 13).words
