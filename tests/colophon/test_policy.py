"""The policy: levels, words, standing, monotonicity, and what a thief can reach."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colophon.criteria import CRITERIA
from colophon.errors import InputError
from colophon.facts import Anchor, Facts, StepFact
from colophon.origin import OriginClass
from colophon.policy import POLICY, Policy, evaluate

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
EARLIER = NOW - timedelta(hours=2)

GENERATE = StepFact(
    digest="01" * 32,
    action="c2pa.created",
    actor_kind="agent",
    ai=True,
    signed=True,
    enrolled=True,
    client_held=True,
    ticketed=True,
    readable=True,
    resolved=True,
    registered_model=True,
    runtime=True,
)
RETOUCH = replace(
    GENERATE,
    digest="02" * 32,
    action="c2pa.edited",
    actor_kind="human",
    ai=False,
    registered_model=False,
    runtime=False,
    intermediates=2,
)
PUBLISH = replace(
    RETOUCH,
    digest="03" * 32,
    action="c2pa.published",
    perceptible=False,
    same_bytes=True,
    intermediates=0,
)
BEST = Facts(
    file_known=True,
    credential="trusted",
    credential_clean=True,
    attributed_actions=True,
    all_actions_included=True,
    seal_signed=True,
    seal_key_good=True,
    seal_logged=True,
    anchor=Anchor(31337, public=False, block_at=EARLIER, final=True),
    timestamp_at=EARLIER + timedelta(seconds=5),
    identities=("email",),
    declared=True,
    origin=OriginClass.HYBRID,
    steps=(GENERATE, RETOUCH, PUBLISH),
    chain_complete=True,
    ticket_at=EARLIER - timedelta(hours=1),
    covered_at=EARLIER,
    examined=True,
    changes_examined=True,
    terms_hashed=True,
    shares_sum=True,
    accepted=True,
    all_claimed=True,
    standing_at=NOW,
    stated="active",
    credential_current=True,
)


def judge(facts: Facts) -> Any:
    return evaluate(facts, as_of=NOW)


def failed(facts: Facts) -> list[str]:
    return [one.id for one in judge(facts).criteria if not one.passed]


def with_step(number: int, **changes: Any) -> Facts:
    steps = list(BEST.steps)
    steps[number] = replace(steps[number], **changes)
    return replace(BEST, steps=tuple(steps))


def test_complete_evidence_is_certified_provenance() -> None:
    verdict = judge(BEST)
    assert verdict.verified_levels == [
        "COLOPHON_E3",
        "COLOPHON_O_HYBRID",
        "COLOPHON_R2",
    ]
    assert (verdict.word, verdict.standing) == ("Certified provenance", "active")
    assert verdict.is_certified
    assert verdict.origin_words == "Human and AI together (recorded)"
    assert verdict.expires_at == NOW + timedelta(days=7)
    assert failed(BEST) == ["e4.corroborated"]


def test_no_evidence_is_declared_and_pending() -> None:
    verdict = judge(Facts())
    assert (verdict.evidence, verdict.rights) == (0, 0)
    assert (verdict.word, verdict.standing) == ("Declared", "pending")
    assert verdict.origin_words == "Origin unknown"
    assert all(not one.passed for one in verdict.criteria)


def test_every_criterion_of_the_policy_is_judged_with_words() -> None:
    assert [one.id for one in judge(BEST).criteria] == list(CRITERIA)
    assert all(one.words for one in judge(BEST).criteria)
    assert all(one.detail for one in judge(Facts()).criteria)


# What each single weakness costs: (change, criterion that fails, level left).
WEAKER = [
    ({"file_known": False}, "e1.file", 0),
    ({"seal_signed": False}, "e1.seal", 0),
    ({"seal_key_good": False}, "e1.seal", 0),
    ({"credential": ""}, "e1.credential", 0),
    ({"credential": "invalid"}, "e1.credential", 0),
    ({"credential_clean": False}, "e1.credential", 0),
    ({"credential": "valid"}, "e1.signer", 0),
    ({"attributed_actions": False}, "e1.actions", 0),
    ({"all_actions_included": False}, "e1.actions", 0),
    ({"seal_logged": False}, "e2.log", 1),
    ({"identities": ()}, "e2.account", 1),
    ({"steps": ()}, "e3.chain", 2),
    ({"chain_complete": False}, "e3.chain", 2),
    ({"ticket_at": None}, "e3.bracket", 2),
    ({"covered_at": None}, "e3.bracket", 2),
    ({"ticket_at": EARLIER - timedelta(hours=24, seconds=1)}, "e3.bracket", 2),
    ({"ticket_at": EARLIER + timedelta(seconds=1)}, "e3.bracket", 2),
    ({"anchor": None}, "e3.clocks", 2),
    ({"timestamp_at": None}, "e3.clocks", 2),
    ({"timestamp_at": EARLIER + timedelta(hours=7)}, "e3.clocks", 2),
    ({"examined": False}, "e3.first", 2),
    ({"earlier_look_alikes": 1}, "e3.first", 2),
    ({"undeclared_changes": 1}, "e3.changes", 2),
]


@pytest.mark.parametrize(("change", "criterion", "level"), WEAKER)
def test_one_missing_thing_costs_its_level(
    change: dict[str, Any], criterion: str, level: int
) -> None:
    weaker = replace(BEST, **change)
    assert criterion in failed(weaker)
    assert judge(weaker).evidence == level
    assert not judge(weaker).is_certified


STEP_WEAKER = [
    (0, {"signed": False}, "e3.keys"),
    (1, {"enrolled": False}, "e3.keys"),
    (1, {"client_held": False}, "e3.custody"),
    (2, {"ticketed": False}, "e3.bracket"),
    (1, {"readable": False}, "e3.readable"),
    (1, {"resolved": False}, "e3.chain"),
    (0, {"registered_model": False}, "e3.models"),
    (0, {"runtime": False}, "e3.grounded"),
    (1, {"intermediates": 1}, "e3.grounded"),
    (1, {"outside_pictures": 1}, "e3.grounded"),
]


@pytest.mark.parametrize(("number", "change", "criterion"), STEP_WEAKER)
def test_one_weak_step_ends_at_e2(
    number: int, change: dict[str, Any], criterion: str
) -> None:
    weaker = with_step(number, **change)
    assert criterion in failed(weaker)
    assert (judge(weaker).evidence, judge(weaker).word) == (2, "Credentialed")


def test_a_day_between_ticket_and_proof_is_still_witnessed() -> None:
    exactly = replace(BEST, ticket_at=EARLIER - timedelta(hours=24))
    assert judge(exactly).evidence == 3


def test_the_time_stamp_alone_is_enough_for_e2() -> None:
    verdict = judge(replace(BEST, anchor=None))
    assert verdict.evidence == 2
    assert verdict.standing == "pending"


def test_a_chain_that_is_not_final_does_not_count() -> None:
    shaky = replace(BEST, anchor=replace(BEST.anchor, final=False), timestamp_at=None)
    assert judge(shaky).evidence == 1


def test_a_test_network_is_said() -> None:
    clock = next(one for one in judge(BEST).criteria if one.id == "e3.clocks")
    assert "test network" in clock.detail
    public = replace(BEST, anchor=replace(BEST.anchor, public=True))
    clock = next(one for one in judge(public).criteria if one.id == "e3.clocks")
    assert "public chain" in clock.detail


@pytest.mark.parametrize(
    ("change", "level"),
    [
        ({"terms_hashed": False}, 0),
        ({"shares_sum": False}, 1),
        ({"accepted": False}, 1),
        ({"all_claimed": False}, 1),
    ],
)
def test_rights_end_where_a_criterion_fails(change: dict[str, Any], level: int) -> None:
    verdict = judge(replace(BEST, **change))
    assert (verdict.rights, verdict.evidence) == (level, 3)
    assert verdict.word == "Credentialed"


def test_an_unknown_origin_is_never_certified() -> None:
    verdict = judge(replace(BEST, origin=OriginClass.UNKNOWN))
    assert (verdict.evidence, verdict.word) == (3, "Credentialed")


@pytest.mark.parametrize(
    ("change", "standing", "word"),
    [
        ({"stated": "contested"}, "contested", "Contested"),
        ({"earlier_look_alikes": 1}, "contested", "Contested"),
        (
            {"stated": "suspended", "earlier_look_alikes": 1},
            "suspended",
            "Suspended",
        ),
        ({"stated": "expired"}, "expired", "Expired"),
        ({"stated": "pending"}, "active", "Certified provenance"),
        ({"stated": "pending", "anchor": None}, "pending", "Credentialed"),
        ({"seal_key_good": False}, "suspended", "Suspended"),
        ({"stated": "superseded"}, "superseded", "Superseded"),
        ({"credential_current": False}, "expired", "Expired"),
        ({"standing_at": NOW - timedelta(days=8)}, "expired", "Expired"),
        ({"standing_at": None}, "pending", "Credentialed"),
        ({"standing_at": NOW - timedelta(days=7)}, "active", "Certified provenance"),
    ],
)
def test_standing_overrides_what_the_badge_says(
    change: dict[str, Any], standing: str, word: str
) -> None:
    verdict = judge(replace(BEST, **change))
    assert (verdict.standing, verdict.word) == (standing, word)


def test_e4_needs_two_kinds_of_outside_confirmation() -> None:
    one = replace(BEST, corroborations=frozenset({"witness"}))
    two = replace(BEST, corroborations=frozenset({"witness", "review"}))
    assert judge(one).evidence == 3
    assert (judge(two).evidence, judge(two).word) == (4, "Certified, reviewed")


# --- the thief: own account, own enrolled key, own script, somebody else's picture.

OWN = replace(RETOUCH, intermediates=0)


def thief(*steps: StepFact, **more: Any) -> Any:
    return judge(replace(BEST, steps=steps, **more))


def test_a_thief_who_opens_a_found_picture_stays_at_e2() -> None:
    opened = replace(
        OWN, action="c2pa.opened", perceptible=False, outside_pictures=1, resolved=True
    )
    edited = replace(OWN, intermediates=5)
    assert thief(opened, edited).evidence == 2


def test_a_thief_whose_script_says_created_stays_at_e2() -> None:
    created = replace(OWN, action="c2pa.created")
    assert thief(created).evidence == 2
    assert thief(replace(created, actor_kind="tool", intermediates=9)).evidence == 2


def test_a_thief_who_names_a_strangers_model_stays_at_e2() -> None:
    claimed = replace(GENERATE, runtime=False)
    assert thief(claimed).evidence == 2


def test_a_thief_who_swaps_the_picture_in_a_silent_step_stays_at_e2() -> None:
    swapped = replace(PUBLISH, action="c2pa.enhanced", same_bytes=False)
    assert thief(GENERATE, swapped, changes_examined=False).evidence == 2
    found = thief(GENERATE, swapped, undeclared_changes=1)
    assert found.evidence == 2
    assert thief(GENERATE, swapped).evidence == 3


def test_a_thief_who_edits_everything_away_stays_at_e2() -> None:
    assert thief(GENERATE, replace(OWN, changed_ppm=990_000)).evidence == 2
    half = replace(OWN, changed_ppm=300_000)
    assert thief(GENERATE, half, half).evidence == 2


def test_a_small_measured_edit_of_a_grounded_picture_needs_no_more() -> None:
    assert thief(GENERATE, replace(OWN, changed_ppm=80_000)).evidence == 3
    assert thief(replace(OWN, changed_ppm=80_000)).evidence == 2


def test_a_captured_start_is_grounded() -> None:
    opened = replace(
        OWN,
        action="c2pa.opened",
        perceptible=False,
        outside_pictures=1,
        captured=True,
        same_bytes=True,
    )
    assert thief(opened, replace(OWN, changed_ppm=10_000)).evidence == 3


# --- less evidence never reads better.

BOOLS = [
    name
    for name, value in vars(BEST).items()
    if isinstance(value, bool) and name != "capture_trusted"
]
STEP_BOOLS = [
    "signed",
    "enrolled",
    "client_held",
    "ticketed",
    "readable",
    "resolved",
    "registered_model",
    "runtime",
    "captured",
    "same_bytes",
]


@st.composite
def steps(draw: st.DrawFn) -> StepFact:
    base = draw(st.sampled_from([GENERATE, RETOUCH, PUBLISH]))
    weak = draw(st.sets(st.sampled_from(STEP_BOOLS), max_size=2))
    fields: dict[str, Any] = {
        "intermediates": draw(st.integers(0, 3)),
        "changed_ppm": draw(st.none() | st.integers(0, 1_000_000)),
        "outside_pictures": draw(st.sampled_from([0, 0, 1])),
        "captured": draw(st.booleans()),
    }
    return replace(base, **{**fields, **dict.fromkeys(weak, False)})


@st.composite
def facts(draw: st.DrawFn) -> Facts:
    weak = draw(st.sets(st.sampled_from(BOOLS), max_size=2))
    return replace(
        BEST,
        steps=tuple(draw(st.lists(steps(), max_size=4))),
        origin=draw(st.sampled_from(list(OriginClass))),
        **dict.fromkeys(weak, False),
    )


def removals(found: Facts) -> list[Facts]:
    """Every way to take one piece of evidence away."""
    less = [replace(found, **{name: False}) for name in BOOLS]
    less += [replace(found, anchor=None), replace(found, timestamp_at=None)]
    less += [replace(found, identities=()), replace(found, standing_at=None)]
    less += [replace(found, ticket_at=None), replace(found, covered_at=None)]
    less += [replace(found, steps=(), origin=OriginClass.UNKNOWN)]
    less += [replace(found, credential="", credential_clean=False)]
    for at, step in enumerate(found.steps):
        weaker = [replace(step, **{name: False}) for name in STEP_BOOLS]
        weaker += [replace(step, intermediates=0), replace(step, changed_ppm=None)]
        for one in weaker:
            changed = (*found.steps[:at], one, *found.steps[at + 1 :])
            less.append(replace(found, steps=changed))
    return less


@given(facts())
def test_taking_evidence_away_never_raises_a_level(found: Facts) -> None:
    before = judge(found)
    for less in removals(found):
        after = judge(less)
        assert after.evidence <= before.evidence
        assert after.rights <= before.rights
        assert not (after.is_certified and not before.is_certified)


@given(facts(), st.sampled_from(["contested", "suspended", "superseded", "expired"]))
def test_an_objection_never_helps(found: Facts, stated: str) -> None:
    after = judge(replace(found, stated=stated))
    assert not after.is_certified
    assert after.evidence <= judge(found).evidence


@given(facts())
def test_a_level_stands_only_on_all_criteria_below_it(found: Facts) -> None:
    verdict = judge(found)
    for axis, level in (("E", verdict.evidence), ("R", verdict.rights)):
        mine = [one for one in verdict.criteria if one.axis == axis]
        assert all(one.passed for one in mine if one.level <= level)
        above = [one.passed for one in mine if one.level == level + 1]
        assert not above or not all(above)


def test_every_fact_is_read_by_the_policy_or_named_here() -> None:
    shown_only = {"declared", "capture_trusted"}
    read = {field.name for field in dataclasses.fields(Facts)} - shown_only
    for name in read:
        empty = getattr(Facts(), name)
        assert getattr(BEST, name) != empty or name in {
            "earlier_look_alikes",
            "undeclared_changes",
            "corroborations",
        }


# --- the policy as data.


def test_the_digest_names_the_policy() -> None:
    again = Policy.from_data(dict(POLICY.data))
    assert again.digest == POLICY.digest
    data = {**POLICY.data, "thresholds": {**POLICY.thresholds, "intermediates": 3}}
    stricter = Policy.from_data(data)
    assert stricter.digest != POLICY.digest
    assert evaluate(BEST, stricter, as_of=NOW).evidence == 2


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"v": 2}, "v"),
        ({"criteria": []}, "criteria"),
        ({"thresholds": {}}, "thresholds/bracket_seconds"),
        (
            {"criteria": [{"id": "e9.x", "axis": "E", "level": 1, "words": "x"}]},
            "criteria/0/id",
        ),
        ({"more": 1}, "more"),
    ],
)
def test_unknown_policy_data_is_refused(change: dict[str, Any], field: str) -> None:
    with pytest.raises(InputError) as caught:
        Policy.from_data({**POLICY.data, **change})
    assert caught.value.field == field


def test_the_same_facts_and_time_give_the_same_verdict() -> None:
    assert judge(BEST).to_json() == judge(BEST).to_json()
    assert judge(BEST).to_json()["as_of"] == "2026-11-23T12:00:00Z"
