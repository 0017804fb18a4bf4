"""Exports are what their standards' own libraries accept, and say what was recorded."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_der_public_key
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from google.protobuf import json_format
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement
from prov.model import ProvDerivation, ProvDocument, ProvGeneration, ProvUsage
from securesystemslib import dsse
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import Key, SSlibKey

from colophon import records
from colophon.acts import Actor, File, Input, Model
from colophon.errors import InputError
from colophon.evidence import Bundle, Record
from colophon.export_croissant import Shown, to_croissant
from colophon.export_cyclonedx import to_cyclonedx
from colophon.export_intoto import to_intoto
from colophon.export_prov import to_prov_json
from colophon.pedigree import Pedigree, pedigree_of
from colophon.statement import sign
from colophon.steps import build_step
from tests.colophon.bundles import (
    ADA,
    AI,
    ASSET,
    MIA,
    RUN,
    SOURCE,
    TOOL,
    Story,
    an_id,
    at,
    authorities,
    digest,
    key,
)

DATA = an_id("src", 40)
SIGNERS = ("platform", "verdict", "mia", "ada", "eve", "runtime", "ada-laptop")
HOSTILE = "</script>\u202e\U0001f600 \"quoted\" 'x'"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return Story(authorities(tmp_path_factory.mktemp("pki"))).tell()


@pytest.fixture
def told(bundle: Bundle) -> Pedigree:
    return pedigree_of(bundle)


def dataset(**fields: Any) -> records.Source:
    said = {
        "source_id": DATA,
        "kind": "dataset",
        "name": "Tides",
        "digest": digest("tides"),
        "version": "2.0.1",
        "owner": MIA,
        "license_terms": "https://creativecommons.org/licenses/by/4.0/",
        "training": {
            "cawg.ai_generative_training": "notAllowed",
            "cawg.data_mining": "constrained",
        },
        **fields,
    }
    return records.parse_source(records.source(**said))


def with_data(told: Pedigree) -> Pedigree:
    return replace(told, sources=(*told.sources, dataset()))


def step_record(**fields: Any) -> Record:
    """A signed step whose every word is secret."""
    said, _ = build_step(
        outputs=[File("PRIVATE-output.png", digest("a"))],
        action="c2pa.created",
        actor=Actor(key("ada-laptop").key_id, "human", ADA),
        tool=TOOL,
        started_on=at(1),
        finished_on=at(2),
        run=RUN,
        index=0,
        source_type=AI,
        inputs=[Input("PRIVATE-input", digest("reference"), "inputTo")],
        model=Model(digest("model"), "PRIVATE-model"),
        prompt="PRIVATE prompt",
        parameters={"PRIVATE-seed": 7},
        note="PRIVATE note",
        **fields,
    )
    return Record("step", sign(said, key("ada-laptop")), digest("salt"))


def secretive(bundle: Bundle) -> Bundle:
    """The same work, its record made of words that are nobody's business."""
    step = step_record()
    seal = bundle.one("seal")
    assert seal is not None
    value = json.loads(seal.envelope.payload)
    value["predicate"]["steps"] = [{"sha256": step.envelope.digest.hex()}]
    kept = [one for one in bundle.records if one.kind not in {"step", "seal"}]
    sealed = replace(seal, envelope=sign(value, key("platform")), proofs=())
    return replace(bundle, records=(*kept, step, sealed))


# --- the pedigree ------------------------------------------------------------------


def test_a_pedigree_has_the_acts_in_the_order_of_the_seal(told: Pedigree) -> None:
    actions = [one.action for one in told.acts]
    assert actions == ["c2pa.created", "c2pa.edited", "c2pa.published"]
    assert [one.source for one in told.sources] == [SOURCE]
    assert told.seal.asset == ASSET
    assert told.agreement is not None


def test_the_newest_agreement_counts(bundle: Bundle) -> None:
    (old,) = bundle.of("agreement")
    value = json.loads(old.envelope.payload)
    value["predicate"]["version"] = 2
    new = replace(old, envelope=sign(value, key("ada")))
    found = pedigree_of(replace(bundle, records=(new, *bundle.records))).agreement
    assert found is not None
    assert found.version == 2


def test_steps_that_the_seal_does_not_name_are_left_out(bundle: Bundle) -> None:
    stranger = step_record()
    more = replace(bundle, records=(*bundle.records, stranger))
    assert pedigree_of(more).acts == pedigree_of(bundle).acts


