"""From records to facts: whole stories, honest ones and a thief's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data

from colophon import records
from colophon.acts import Input, TicketRef
from colophon.authority import Authorities
from colophon.checks import Check, Code, Result
from colophon.errors import EvidenceError
from colophon.judgment import judge
from colophon.note import COSIGNATURE, NoteKey
from colophon.origin import IPTC, OriginClass
from colophon.policy import Verdict
from colophon.records import Part
from colophon.records.agreements import acceptance_typed_data
from colophon.report import Outcome, Report
from colophon.statement import Json
from colophon.trust import Trust
from colophon.verify import verify
from tests.colophon.bundles import (
    ADA,
    ADA_HOLDER,
    AI,
    CREDENTIAL,
    EDIT,
    FILE,
    MIA_HOLDER,
    PLATFORM_HOLDER,
    SOURCE,
    Story,
    an_id,
    at,
    authorities,
    digest,
    key,
    step,
    trust_of,
    usual_steps,
)

Made = list[tuple[Json, str]]
Steps = Callable[[Story, TicketRef | None], Made]
CREATION = IPTC + "digitalCreation"
CAPTURE = IPTC + "digitalCapture"


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Authorities:
    return authorities(tmp_path_factory.mktemp("pki"))


def report_of(story: Story) -> Report:
    report = verify(
        FILE, story.credential, story.tell(), trust_of(story.pki), as_of=at(60)
    )
    assert report.check(12).result is Result.PASSED  # verifier and platform agree
    return report


def verdict_of(story: Story) -> Verdict:
    verdict = report_of(story).verdict
    assert verdict is not None
    return verdict


def failed(verdict: Verdict) -> set[str]:
    return {one.id for one in verdict.criteria if not one.passed} - {"e4.corroborated"}


def inputs(*names: str, relation: str = "parentOf") -> tuple[Input, ...]:
    return tuple(Input(f"{name}.png", digest(name), relation) for name in names)


def test_the_usual_story_is_certified(pki: Authorities) -> None:
    verdict = verdict_of(Story(pki))
    assert failed(verdict) == set()
    assert verdict.word == "Certified provenance"


def test_the_platform_and_the_verifier_derive_the_same(pki: Authorities) -> None:
    bundle = Story(pki).tell()
    verdict, checks = judge(bundle, CREDENTIAL, trust_of(pki), as_of=at(20))
    report = verify(FILE, CREDENTIAL, bundle, trust_of(pki), as_of=at(20))
    assert report.verdict is not None
    assert report.verdict.to_json() == verdict.to_json()
    assert [one.number for one in checks] == list(range(1, 12))


def test_every_record_is_needed(pki: Authorities) -> None:
    """Removal of any one piece lowers the verdict (all but a bystander's key)."""
    bundle, trust = Story(pki).tell(), trust_of(pki)
    for gone in bundle.records:
        kept = tuple(one for one in bundle.records if one is not gone)
        less = replace(bundle, records=kept)
        try:
            verdict, _ = judge(less, CREDENTIAL, trust, as_of=at(20))
        except EvidenceError:
            assert gone.kind == "seal"
            continue
        needless = gone.kind == "verdict" or key("eve").key_id in str(gone.envelope)
        assert verdict.is_certified is needless, gone.kind


@pytest.mark.parametrize("change", [{"times": {}}, {"anchors": {}}])
def test_each_clock_is_needed(pki: Authorities, change: dict[str, Any]) -> None:
    less = replace(Story(pki).tell(), **change)
    verdict, _ = judge(less, CREDENTIAL, trust_of(pki), as_of=at(20))
    assert "e3.clocks" in failed(verdict)
    assert not verdict.is_certified


def test_a_quorum_of_witnesses_is_one_corroboration(pki: Authorities) -> None:
    names = ("w1.example", "w2.example")
    known = tuple(NoteKey.of_signer(n, key(n), COSIGNATURE) for n in names)
    two = replace(
        trust_of(pki), witness_keys=known, quorum=2, independent_witnesses=names
    )
    story = Story(pki, witnesses=names, trust=two)
    verdict, _ = judge(story.tell(), CREDENTIAL, two, as_of=at(20))
    (last,) = [one for one in verdict.criteria if one.id == "e4.corroborated"]
    assert (last.detail, last.passed, verdict.evidence) == ("witness", False, 3)
    alone = replace(story, witnesses=names[:1])
    verdict, _ = judge(alone.tell(), CREDENTIAL, two, as_of=at(20))
    assert "nobody else" in verdict.criteria[-5].detail
    ours = replace(two, independent_witnesses=names[:1])
    verdict, _ = judge(story.tell(), CREDENTIAL, ours, as_of=at(20))
    assert "nobody else" in verdict.criteria[-5].detail


def heads_of(story: Story, trust: Trust) -> Check:
    """Check 8 of a story, by the platform."""
    _, checks = judge(story.tell(), CREDENTIAL, trust, as_of=at(20))
    (found,) = [one for one in checks if one.number == 8]
    return found


def test_a_head_is_final_with_witness_chain_and_time_stamp(pki: Authorities) -> None:
    known = (NoteKey.of_signer("w1.example", key("w1.example"), COSIGNATURE),)
    trust = replace(trust_of(pki), witness_keys=known, quorum=1)
    story = Story(pki, witnesses=("w1.example",), trust=trust)
    found = heads_of(story, trust)
    assert found.result is Result.PASSED
    first, last = found.detail
    assert "pending: waits for a final block" in first
    assert "final: witness, time-stamp and chain agree within 60 s" in last
    without = heads_of(replace(story, witnesses=()), trust)
    assert "pending: waits for a witness" in without.detail[-1]
    assert heads_of(story, trust_of(pki)).detail == ()


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (-60 * 24 * 30, "disagrees: a witness and the other clocks are 30 days apart"),
        (60 * 24 * 365 * 270, "pending: waits for a witness"),
    ],
)
def test_a_witness_with_another_time_makes_no_head_final(
    pki: Authorities, minutes: int, words: str
) -> None:
    """An old time contradicts the clocks, and one in the year 2300 is no time yet."""
    known = (NoteKey.of_signer("w1.example", key("w1.example"), COSIGNATURE),)
    trust = replace(
        trust_of(pki),
        witness_keys=known,
        quorum=1,
        independent_witnesses=("w1.example",),
    )
    story = Story(pki, witnesses=("w1.example",), trust=trust, witness_ahead=minutes)
    found = heads_of(story, trust)
    assert words in found.detail[-1]
    assert (found.result is Result.PASSED) is ("pending" in words)
    verdict, _ = judge(story.tell(), CREDENTIAL, trust, as_of=at(20))
    assert verdict.is_certified
    assert "nobody else" in verdict.criteria[-5].detail


