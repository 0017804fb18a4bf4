"""Evidence: complete, exactly what the seal names, and the same on any machine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts import keys
from accounts.models import SigningKey, User
from colophon.evidence import Bundle
from colophon.filematch import CredentialFacts, FileDigests
from colophon.report import Outcome
from colophon.verify import verify
from log.models import Checkpoint
from provenance.assemble import bundle_for
from provenance.errors import ErasedError
from provenance.models import Asset
from provenance.record import append_step
from provenance.trusted import site_trust
from tests import factories
from tests.cast import party_of
from tests.loop import Person, judge, network, picture, seal, stamp, upload
from tests.provenance.test_record import enrolled, written
from tests.provenance.test_shares import work_with

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


def kinds(bundle: Bundle) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in bundle.records:
        found[one.kind] = found.get(one.kind, 0) + 1
    return found


def proofs_of(bundle: Bundle, kind: str) -> list[int]:
    """Sizes of the checkpoints that a record is proved in."""
    (record,) = bundle.of(kind)
    return [one.checkpoint.size for one in record.proofs]


def checked(asset: Asset, bundle: Bundle) -> Any:
    """What the offline verifier says, with the site's trust file and nothing else."""
    return verify(
        FileDigests(bytes(asset.seal.file_digest)),
        CredentialFacts.from_json(asset.seal.credential),
        Bundle.from_bytes(bundle.to_bytes()),
        site_trust(),
        as_of=datetime.now(UTC) + timedelta(seconds=1),
    )


def test_the_bundle_holds_every_kind_that_the_verdict_rests_on(
    ada: User, mia: User
) -> None:
    source = factories.model_of(party_of(mia))
    asset = work_with(ada, source)
    factories.agreed(asset)
    judge(asset)
    factories.logged()
    found = kinds(bundle_for(asset))
    assert found == {
        "enrollment": 4,  # Ada's key; account keys of Ada, Mia and the platform
        "source": 1,
        "ticket": 1,
        "step": 1,
        "seal": 1,
        "examination": 1,
        "agreement": 1,
        "acceptance": 3,
        "standing": 1,
        "verdict": 1,
    }


def test_a_stranger_with_the_trust_file_gets_the_same_verdict(
    maker: Person,
) -> None:
    asset = seal(upload(maker, picture()))
    verdict = judge(asset, maker)
    factories.logged()
    report = checked(asset, bundle_for(asset))
    assert report.outcome is Outcome.GENUINE, [str(one) for one in report.checks]
    assert report.verdict is not None
    assert report.verdict.evidence == verdict.evidence_level == 2
    assert report.verdict.standing == "active"
    assert report.exit_code == 0


def test_a_bundle_survives_its_file_byte_for_byte(maker: Person) -> None:
    asset = seal(upload(maker, picture()))
    judge(asset, maker)
    bundle = bundle_for(asset)
    data = bundle.to_bytes()
    assert Bundle.from_bytes(data).to_bytes() == data
    assert bundle_for(asset).to_bytes() == data


def test_before_the_log_there_are_no_proofs(ada: User) -> None:
    asset = factories.sealed_asset(party_of(ada))
    bundle = bundle_for(asset)
    assert not bundle.one("seal").proofs  # type: ignore[union-attr]
    assert (bundle.times, bundle.anchors) == ({}, {})


def test_each_record_is_proved_by_what_says_most(
    ada: User, settings: Any, tsa_url: str
) -> None:
    asset = factories.sealed_asset(party_of(ada))
    network()
    settings.TSA_URL = ""
    bare = factories.logged()  # neither stamped nor anchored
    assert proofs_of(bundle_for(asset), "seal") == [bare.size]
    settings.TSA_URL = tsa_url
    factories.draft_asset(party_of(ada), seed=2)
    stamp()
    stamped = Checkpoint.objects.latest("size")
    assert proofs_of(bundle_for(asset), "seal") == [stamped.size]
    factories.draft_asset(party_of(ada), seed=3)
    anchored = factories.anchored().checkpoint
    assert proofs_of(bundle_for(asset), "seal") == [stamped.size, anchored.size]
    bundle = bundle_for(asset)
    assert set(bundle.times) >= {stamped.size}
    assert set(bundle.anchors) == {anchored.size}


def test_steps_after_the_seal_are_not_in_the_evidence(ada: User) -> None:
    asset = work_with(ada)
    run, key = asset.run, enrolled(ada)
    assert run is not None
    judge(asset)
    before = kinds(bundle_for(asset))
    append_step(run=run, envelope=written(run, key, 1)[0], party=party_of(ada))
    assert kinds(bundle_for(asset)) == before
    verdict = judge(asset)
    chain = next(one for one in verdict.criteria if one["id"] == "e3.chain")
    assert "no recorded steps" not in chain["detail"]


def test_a_revocation_is_evidence_too(ada: User) -> None:
    asset = work_with(ada)
    assert asset.run is not None
    row = SigningKey.objects.get(pk=asset.run.steps.get().key_id)
    keys.revoke(row, effective_at=timezone.now(), reason="compromised")
    assert kinds(bundle_for(asset))["revocation"] == 1


def test_an_erased_step_takes_the_evidence_with_it(ada: User) -> None:
    asset = work_with(ada)
    assert asset.run is not None
    entry = asset.run.steps.get().entry
    entry.envelope = entry.salt = None
    entry.save()
    with pytest.raises(ErasedError):
        bundle_for(asset)


def test_further_entries_can_be_added(ada: User, ben: User) -> None:
    asset = factories.published_asset(party_of(ada))
    row = factories.delivered(factories.licensed(asset, party_of(ben)))
    found = kinds(bundle_for(asset, extra=[row.entry, row.license.entry]))
    assert (found["delivery"], found["license"]) == (1, 1)
    assert "delivery" not in kinds(bundle_for(asset))


def test_no_prompt_and_no_salt_of_one_is_in_a_bundle(ada: User) -> None:
    party, key = party_of(ada), enrolled(ada)
    run = factories.open_run(party=party, name="run")
    step, openings = written(run, key, prompt="a harbor at night")
    append_step(run=run, envelope=step, disclosures=openings, party=party)
    asset = factories.sealed_asset(party, run=run)
    data = bundle_for(asset).to_bytes()
    (opening,) = openings
    assert b"harbor at night" not in data
    assert opening.salt.hex().encode() not in data
    assert b"colophon.test" not in data  # nobody's address