def test_without_a_seal_there_is_no_pedigree(bundle: Bundle) -> None:
    rest = tuple(one for one in bundle.records if one.kind != "seal")
    with pytest.raises(InputError, match="has no seal"):
        pedigree_of(replace(bundle, records=rest))


@pytest.mark.parametrize("write", [to_prov_json, to_cyclonedx])
def test_no_word_of_a_step_gets_out(
    bundle: Bundle, write: Callable[[Pedigree], Any]
) -> None:
    told = pedigree_of(secretive(bundle))
    assert len(told.acts) == 1
    text = json.dumps(write(told))
    assert "PRIVATE" not in text
    assert "prompt" not in text
    assert "commit" not in text


@pytest.mark.parametrize("write", [to_prov_json, to_cyclonedx])
def test_an_export_is_the_same_each_time(
    bundle: Bundle, write: Callable[[Pedigree], Any]
) -> None:
    again = Bundle.from_bytes(bundle.to_bytes())
    assert write(pedigree_of(again)) == write(pedigree_of(bundle))


# --- PROV-JSON ---------------------------------------------------------------------


def read_prov(told: Pedigree) -> ProvDocument:
    text = json.dumps(to_prov_json(told))
    found = ProvDocument.deserialize(content=text, format="json")
    assert isinstance(found, ProvDocument)
    # nothing was dropped: what the library writes is what it read
    again = ProvDocument.deserialize(
        content=found.serialize(format="json"), format="json"
    )
    assert found == again
    return found


def ends(document: ProvDocument, kind: type) -> set[tuple[str, ...]]:
    """The first two ends of each relation of a kind, as written."""
    return {
        tuple(str(value) for _, value in one.formal_attributes[:2])
        for one in document.get_records(kind)
    }


def entity(name: str) -> str:
    return f"file:{digest(name).hex()}"


def test_prov_reads_the_way_from_the_model_to_the_sealed_file(told: Pedigree) -> None:
    found = read_prov(told)
    created, edited, published = (f"step:{one.digest}" for one in told.acts)
    seal = f"seal:{told.seal_digest}"
    assert ends(found, ProvGeneration) == {
        (entity("a"), created),
        (entity("b"), edited),
        (entity("sealed"), seal),
    }
    assert ends(found, ProvUsage) == {
        (created, entity("model")),
        (edited, entity("a")),
        (published, entity("b")),
        (seal, entity("b")),
    }
    assert ends(found, ProvDerivation) == {
        (entity("b"), entity("a")),
        (entity("sealed"), entity("b")),
    }


def test_prov_has_every_record_that_was_written(told: Pedigree) -> None:
    said, found = to_prov_json(told), read_prov(told)
    written = sum(len(one) for kind, one in said.items() if kind != "prefix")
    assert len(found.get_records()) == written


def test_prov_generates_each_entity_once(told: Pedigree) -> None:
    found = read_prov(told)
    entities = [str(one.args[0]) for one in found.get_records(ProvGeneration)]
    assert len(entities) == len(set(entities))


def test_prov_tells_a_person_from_software(told: Pedigree) -> None:
    agents = to_prov_json(told)["agent"]
    kinds = {
        name: value["prov:type"]["$"]
        for name, value in agents.items()
        if name.startswith("key:")
    }
    assert kinds == {
        f"key:{key('runtime').key_id}": "prov:SoftwareAgent",
        f"key:{key('ada-laptop').key_id}": "prov:Person",
    }


def test_prov_attributes_a_source_to_an_owner_who_signed_only(told: Pedigree) -> None:
    def attributed(one: Pedigree) -> bool:
        made = to_prov_json(one)["wasAttributedTo"].values()
        return any(row["prov:entity"] == f"source:{DATA}" for row in made)

    assert attributed(with_data(told))
    claimed = replace(told, sources=(dataset(owner=None),))
    assert not attributed(claimed)
    said = to_prov_json(claimed)["entity"][f"source:{DATA}"]
    assert said["colophon:ownerSigned"] is False
    read_prov(claimed)


def test_prov_takes_hostile_words(told: Pedigree) -> None:
    odd = replace(told, seal=replace(told.seal, title=HOSTILE, creator=HOSTILE))
    found = to_prov_json(odd)["entity"][entity("sealed")]
    assert found["dcterms:creator"] == HOSTILE
    read_prov(odd)


# --- CycloneDX ---------------------------------------------------------------------


def check_bom(value: Any) -> None:
    problem = JsonStrictValidator(SchemaVersion.V1_7).validate_str(json.dumps(value))
    assert problem is None, problem