# --- the thief: own account, own enrolled key, own script, somebody else's picture


def created_by_script(_story: Story, ref: TicketRef | None) -> Made:
    return [step(ref, 0, "c2pa.created", "b", source_type=CREATION)]


def created_with_repeated_drafts(_story: Story, ref: TicketRef | None) -> Made:
    drafts = ("b", "proxy b", "draft")  # the result, its proxy, and one draft
    return [
        step(ref, 0, "c2pa.created", "b", source_type=CREATION, intermediates=drafts)
    ]


def opened_and_edited(_story: Story, ref: TicketRef | None) -> Made:
    drafts = ("draft 1", "draft 2", "draft 3")
    return [
        step(ref, 0, "c2pa.opened", "found", inputs=inputs("found")),
        step(
            ref,
            1,
            "c2pa.edited",
            "b",
            inputs=inputs("found"),
            source_type=EDIT,
            intermediates=drafts,
        ),
    ]


def claims_a_strangers_model(_story: Story, ref: TicketRef | None) -> Made:
    return [step(ref, 0, "c2pa.created", "b", kind="agent", source_type=AI, model=True)]


def swaps_in_a_silent_step(story: Story, ref: TicketRef | None) -> Made:
    made = usual_steps(story, ref)[:1]
    silent = step(ref, 1, "c2pa.enhanced", "b", inputs=inputs("a"))
    return [*made, silent]


