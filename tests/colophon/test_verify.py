"""The verifier: the good case, every way to cheat, and the thirteen answers."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from colophon import records
from colophon.authority import Authorities
from colophon.checks import NAMES, Code, Result
from colophon.digest import canonical
from colophon.evidence import Bundle, Record
from colophon.filematch import CredentialFacts, FileDigests
from colophon.report import Outcome, Report, worst_exit
from colophon.statement import read_statement, sign
from colophon.trust import TrustedKey
from colophon.verify import verify
from tests.colophon.bundles import (
    ASSET,
    CREDENTIAL,
    FILE,
    Story,
    an_id,
    at,
    authorities,
    digest,
    key,
    sort_records,
    trust_of,
)
from tests.colophon.tampers import TAMPERS, Case, Line


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Authorities:
    return authorities(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="module")
def case(pki: Authorities) -> Case:
    return Case(Story(pki).tell(), FILE, CREDENTIAL, trust_of(pki))


@pytest.fixture(scope="module")
def good(case: Case) -> Report:
    return report_of(case)


def report_of(case: Case, minutes: float = 60) -> Report:
    return verify(
        case.file, case.credential, case.bundle, case.trust, as_of=at(minutes)
    )


def test_good_evidence_passes_every_check(case: Case) -> None:
    report = report_of(case)
    assert [one.result for one in report.checks] == [Result.PASSED] * 13
    assert [one.name for one in report.checks] == list(NAMES)
    assert (report.outcome, report.exit_code) == (Outcome.GENUINE, 0)
    assert report.verdict is not None
    assert report.verdict.word == "Certified provenance"
    assert report.match == "sealed"
    assert report.proven_at == at(12)


def test_the_recorded_part_is_the_same_bytes_everywhere(case: Case) -> None:
    once = report_of(case).recorded_bytes()
    again = Bundle.from_bytes(case.bundle.to_bytes())
    assert report_of(replace(case, bundle=again)).recorded_bytes() == once
    assert canonical(json.loads(once)) == once


def test_the_story_told_twice_gives_the_same_bytes(
    case: Case, pki: Authorities
) -> None:
    # Tokens carry fresh ECDSA signatures, everything else is determined.
    twice = replace(Story(pki).tell(), times=case.bundle.times)
    assert twice.to_bytes() == case.bundle.to_bytes()


def rotated(case: Case) -> Case:
    """The platform has new keys since: its newest statements are signed with them.

    The seal, the ticket and the log's heads stay as they were signed.
    """
    fresh = {"standing": key("platform two"), "verdict": key("verdict two")}

    def signed_anew(one: Record) -> Record:
        if one.kind not in fresh:
            return one
        said = read_statement(one.envelope.payload)
        return Record(one.kind, sign(said, fresh[one.kind]), one.salt)

    found = map(signed_anew, case.bundle.records)
    both = replace(
        case.trust,
        platform_keys=(
            TrustedKey.of(fresh["standing"].public_spki),
            *case.trust.platform_keys,
        ),
        verdict_keys=(
            TrustedKey.of(fresh["verdict"].public_spki),
            *case.trust.verdict_keys,
        ),
    )
    return replace(case, bundle=replace(case.bundle, records=tuple(found)), trust=both)


def test_evidence_outlives_a_rotation_of_the_platforms_keys(case: Case) -> None:
    after = rotated(case)
    report = report_of(after)
    assert (report.outcome, report.exit_code) == (Outcome.GENUINE, 0)
    assert report.check(4).result is report.check(12).result is Result.PASSED
    assert report.verdict is not None
    assert report.verdict.word == "Certified provenance"
    old = report_of(replace(after, bundle=case.bundle))
    assert old.outcome is Outcome.GENUINE, "what was signed before still counts"


def test_a_key_that_left_the_trust_file_counts_no_more(case: Case) -> None:
    after = rotated(case)
    new_only = replace(
        after.trust,
        platform_keys=after.trust.platform_keys[:1],
        verdict_keys=after.trust.verdict_keys[:1],
    )
    report = report_of(replace(after, trust=new_only))
    assert report.exit_code == 4, "the seal's signer is not known any more"
    not_yet = report_of(replace(after, trust=case.trust))
    assert not_yet.check(12).code is Code.UNKNOWN_SIGNER, "fetch the trust file anew"


@pytest.mark.parametrize("line", TAMPERS, ids=[one[0] for one in TAMPERS])
def test_a_tamper_is_found_and_named(case: Case, good: Report, line: Line) -> None:
    _, tamper, number, code, outcome = line
    report = report_of(tamper(case))
    if number:
        check = report.check(number)
        assert check.result is not Result.PASSED
        assert check.code is code
        assert check.words.endswith(".")
    assert report.outcome is outcome
    assert (report.exit_code == 0) is (outcome is Outcome.GENUINE)
    assert report.verdict is not None
    assert good.verdict is not None
    assert report.verdict.evidence <= good.verdict.evidence
    assert report.verdict.rights <= good.verdict.rights


def test_there_are_enough_tampers_and_each_has_a_name() -> None:
    assert len({one[0] for one in TAMPERS}) == len(TAMPERS) >= 30
    assert {one[2] for one in TAMPERS} >= set(range(1, 14))


# --- which file is it


def test_the_uploaded_file_is_recognized(case: Case) -> None:
    mine = replace(
        case, file=FileDigests(digest("b")), credential=CredentialFacts("none")
    )
    report = report_of(mine)
    assert (report.match, report.outcome) == ("uploaded", Outcome.GENUINE)
    assert report.check(2).result is Result.NOT_CHECKED
    assert report.check(12).result is Result.PASSED
    assert report.verdict is not None
    assert report.verdict.evidence == 3


def test_the_same_pixels_in_another_file_are_recognized(case: Case) -> None:
    bare = CredentialFacts("none")
    stripped = FileDigests(digest("stripped"), FILE.pixels)
    report = report_of(replace(case, file=stripped, credential=bare))
    assert (report.match, report.outcome) == ("pixels", Outcome.GENUINE)
    other = FileDigests(digest("stripped"), digest("other pixels"))
    report = report_of(replace(case, file=other, credential=bare))
    assert (report.match, report.outcome) == ("none", Outcome.ALTERED)


def delivered(case: Case, by: str) -> Case:
    said = records.delivery(
        license_id=an_id("lic", 1),
        asset=ASSET,
        delivered=digest("copy"),
        file=FILE.sha256,
        made_at=at(40),
    )
    record = Record("delivery", sign(said, key(by)), bytes(32))
    found = sort_records((*case.bundle.records, record))
    copy = replace(CREDENTIAL, signature=digest("delivery").hex())
    return replace(
        case,
        bundle=replace(case.bundle, records=found),
        file=FileDigests(digest("copy")),
        credential=copy,
    )


def test_a_licensed_copy_is_recognized(case: Case) -> None:
    report = report_of(delivered(case, "platform"))
    assert (report.match, report.outcome) == ("delivery", Outcome.GENUINE)
    assert an_id("lic", 1) in report.check(1).words
    assert report.check(2).result is Result.PASSED


def test_a_licensed_copy_by_a_thief_is_no_copy(case: Case) -> None:
    report = report_of(delivered(case, "thief"))
    assert (report.match, report.outcome) == ("none", Outcome.ALTERED)


def test_a_recorded_credential_counts_only_when_a_verdict_names_it(
    case: Case,
) -> None:
    """A copy without credential rests on what the platform recorded."""
    forged = replace(CREDENTIAL, source_types=()).to_json()
    mine = replace(
        case,
        file=FileDigests(digest("b")),
        credential=CredentialFacts("none"),
        bundle=replace(case.bundle, credential=forged),
    )
    report = report_of(mine)
    assert report.verdict is not None
    assert report.verdict.evidence == 0
    assert report.check(12).code is Code.MISMATCH


# --- trust


def test_without_trust_nothing_passes_and_the_exit_says_so(case: Case) -> None:
    report = verify(FILE, CREDENTIAL, case.bundle, None, as_of=at(60))
    assert report.outcome is Outcome.COULD_NOT_CHECK
    assert report.exit_code == 10
    assert "signer not known to you" in report.summary
    assert report.check(4).code is Code.NO_TRUST
    assert report.verdict is None


def test_without_trust_a_changed_file_is_still_found(case: Case) -> None:
    other = FileDigests(digest("other"))
    report = verify(other, CREDENTIAL, case.bundle, None, as_of=at(60))
    assert (report.outcome, report.exit_code) == (Outcome.ALTERED, 1)


# --- without evidence


@pytest.mark.parametrize(
    ("changes", "outcome", "code"),
    [
        ({"state": "none", "signature": ""}, Outcome.NO_RECORD, 2),
        ({"state": "remote"}, Outcome.NO_RECORD, 2),
        (
            {"state": "invalid", "failures": ("assertion.dataHash.mismatch",)},
            Outcome.ALTERED,
            1,
        ),
        ({"state": "valid"}, Outcome.OTHER_SIGNER, 4),
        ({"state": "trusted"}, Outcome.OTHER_SIGNER, 4),
        ({"state": "trusted", "steps": ()}, Outcome.COULD_NOT_CHECK, 13),
        ({"state": "error"}, Outcome.COULD_NOT_CHECK, 12),
        (
            {
                "state": "invalid",
                "expired": True,
                "failures": ("signingCredential.expired",),
            },
            Outcome.OTHER_SIGNER,
            4,
        ),
    ],
)
def test_a_file_without_evidence_is_judged_by_its_credential(
    case: Case, changes: dict[str, object], outcome: Outcome, code: int
) -> None:
    credential = replace(CREDENTIAL, **changes)  # type: ignore[arg-type]
    report = verify(FILE, credential, None, case.trust, as_of=at(60))
    assert (report.outcome, report.exit_code) == (outcome, code)


def test_a_look_alike_is_said_to_prove_nothing(case: Case) -> None:
    similar = [{"asset": ASSET, "bits": 12}]
    bare = CredentialFacts("none")
    report = verify(FILE, bare, None, case.trust, as_of=at(60), similar=similar)
    assert (report.outcome, report.exit_code) == (Outcome.LOOKS_LIKE, 3)
    assert "proves nothing" in report.summary


# --- time


def test_after_a_week_the_standing_is_unknown(case: Case) -> None:
    minutes = timedelta(days=7).total_seconds() / 60 + 21
    report = report_of(case, minutes)
    assert report.outcome is Outcome.GENUINE
    assert report.check(13).code is Code.EXPIRED
    day = f"{at(20) + timedelta(days=7):%Y-%m-%d}"
    assert f"unknown since {day}" in report.check(13).words
    assert report.check(12).result is Result.PASSED
    assert report.verdict is not None
    assert not report.verdict.is_certified


def test_a_verdict_of_later_does_not_count_yet(case: Case) -> None:
    report = report_of(case, 15)
    assert report.check(12).result is Result.NOT_CHECKED
    assert report.signed is None


def test_an_old_verdict_does_not_hide_a_later_suspension(case: Case) -> None:
    """Replaying last week's verdict beside today's standing is seen."""
    suspended = next(t for name, t, *_ in TAMPERS if name == "the work suspended since")
    before, after = report_of(suspended(case), 25), report_of(suspended(case), 60)
    assert before.check(13).result is Result.PASSED
    assert after.check(12).result is Result.PASSED
    assert after.check(13).code is Code.OBJECTION
    assert after.verdict is not None
    assert after.verdict.word == "Suspended"


def test_a_suspension_by_a_thief_is_not_heard(case: Case) -> None:
    said = records.standing(
        asset=ASSET,
        file=FILE.sha256,
        before="active",
        after="suspended",
        reason="envy",
        at=at(30),
    )
    one = Record("standing", sign(said, key("thief")), bytes(32))
    found = sort_records((*case.bundle.records, one))
    report = report_of(replace(case, bundle=replace(case.bundle, records=found)))
    assert report.check(13).result is Result.PASSED


def test_an_expired_certificate_is_not_tampering(case: Case) -> None:
    expired = replace(
        CREDENTIAL,
        state="invalid",
        clean=False,
        expired=True,
        failures=("signingCredential.expired", "signingCredential.untrusted"),
    )
    report = report_of(replace(case, credential=expired))
    assert report.outcome is Outcome.GENUINE
    assert report.check(2).code is Code.EXPIRED
    assert report.check(12).result is Result.PASSED


def test_an_unreadable_credential_does_not_hide_the_record(case: Case) -> None:
    report = report_of(replace(case, credential=CredentialFacts("error")))
    assert report.outcome is Outcome.GENUINE
    assert report.check(2).code is Code.UNREADABLE


# --- exit codes


def test_the_worst_of_many_files_follows_the_documented_order() -> None:
    assert worst_exit([]) == 0
    assert worst_exit([0, 2]) == 2
    assert worst_exit([2, 3]) == 3
    assert worst_exit([3, 4]) == 4
    assert worst_exit([4, 12]) == 12
    assert worst_exit([12, 10, 0]) == 10
    assert worst_exit([10, 1, 0]) == 1