def test_cyclonedx_accepts_the_bill_of_materials(told: Pedigree) -> None:
    bom = to_cyclonedx(
        with_data(told), trained_on={SOURCE: [DATA]}, site="https://site.example"
    )
    check_bom(bom)
    by_ref = {one["bom-ref"]: one for one in bom["components"]}
    assert by_ref[SOURCE]["type"] == "machine-learning-model"
    card = by_ref[SOURCE]["modelCard"]
    assert card == {"modelParameters": {"datasets": [{"ref": DATA}]}}
    assert by_ref[DATA]["type"] == "data"
    assert by_ref[DATA]["data"][0]["governance"]["owners"]
    assert by_ref["tool:1"]["name"] == "studio"
    work = bom["metadata"]["component"]
    assert work["hashes"] == [{"alg": "SHA-256", "content": digest("sealed").hex()}]
    assert {"ref": SOURCE, "dependsOn": [DATA]} in bom["dependencies"]
    refs = {one["url"] for one in work["externalReferences"]}
    assert f"https://site.example/a/{ASSET}" in refs


def test_cyclonedx_refuses_what_is_wrong(told: Pedigree) -> None:
    """The referee is awake: a changed member of each part is found."""
    good = to_cyclonedx(with_data(told))
    check_bom(good)
    for change in (
        lambda bom: bom.update(bomFormat="SPDX"),
        lambda bom: bom["components"][0].update(type="model"),
        lambda bom: bom["components"][0].update(color="red"),
        lambda bom: bom["components"][0]["hashes"][0].update(content="x"),
        lambda bom: bom.update(serialNumber="urn:uuid:1"),
    ):
        bad = copy.deepcopy(good)
        change(bad)
        with pytest.raises(AssertionError):
            check_bom(bad)


def test_cyclonedx_names_each_reference_once(told: Pedigree) -> None:
    bom = to_cyclonedx(with_data(told))
    refs = [one["bom-ref"] for one in bom["components"]]
    assert len(refs) == len(set(refs))
    known = {*refs, ASSET}
    for one in bom["dependencies"]:
        assert {one["ref"], *one["dependsOn"]} <= known


def test_cyclonedx_leaves_out_data_that_the_work_does_not_name(told: Pedigree) -> None:
    bom = to_cyclonedx(told, trained_on={SOURCE: [DATA], DATA: [SOURCE]})
    check_bom(bom)
    assert DATA not in json.dumps(bom)


@pytest.mark.parametrize(
    ("terms", "member"),
    [
        ("CC-BY-4.0", "id"),
        ("https://site.example/terms", "url"),
        ("by agreement", "text"),
        ("https://site.example:8000/a/b.html?c=d", "url"),
        ("https://two words", "text"),
        ("https://[bad", "text"),
        ("https://site.example/%zz", "text"),
        ("javascript:alert(1)", "text"),
        (HOSTILE, "text"),
    ],
)
def test_cyclonedx_writes_terms_as_what_they_are(
    told: Pedigree, terms: str, member: str
) -> None:
    bom = to_cyclonedx(replace(told, sources=(dataset(license_terms=terms),)))
    check_bom(bom)
    assert member in bom["components"][0]["licenses"][0]["license"]


def test_cyclonedx_shows_inputs_that_nobody_registered(bundle: Bundle) -> None:
    bom = to_cyclonedx(pedigree_of(secretive(bundle)))
    check_bom(bom)
    names = [one["name"] for one in bom["components"] if one["type"] == "file"]
    assert names == [f"sha256:{digest('reference').hex()}"]


# --- in-toto -----------------------------------------------------------------------


def keys_of(*names: str) -> list[Key]:
    return [
        SSlibKey.from_crypto(load_der_public_key(key(one).public_spki), key(one).key_id)  # type: ignore[arg-type]
        for one in names
    ]


def lines_of(bundle: Bundle) -> list[dict[str, Any]]:
    return [json.loads(line) for line in to_intoto(bundle).splitlines()]


def test_intoto_parses_every_statement_and_securesystemslib_every_signature(
    bundle: Bundle,
) -> None:
    lines = lines_of(bundle)
    assert len(lines) == len(bundle.records)
    kinds = set()
    for line in lines:
        signers = {one["keyid"] for one in line["signatures"]}
        envelope = dsse.Envelope.from_dict(line)
        keys = [one for one in keys_of(*SIGNERS) if one.keyid in signers]
        assert set(envelope.verify(keys, len(signers))) == signers
        parsed = json_format.Parse(envelope.payload, statement_pb2.Statement())
        one = Statement.copy_from_pb(parsed)
        one.validate()
        kinds.add(one.pb.predicate_type.split("/")[-2])
    assert {"step", "seal", "source", "agreement", "verification_summary"} <= kinds