def edits_everything_away(story: Story, ref: TicketRef | None) -> Made:
    made = usual_steps(story, ref)[:1]
    whole = step(ref, 1, "c2pa.edited", "b", inputs=inputs("a"), source_type=EDIT)
    return [*made, whole]


def pastes_a_found_picture(story: Story, ref: TicketRef | None) -> Made:
    made = usual_steps(story, ref)[:1]
    both = (*inputs("a"), *inputs("found", relation="componentOf"))
    drafts = ("draft 1", "draft 2")
    pasted = step(
        ref,
        1,
        "c2pa.placed",
        "b",
        inputs=both,
        source_type=EDIT,
        intermediates=drafts,
    )
    return [*made, pasted]


@pytest.mark.parametrize(
    ("steps", "criterion"),
    [
        (created_by_script, "e3.grounded"),
        (created_with_repeated_drafts, "e3.grounded"),
        (opened_and_edited, "e3.grounded"),
        (claims_a_strangers_model, "e3.grounded"),
        (edits_everything_away, "e3.grounded"),
        (pastes_a_found_picture, "e3.grounded"),
        (swaps_in_a_silent_step, "e3.grounded"),
    ],
)
def test_a_thief_ends_at_e2(pki: Authorities, steps: Steps, criterion: str) -> None:
    verdict = verdict_of(Story(pki, steps=steps))
    if steps is swaps_in_a_silent_step:
        # The platform compared the pictures here and found nothing; see below.
        assert "e3.changes" not in failed(verdict)
        return
    assert criterion in failed(verdict)
    assert (verdict.evidence, verdict.word) == (2, "Credentialed")
    assert not verdict.origin_words.endswith("(recorded)")


def test_a_silent_step_that_nobody_compared_ends_at_e2(pki: Authorities) -> None:
    story = Story(pki, steps=swaps_in_a_silent_step, compared=False)
    assert failed(verdict_of(story)) == {"e3.changes"}


@pytest.mark.parametrize(
    "changes",
    [
        {"source_owner": ADA, "source_account": "ada", "runtime_account": "ada"},
        {"runtime_account": "eve"},
        {"source_owner": None},
        {"source_account": "ada", "runtime_account": "ada"},
        {"source_owner": ADA},
    ],
    ids=[
        "a model of one's own",
        "a runtime key enrolled by another than the owner",
        "a model that nobody owns",
        "the owner's name over one's own key",
        "one's own name over the owner's key",
    ],
)
def test_a_model_grounds_only_when_its_owner_is_somebody_else(
    pki: Authorities, changes: dict[str, Any]
) -> None:
    verdict = verdict_of(Story(pki, **changes))
    assert "e3.grounded" in failed(verdict)
    assert verdict.evidence == 2


# --- keys, tickets and time


@pytest.mark.parametrize(
    ("changes", "criteria"),
    [
        ({"late_actor": True}, {"e3.keys"}),
        ({"actor_custody": "server"}, {"e3.custody"}),
        ({"ticket_minutes": -24 * 60}, {"e3.bracket"}),
        ({"intermediates": ("draft 1",)}, {"e3.grounded"}),
        ({"earlier_look_alikes": 1}, {"e3.first"}),
        ({"identities": ()}, {"e2.account"}),
        ({"revoked": ("ada-laptop", "ada", 4)}, {"e3.keys"}),
        ({"revoked": ("ada-laptop", "platform", 4)}, {"e3.keys"}),
        ({"revoked": ("ada-laptop", "ada-laptop", 4)}, {"e3.keys"}),
        ({"revoked": ("platform", "platform", 4)}, {"e1.seal"}),
        ({"revoked": ("ada-laptop", "eve", 4)}, set()),
        ({"revoked": ("ada-laptop", "ada", 6)}, set()),
        ({"terms": None}, {"r1.terms"}),
        ({"ask_ppm": 200_000}, set()),
        ({"ask_ppm": 200_001}, {"r2.accepted"}),
    ],
)
def test_each_weakness_costs_exactly_its_criterion(
    pki: Authorities, changes: dict[str, Any], criteria: set[str]
) -> None:
    assert failed(verdict_of(Story(pki, **changes))) == criteria


