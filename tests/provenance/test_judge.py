"""Verdicts: computed from the evidence, signed, logged, and only the newest counts."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.models import Party, User
from accounts.platform import platform_signer, verdict_signer
from colophon import statement
from colophon.policy import POLICY
from colophon.records import Verdict as RecordedVerdict
from colophon.records import parse_standing, parse_verdict
from log.models import Entry
from outbox.claims import Claim, LostClaim
from outbox.inline import drain
from outbox.models import Job
from provenance.assemble import bundle_for
from provenance.envelopes import envelope_of
from provenance.judge import judge_asset
from provenance.models import Asset, Dispute, Seal, Verdict
from tests import factories
from tests.cast import party_of
from tests.loop import SOON, Person, failed, judge, picture, seal, upload

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


@pytest.fixture
def work(ada: User) -> Asset:
    return factories.sealed_asset(party_of(ada))


def now(asset: Asset) -> Verdict:
    asset = Asset.objects.get(pk=asset.pk)
    return judge_asset(asset=asset, bundle=bundle_for(asset))


def test_a_verdict_is_a_signed_summary_of_its_row(work: Asset) -> None:
    row = judge(work)
    said = parse_verdict(
        statement.verify(envelope_of(row.entry), verdict_signer().public_spki)
    )
    assert said.file == bytes(work.seal.file_digest)
    assert f"COLOPHON_E{row.evidence_level}" in said.levels
    assert f"COLOPHON_O_{row.origin_class}" in said.levels
    assert f"COLOPHON_R{row.rights_level}" in said.levels
    assert (said.standing, said.policy_digest) == (row.standing, POLICY.digest)
    assert said.verified_at == row.as_of
    assert said.expires_at == row.expires_at == row.as_of + timedelta(days=7)
    assert dict(said.criteria) == {one["id"]: one["passed"] for one in row.criteria}
    assert row.envelope == row.entry.envelope


def said_by(row: Verdict) -> RecordedVerdict:
    return parse_verdict(statement.read_statement(envelope_of(row.entry).payload))


def test_the_result_is_what_the_levels_and_the_standing_say(work: Asset) -> None:
    """A verdict that says PASSED whatever was found would be worth nothing."""
    good = judge(work)
    assert (good.evidence_level, good.standing) == (2, "active")
    assert said_by(good).passed
    Dispute.objects.create(asset=work, reason="not-yours", text="…")
    contested = judge(work)
    assert contested.standing == "contested"
    assert not said_by(contested).passed


def test_a_work_whose_credential_does_not_hold_fails(work: Asset) -> None:
    Seal.objects.update(credential={**work.seal.credential, "state": "invalid"})
    row = now(work)
    assert row.evidence_level == 0
    assert not said_by(row).passed


def test_a_criterion_is_met_or_not_met_or_not_reached(work: Asset) -> None:
    row = judge(work)
    found = {one["id"]: one["result"] for one in row.criteria}
    assert found["e1.seal"] == found["e2.log"] == "passed"
    assert found["e3.custody"] == "failed", "the next level asks for it"
    assert found["e4.corroborated"] == "not_reached", "nobody asked for it yet"
    assert all((one["result"] == "passed") is one["passed"] for one in row.criteria)


def test_the_standing_is_stated_with_it(work: Asset) -> None:
    row = now(work)
    said = parse_standing(
        statement.verify(envelope_of(row.standing_entry), platform_signer().public_spki)
    )
    assert (said.before, said.after, said.reason) == (
        "pending",
        "active",
        "no-objection",
    )
    assert row.standing == "pending"  # nothing is anchored yet
    assert now(work).standing == "pending"


def test_a_work_grows_level_by_level(maker: Person) -> None:
    asset = seal(upload(maker, picture()))
    first = now(asset)
    assert (first.evidence_level, first.standing) == (1, "pending")
    assert set(failed(first)) >= {"e2.log", "e2.clock"}
    second = judge(asset, maker)
    assert (second.evidence_level, second.standing) == (2, "active")
    assert asset.verdicts.first() == second


def test_without_a_verified_identity_it_stays_at_e1(ada: User) -> None:
    person = Person.of(ada)
    Party.objects.update(verified_at=None)
    verdict = judge(seal(upload(person, picture())), person)
    assert verdict.evidence_level == 1
    assert set(failed(verdict)) >= {"e2.account"}


@pytest.mark.parametrize(
    ("state", "standing", "reason"),
    [
        ("open", "contested", "dispute-open"),
        ("upheld", "suspended", "dispute-upheld"),
        ("rejected", "active", "no-objection"),
    ],
)
def test_disputes_override(work: Asset, state: str, standing: str, reason: str) -> None:
    Dispute.objects.create(asset=work, reason="not-yours", text="…", state=state)
    row = judge(work)
    said = parse_standing(
        statement.read_statement(envelope_of(row.standing_entry).payload)
    )
    assert (row.standing, said.after, said.reason) == (standing, standing, reason)
    assert (row.word == standing.capitalize()) == (standing != "active")


def test_an_upheld_dispute_outweighs_an_open_one(work: Asset) -> None:
    for state in ("open", "upheld"):
        Dispute.objects.create(asset=work, reason="r", text="…", state=state)
    assert judge(work).standing == "suspended"


def test_a_newer_version_supersedes_once_it_is_published(
    work: Asset, ada: User
) -> None:
    newer = factories.sealed_asset(party_of(ada), seed=2)
    Asset.objects.filter(pk=newer.pk).update(supersedes=work)
    assert judge(work).standing == "active"
    Asset.objects.filter(pk=newer.pk).update(published_at=newer.created_at)
    row = judge(work)
    assert (row.standing, row.word) == ("superseded", "Superseded")


def test_the_next_verdict_names_the_standing_before(work: Asset) -> None:
    judge(work)
    Dispute.objects.create(asset=work, reason="r", text="…")
    row = now(work)
    said = parse_standing(
        statement.read_statement(envelope_of(row.standing_entry).payload)
    )
    assert (said.before, said.after) == ("active", "contested")


def test_no_verdict_rests_on_a_verdict(work: Asset) -> None:
    """Judging again from a bundle that carries a verdict gives the same levels."""
    first = judge(work)
    assert bundle_for(work).one("verdict") is not None
    second = now(work)
    same = ("evidence_level", "origin_class", "rights_level", "standing", "word")
    assert [getattr(first, one) for one in same] == [
        getattr(second, one) for one in same
    ]
    said = parse_verdict(statement.read_statement(envelope_of(second.entry).payload))
    before = parse_verdict(statement.read_statement(envelope_of(first.entry).payload))
    assert said.inputs != before.inputs  # another standing statement
    records = {one.envelope.digest for one in bundle_for(work).records}
    assert len(set(said.inputs) & records) >= 3, "the evidence is named one by one"
    signed = (first.entry, second.entry)
    assert not {envelope_of(one).digest for one in signed} & set(said.inputs)


def test_judging_asks_for_the_listing_to_be_refreshed(work: Asset) -> None:
    row = now(work)
    job = Job.objects.get(key=f"refresh:{work.code}:{row.pk}")
    assert (job.kind, job.payload) == ("listing.refresh", {"asset": work.pk})


def test_a_lost_claim_leaves_no_verdict(work: Asset) -> None:
    factories.agreed(work)
    job = Job.objects.get(kind="asset.judge")
    claim = Claim.take(job)
    assert claim is not None
    Job.objects.filter(pk=job.pk).update(token=99)
    entries = Entry.objects.count()
    with pytest.raises(LostClaim):
        judge_asset(asset=work, bundle=bundle_for(work), claim=claim)
    assert (Verdict.objects.count(), Entry.objects.count()) == (0, entries)


def test_the_job_judges_an_agreement_once_the_log_covers_it(work: Asset) -> None:
    factories.agreed(work)
    assert drain(kinds={"asset.judge"}, ahead=SOON) == 0
    assert not work.verdicts.exists()
    factories.logged()
    assert drain(kinds={"asset.judge"}, ahead=timedelta(seconds=5)) == 1
    assert work.verdicts.get().rights_level == 2