@pytest.mark.parametrize("at_", range(0, 40, 8))
def test_securesystemslib_refuses_a_changed_envelope(bundle: Bundle, at_: int) -> None:
    (line, *_) = [json.loads(row.envelope.to_bytes()) for row in bundle.of("seal")]
    envelope = dsse.Envelope.from_dict(line)
    payload = bytearray(envelope.payload)
    payload[at_] ^= 1
    envelope.payload = bytes(payload)
    with pytest.raises(VerificationError):
        envelope.verify(keys_of("platform"), 1)


def test_an_intoto_bundle_is_the_same_from_the_file(bundle: Bundle) -> None:
    mixed = replace(bundle, records=tuple(reversed(bundle.of("step"))))
    assert to_intoto(Bundle.from_bytes(mixed.to_bytes())) == to_intoto(mixed)


def test_an_intoto_bundle_carries_no_salt(bundle: Bundle) -> None:
    text = to_intoto(bundle).decode()
    salts = [one.salt.hex() for one in bundle.records if one.salt]
    assert salts
    assert not any(salt in text for salt in salts)


# --- Croissant ---------------------------------------------------------------------

PAGE = f"https://site.example/registry/{DATA}"
SHOWN = Shown(PAGE, datetime(2026, 11, 20, 9, tzinfo=UTC), "Tides of a year", "Mia")
# mlcroissant loads pandas and rdflib, which warn of themselves: it reads in a process
# of its own, and every warning of its own about the file counts as a refusal.
READ = """
import json, sys
import mlcroissant
found = mlcroissant.Dataset(jsonld=json.load(sys.stdin)).metadata
issues = found.ctx.issues
print(json.dumps({
    "version": found.ctx.conforms_to.value,
    "name": found.name,
    "sha256": [one.sha256 for one in found.file_objects],
    "license": found.license,
    "warnings": sorted(issues.warnings),
}))
"""


def read_croissant(value: Any, tmp_path: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", READ],
        input=json.dumps(value),
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=120,
        check=False,
    )
    if done.returncode:
        raise ValueError(done.stderr)
    return dict(json.loads(done.stdout))


def test_mlcroissant_reads_a_registered_data_set(tmp_path: Path) -> None:
    found = read_croissant(to_croissant(dataset(), SHOWN), tmp_path)
    assert found == {
        "version": "http://mlcommons.org/croissant/1.1",
        "name": "Tides",
        "sha256": [digest("tides").hex()],
        "license": ["https://creativecommons.org/licenses/by/4.0/"],
        "warnings": [],
    }


def test_mlcroissant_takes_hostile_words(tmp_path: Path) -> None:
    odd = dataset(name=HOSTILE, license_terms=HOSTILE, version="spring v2")
    value = to_croissant(odd, replace(SHOWN, description=HOSTILE))
    found = read_croissant(value, tmp_path)
    assert found["name"] == HOSTILE
    (warning,) = found["warnings"]  # a version need not be a semantic one
    assert "spring v2" in warning


def test_mlcroissant_refuses_a_file_without_a_place(tmp_path: Path) -> None:
    bad = to_croissant(dataset(), SHOWN)
    del bad["distribution"][0]["contentUrl"]
    with pytest.raises(ValueError, match="contentUrl"):
        read_croissant(bad, tmp_path)


def test_croissant_says_what_may_be_done_with_the_data() -> None:
    offer = to_croissant(dataset(), SHOWN)["usageInfo"]
    (refused,), (asked,) = offer["odrl:prohibition"], offer["odrl:permission"]
    assert refused["odrl:action"]["@id"].endswith("#ai_generative_training")
    assert asked["odrl:action"]["@id"].endswith("#data_mining")
    assert "odrl:duty" in asked  # with conditions is no plain yes


def test_croissant_names_an_owner_who_signed_only() -> None:
    assert to_croissant(dataset(), SHOWN)["copyrightHolder"] == {"name": "Mia"}
    claimed = to_croissant(dataset(owner=None), replace(SHOWN, owner=None))
    assert "copyrightHolder" not in claimed


@pytest.mark.parametrize("kind", ["model", "media"])
def test_only_a_data_set_is_a_croissant(kind: str) -> None:
    with pytest.raises(InputError, match="is not a data set"):
        to_croissant(dataset(kind=kind), SHOWN)