def test_steps_without_a_ticket_are_credentialed(pki: Authorities) -> None:
    report = report_of(Story(pki, ticketless=True))
    assert report.outcome is Outcome.GENUINE
    assert report.check(6).code is Code.MISSING
    assert report.verdict is not None
    assert report.verdict.evidence == 2


def test_a_work_without_steps_is_credentialed(pki: Authorities) -> None:
    verdict = verdict_of(Story(pki, steps=lambda _story, _ref: []))
    assert (verdict.evidence, verdict.origin) == (2, OriginClass.HYBRID)
    assert verdict.origin_words == "Human and AI together (declared)"


def test_a_part_held_back_caps_the_rights(pki: Authorities) -> None:
    parts = (
        Part(PLATFORM_HOLDER, "platform", 100_000),
        Part(MIA_HOLDER, "source", 200_000, SOURCE),
        Part(an_id("hld", 77), "source", 100_000, an_id("src", 78), reserved=True),
        Part(ADA_HOLDER, "creator", 600_000),
    )
    verdict = verdict_of(Story(pki, parts=parts))
    assert failed(verdict) == {"r2.claimed"}
    assert (verdict.rights, verdict.word) == (1, "Credentialed")


def test_a_contested_work_says_so_before_anything_else(pki: Authorities) -> None:
    report = report_of(Story(pki, stated="contested"))
    assert report.verdict is not None
    assert (report.verdict.evidence, report.verdict.word) == (3, "Contested")
    assert report.check(13).code is Code.OBJECTION
    assert report.exit_code == 0


# --- chains of steps that do not hold


def out_of_order(story: Story, ref: TicketRef | None) -> Made:
    made = usual_steps(story, ref)
    return [made[1], made[0], made[2]]


def ends_elsewhere(story: Story, ref: TicketRef | None) -> Made:
    return usual_steps(story, ref)[:1]


def leads_nowhere(story: Story, ref: TicketRef | None) -> Made:
    made = usual_steps(story, ref)
    stray = step(
        ref,
        3,
        "c2pa.created",
        "stray",
        source_type=CREATION,
        intermediates=("s1", "s2"),
    )
    return [*made, stray]


def signed_by_another(story: Story, ref: TicketRef | None) -> Made:
    made = usual_steps(story, ref)
    return [made[0], (made[1][0], "runtime"), made[2]]


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        (out_of_order, "not in the order"),
        (ends_elsewhere, "does not lead to this file"),
        (leads_nowhere, "Step 4 does not lead"),
        (signed_by_another, "Step 2 is not signed by the key it names"),
    ],
)
def test_steps_that_do_not_hold_together_are_named(
    pki: Authorities, steps: Steps, words: str
) -> None:
    report = report_of(Story(pki, steps=steps))
    assert words in report.check(5).words
    assert report.check(5).result is Result.FAILED
    assert report.outcome is Outcome.ALTERED
    assert report.verdict is not None
    assert report.verdict.evidence <= 2


def test_a_dropped_ai_step_breaks_the_chain(pki: Authorities) -> None:
    """The generated picture stays an input that no record explains."""
    story = Story(pki, steps=lambda s, r: usual_steps(s, r)[1:])
    verdict = verdict_of(story)
    assert {"e3.chain", "e3.grounded"} <= failed(verdict)
    assert verdict.origin is OriginClass.UNKNOWN


