"""Signing and sealing: real C2PA, read back, sealed once, and nothing half-written."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage

from accounts.platform import platform_signer
from colophon import statement
from colophon.credential import inspect_file
from colophon.errors import CouldNotCheck
from colophon.formats import FORMATS
from colophon.manifest import LOG_LABEL
from colophon.origin import IPTC
from colophon.records import parse_examination, parse_seal
from log.models import Entry
from outbox.inline import drain
from outbox.models import Job
from provenance import claims
from provenance.alike import Look, look_for
from provenance.authorities import claim_roots, tsa_roots
from provenance.envelopes import envelope_of
from provenance.examine import examine_asset
from provenance.models import Asset, Rendition, Seal
from provenance.record import append_step
from provenance.sign import sign_asset
from tests.loop import SOON, Person, failed, judge, picture, seal, upload
from tests.provenance.test_record import enrolled, written

pytestmark = pytest.mark.django_db


def examined(maker: Person, data: bytes, **fields: str) -> Asset:
    asset = upload(maker, data, **fields)
    assert examine_asset(asset=asset) is not None
    return Asset.objects.get(pk=asset.pk)


def signed(asset: Asset) -> Seal:
    return sign_asset(
        asset=asset, plan=claims.plan_for(asset), look=look_for(asset.findings)
    )


def bytes_of(asset: Asset, kind: str = "sealed") -> bytes:
    with default_storage.open(asset.renditions.get(kind=kind).path) as file:
        return bytes(file.read())


def read_back(data: bytes, suffix: str = ".jpg") -> Any:
    """What our own reader, with our roots, says of a file."""
    with tempfile.NamedTemporaryFile(suffix=suffix) as file:
        file.write(data)
        file.flush()
        return inspect_file(Path(file.name), claim_roots(), tsa_roots())


@pytest.mark.parametrize(
    ("form", "suffix"), [(one.decoder, one.suffix) for one in FORMATS.values()]
)
def test_the_sealed_file_carries_a_trusted_credential(
    maker: Person, clock: None, form: str, suffix: str
) -> None:
    data = picture(1, form=form)
    asset = examined(
        maker, data, name=f"work{suffix}", title="Night current", origin="ai"
    )
    row = signed(asset)
    file = bytes_of(asset)
    found = read_back(file, suffix)
    assert (found.state, found.failures) == ("Trusted", ())
    assert found.proven_at is not None
    assert list(found.source_types) == [IPTC + "trainedAlgorithmicMedia"]
    log = found.detail.assertions[LOG_LABEL]
    (step,) = asset.run.steps.all()  # type: ignore[union-attr]
    assert log["asset"] == asset.code
    assert log["steps"] == [bytes(step.digest).hex()]
    said = parse_seal(
        statement.verify(envelope_of(row.entry), platform_signer().public_spki)
    )
    assert said.file == bytes(row.file_digest)
    assert said.uploaded == bytes(asset.uploaded_digest)
    assert said.pixels == bytes(asset.findings.pixels_digest)
    assert said.claim_signature.hex() == found.detail.signature_sha256
    assert said.hard_binding[1].hex() == found.detail.hard_binding
    assert (said.run, said.steps) == (asset.run.code, (bytes(step.digest),))  # type: ignore[union-attr]
    assert (said.title, said.registrant) == ("Night current", maker.party.code)
    assert said.identities == ("email",)
    assert row.credential["state"] == "trusted"


def test_a_changed_byte_breaks_the_credential(maker: Person) -> None:
    asset = seal(upload(maker, picture()))
    file = bytearray(bytes_of(asset))
    file[-200] ^= 1
    assert read_back(bytes(file)).state == "Invalid"


def test_the_examination_is_sealed_beside_it(maker: Person) -> None:
    asset = seal(upload(maker, picture()))
    said = parse_examination(
        statement.read_statement(envelope_of(asset.seal.examination).payload)
    )
    assert (said.asset, said.file) == (asset.code, bytes(asset.seal.file_digest))
    assert (said.earlier_look_alikes, said.methods[0]) == (0, "pdq-256")


def test_an_examination_counts_for_a_verdict_of_the_same_second(
    maker: Person,
) -> None:
    verdict = judge(seal(upload(maker, picture())), maker)
    assert "e3.first" not in failed(verdict)


def test_signing_twice_makes_one_seal(maker: Person) -> None:
    asset = examined(maker, picture())
    first = signed(asset)
    entries = Entry.objects.count()
    assert signed(Asset.objects.get(pk=asset.pk)) == first
    assert (Seal.objects.count(), Entry.objects.count()) == (1, entries)
    assert asset.renditions.filter(kind=Rendition.Kind.SEALED).count() == 1


def test_a_file_that_came_with_a_credential_keeps_it_as_its_parent(
    maker: Person, thief: Person
) -> None:
    first = seal(upload(maker, picture(), origin="ai"))
    data = bytes_of(first)
    asset = seal(upload(thief, data, origin="human"))
    found = read_back(bytes_of(asset))
    assert found.state == "Trusted"
    (parent,) = found.detail.ingredients
    assert parent["relationship"] == "parentOf"
    assert len(found.manifests) == 2
    actions = [one["action"] for one in found.detail.actions]
    assert actions[0] == "c2pa.opened"
    # "made by a person" over a history that names AI is a contradiction
    verdict = judge(asset, thief)
    assert verdict.origin_class == "UNKNOWN"
    assert verdict.standing == "contested"


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/", "http://127.0.0.1:1/nothing"])
def test_nothing_is_half_written_while_the_time_stamper_is_down(
    maker: Person, settings: Any, tsa_url: str, url: str
) -> None:
    asset = examined(maker, picture())
    settings.TSA_URL = url
    entries = Entry.objects.count()
    with pytest.raises(CouldNotCheck):
        drain(kinds={"asset.sign"}, ahead=SOON)
    assert not Seal.objects.exists()
    assert not asset.renditions.filter(kind=Rendition.Kind.SEALED).exists()
    assert Entry.objects.count() == entries
    assert not Job.objects.filter(kind="asset.judge").exists()
    job = Job.objects.get(kind="asset.sign")
    assert (job.done_at, job.parked_at, job.attempts) == (None, None, 1)
    settings.TSA_URL = tsa_url
    Job.objects.filter(pk=job.pk).update(due_at=job.created_at)
    assert drain(kinds={"asset.sign"}, ahead=SOON) == 1
    assert Asset.objects.get(pk=asset.pk).stage == "sealed"
    assert Job.objects.filter(kind="asset.judge").count() == 1


def test_a_step_that_comes_while_the_file_is_signed_is_not_in_the_seal(
    maker: Person,
) -> None:
    asset = examined(maker, picture())
    run, plan = asset.run, claims.plan_for(asset)
    assert run is not None
    key = enrolled(maker.user)
    append_step(run=run, envelope=written(run, key, 1)[0], party=maker.party)
    row = sign_asset(asset=asset, plan=plan, look=Look(("pdq-256",), 0, None))
    said = parse_seal(statement.read_statement(envelope_of(row.entry).payload))
    assert [one.hex() for one in said.steps] == plan.log["steps"]  # type: ignore[index]
    assert len(said.steps) == 1
    # and the evidence holds exactly what the seal names
    verdict = judge(Asset.objects.get(pk=asset.pk), maker)
    assert "e3.chain" not in failed(verdict)
    assert verdict.evidence_level == 2


def test_the_rights_are_those_of_the_page(maker: Person) -> None:
    asset = upload(
        maker,
        picture(),
        creator_name="Ada Lindqvist",
        alt_text="Long soft lines",
        training='{"ai_generative_training": "notAllowed"}',
    )
    asset = seal(asset)
    found = read_back(bytes_of(asset)).detail.assertions
    rights = found["cawg.metadata"]
    assert rights["dc:creator"] == ["Ada Lindqvist"]
    training = found["cawg.training-mining"]["entries"]
    assert training["cawg.ai_generative_training"]["use"] == "notAllowed"