def test_human_words_by_a_tool_are_not_clear(pki: Authorities) -> None:
    def by_tool(story: Story, ref: TicketRef | None) -> Made:
        made = usual_steps(story, ref)
        retouch = step(
            ref,
            1,
            "c2pa.edited",
            "b",
            kind="tool",
            source_type=EDIT,
            inputs=inputs("a"),
            intermediates=("draft 1", "draft 2"),
        )
        return [made[0], retouch, made[2]]

    verdict = verdict_of(Story(pki, steps=by_tool))
    assert {"e3.readable", "e3.grounded"} <= failed(verdict)
    assert verdict.origin is OriginClass.UNKNOWN


def test_a_credential_with_ai_contradicts_human_steps(pki: Authorities) -> None:
    def drawn(_story: Story, ref: TicketRef | None) -> Made:
        drafts = ("draft 1", "draft 2")
        return [
            step(
                ref,
                0,
                "c2pa.created",
                "b",
                source_type=CREATION,
                intermediates=drafts,
            )
        ]

    honest = replace(CREDENTIAL, source_types=(CREATION,), origin="HUMAN_MADE")
    made = verdict_of(Story(pki, steps=drawn, credential=honest))
    assert (made.evidence, made.origin) == (3, OriginClass.HUMAN_MADE)
    assert made.origin_words == "Human-made (recorded)"
    lying = verdict_of(Story(pki, steps=drawn))
    assert lying.origin is OriginClass.UNKNOWN


def test_a_trusted_capture_grounds_its_start(pki: Authorities) -> None:
    def photographed(_story: Story, ref: TicketRef | None) -> Made:
        return [
            step(ref, 0, "c2pa.opened", "b", inputs=inputs("b")),
            step(ref, 1, "c2pa.published", "b", inputs=inputs("b")),
        ]

    camera = replace(
        CREDENTIAL, source_types=(CAPTURE,), origin="CAPTURE", captured=True
    )
    made = verdict_of(Story(pki, steps=photographed, credential=camera))
    assert (made.evidence, made.origin) == (3, OriginClass.CAPTURE)
    plain = replace(camera, captured=False)
    declared = verdict_of(Story(pki, steps=photographed, credential=plain))
    assert declared.evidence == 2
    assert declared.origin is OriginClass.UNKNOWN


def by_wallet(agreement: bytes, *, signer: str, named: str, extra: int = 0) -> Json:
    """Ada's acceptance by the wallet `signer`, in the name of the wallet `named`."""
    address = Account.from_key(digest(named)).address.lower()
    data = acceptance_typed_data(
        agreement_digest=agreement, holder=ADA_HOLDER, wallet=address, chain_id=31337
    )
    signed = Account.from_key(digest(signer)).sign_message(
        encode_typed_data(full_message=data)
    )
    return records.acceptance(
        agreement_digest=agreement,
        holder=ADA_HOLDER,
        method="eip712",
        accepted_at=at(10),
        wallet=address,
        chain_id=31337,
        signature=bytes(signed.signature) + bytes(extra),
    )


def test_a_wallet_accepts_by_its_signature(pki: Authorities) -> None:
    def sign(agreement: bytes) -> Json:
        return by_wallet(agreement, signer="ada wallet", named="ada wallet")

    assert verdict_of(Story(pki, wallet=sign)).rights == 2


def test_a_contract_wallet_is_believed_through_the_platform(pki: Authorities) -> None:
    def sign(agreement: bytes) -> Json:
        return by_wallet(agreement, signer="guard", named="contract", extra=3)

    assert verdict_of(Story(pki, wallet=sign)).rights == 2


def test_another_wallet_accepts_nothing(pki: Authorities) -> None:
    def sign(agreement: bytes) -> Json:
        return by_wallet(agreement, signer="eve wallet", named="ada wallet")

    report = report_of(Story(pki, wallet=sign))
    assert report.check(11).result is Result.FAILED
    assert "not signed by the wallet" in report.check(11).words
    assert report.verdict is not None
    assert report.verdict.rights == 1
