"""What we sign: the official rubric passes, rights and history are kept."""

from __future__ import annotations

import copy
import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from colophon.child import Child
from colophon.credential import inspect_file
from colophon.errors import CouldNotCheck, InputError
from colophon.formats import FORMATS
from colophon.manifest import (
    LICENSE_LABEL,
    LOG_LABEL,
    Action,
    ClaimPlan,
    Ingredient,
    check_plan,
    sign_file,
)
from colophon.xmp import Rights
from tests.colophon.conftest import AI, HUMAN, IPTC, MADE_BY_AI, MakePicture, Studio

REFEREE = Path(__file__).parent.parent / "referees"
NAMES = [f"work{one.suffix}" for one in FORMATS.values()]
CONFORMANCE = "asset-rubric-conformance0.2-spec2.4.yml"
INTEGRITY = "asset-rubric-integrity.yml"

REGION = {
    "region": [
        {
            "type": "spatial",
            "shape": {
                "type": "rectangle",
                "unit": "percent",
                "origin": {"x": 10.0, "y": 20.0},
                "width": 30.0,
                "height": 40.0,
            },
        }
    ]
}

FULL = ClaimPlan(
    title="Harbor at night",
    actions=(
        Action(
            "c2pa.created",
            AI,
            when="2026-05-01T10:00:00Z",
            agent="Model X",
            agent_version="2",
            ingredients=("model", "data", "prompt"),
            parameters={"com.colophon.step": "ab" * 32},
        ),
        Action(
            "c2pa.edited", HUMAN, description="Retouched the sky", changes=(REGION,)
        ),
        Action("c2pa.published"),
    ),
    ingredients=(
        Ingredient(
            "model", "Model X", types=("c2pa.types.model",), url="https://m.example"
        ),
        Ingredient(
            "data",
            "Data set Y",
            format="multipart/mixed",
            types=("c2pa.types.dataset",),
        ),
        Ingredient("prompt", "Prompt", format="text/plain", description="withheld"),
    ),
    rights=Rights(
        creators=("Ada",),
        copyright="© Ada",
        usage_terms="License needed",
        web_statement="https://colophon.example/a",
        licensor_name="Ada",
        licensor_url="https://colophon.example/a/license",
        source_type=AI,
        data_mining="DMI-PROHIBITED",
    ),
    training={"ai_training": "notAllowed", "data_mining": "constrained"},
    training_terms="https://colophon.example/terms",
    log={"origin": "log.example", "asset": "ast_1", "steps": ["ab" * 32]},
    iscc="ISCC:EED4GML25UDAV5RZJX24NQ32AEJ5M7JKHWMGF6LBCOB36QYYB24W6HA",
)


def crjson(studio: Studio, reader: Child, path: Path) -> dict[str, Any]:
    params = {
        "path": str(path),
        "trust_anchors": studio.claim_anchors,
        "tsa_anchors": studio.tsa_anchors,
    }
    found: dict[str, Any] = reader.call("colophon.credential_read:read_crjson", params)
    return found


def judge(rubric: Path, document: dict[str, Any]) -> dict[str, list[str]]:
    """Run one official rubric; the statements that passed and that failed."""
    assert (REFEREE / "node_modules").is_dir(), "run `npm ci` in tests/referees first"
    ran = subprocess.run(
        ["node", "rubric.mjs", str(rubric), "2.4"],
        cwd=REFEREE,
        input=json.dumps(document),
        capture_output=True,
        text=True,
        check=True,
    )
    verdict: dict[str, list[str]] = json.loads(ran.stdout)
    return verdict


@pytest.mark.referee
@pytest.mark.parametrize("name", NAMES)
def test_the_official_rubrics_pass_whole(
    studio: Studio, reader: Child, picture: MakePicture, referees: Path, name: str
) -> None:
    thumbnail = picture("thumbnail.jpg", (900, 700))
    signed = studio.sign(picture(name), replace(FULL, thumbnail=str(thumbnail))).path
    document = crjson(studio, reader, signed)
    conformance = judge(referees / "c2pa" / CONFORMANCE, document)
    assert conformance["failed"] == []
    assert len(conformance["passed"]) == 31
    integrity = judge(referees / "c2pa" / INTEGRITY, document)
    assert integrity["failed"] == []
    assert len(integrity["passed"]) == 6


@pytest.mark.referee
@pytest.mark.parametrize("license_id", [None, "lic_1"])
def test_a_copy_of_a_signed_file_passes_the_rubrics_too(
    studio: Studio,
    reader: Child,
    picture: MakePicture,
    referees: Path,
    license_id: str | None,
) -> None:
    first = studio.sign(picture(), FULL).path
    plan = ClaimPlan(
        title="Copy",
        actions=(Action("c2pa.opened"), Action("c2pa.published")),
        license={"license": license_id} if license_id else None,
    )
    document = crjson(studio, reader, studio.sign(first, plan).path)
    assert judge(referees / "c2pa" / CONFORMANCE, document)["failed"] == []
    assert judge(referees / "c2pa" / INTEGRITY, document)["failed"] == []


@pytest.mark.referee
def test_the_referee_fails_what_breaks_the_rules(
    studio: Studio, reader: Child, picture: MakePicture, referees: Path
) -> None:
    good = crjson(studio, reader, studio.sign(picture(), FULL).path)
    rubric = referees / "c2pa" / CONFORMANCE
    broken = copy.deepcopy(good)
    manifest = broken["manifests"][0]
    del manifest["claim.v2"]["claim_generator_info"]["specVersion"]
    del manifest["assertions"]["c2pa.actions.v2"]["actions"][1]["digitalSourceType"]
    manifest["claim.v2"]["created_assertions"] = []
    assert set(judge(rubric, broken)["failed"]) == {
        "validation:mandatory_spec_version",
        "validation:mandatory_dst_for_perceptible_transformations",
        "validation:inception_action_position",
    }


def test_everything_of_the_plan_is_in_the_claim_and_vouched_for(
    studio: Studio, reader: Child, picture: MakePicture
) -> None:
    document = crjson(studio, reader, studio.sign(picture(), FULL).path)
    manifest = document["manifests"][0]
    claim, assertions = manifest["claim.v2"], manifest["assertions"]
    assert claim["dc:title"] == "Harbor at night"
    created = {a["url"].rpartition("/")[2] for a in claim["created_assertions"]}
    ours = {
        "c2pa.actions.v2",
        "c2pa.soft-binding",
        LOG_LABEL,
        "cawg.metadata",
        "cawg.training-mining",
    }
    assert ours <= created
    assert assertions[LOG_LABEL] == FULL.log
    assert assertions["c2pa.soft-binding"]["blocks"][0]["value"] == FULL.iscc
    assert assertions["c2pa.actions.v2"]["actions"][1]["changes"] == [REGION]
    assert assertions["cawg.metadata"]["dc:creator"] == ["Ada"]
    assert assertions["cawg.training-mining"]["entries"] == {
        "cawg.ai_training": {"use": "notAllowed"},
        "cawg.data_mining": {
            "use": "constrained",
            "constraint_info": "https://colophon.example/terms",
        },
    }
    first = assertions["c2pa.actions.v2"]["actions"][0]
    assert len(first["parameters"]["ingredients"]) == 3
    types = {
        kind["type"]
        for name, body in assertions.items()
        if name.startswith("c2pa.ingredient")
        for kind in body.get("dataTypes", [])
    }
    assert types == {"c2pa.types.model", "c2pa.types.dataset"}


def test_signing_changes_no_pixel(studio: Studio, picture: MakePicture) -> None:
    for name in NAMES:
        source = picture(name)
        signed = studio.sign(source, FULL).path
        with Image.open(source) as before, Image.open(signed) as after:
            assert before.tobytes() == after.tobytes()


def test_the_thumbnail_is_small_and_the_uploads_own_name_stays_out(
    studio: Studio, reader: Child, picture: MakePicture
) -> None:
    source = picture("secret-client-name.jpg", (1200, 900))
    plan = replace(FULL, thumbnail=str(source))
    signed = studio.sign(source, plan, dst=source.with_name("out.jpg"))
    assert b"secret-client-name" not in signed.path.read_bytes()
    bare = studio.sign(source, FULL, dst=source.with_name("bare.jpg"))
    assert 1000 < signed.manifest_bytes - bare.manifest_bytes < 40_000
    assert inspect_file(signed.path, *studio.anchors, reader).state == "Trusted"


def test_a_file_with_history_is_opened_and_never_created_anew(
    studio: Studio, reader: Child, picture: MakePicture
) -> None:
    first = studio.sign(picture(), FULL).path
    second = studio.sign(first, FULL).path
    detail = inspect_file(second, *studio.anchors, reader).detail
    assert [a["action"] for a in detail.actions] == [
        "c2pa.opened",
        "c2pa.edited",
        "c2pa.published",
    ]
    declared = detail.actions[0]["parameters"]["com.colophon.declaredSourceType"]
    assert declared == AI
    parents = [i for i in detail.ingredients if i["relationship"] == "parentOf"]
    assert len(parents) == 1
    assert parents[0]["manifest"]


def test_another_file_may_be_the_parent_of_one_without_history(
    studio: Studio, reader: Child, picture: MakePicture
) -> None:
    first = studio.sign(picture("v1.jpg"), FULL).path
    plan = ClaimPlan(
        title="Version 2",
        actions=(Action("c2pa.opened"), Action("c2pa.cropped", HUMAN)),
        parent=str(first),
    )
    second = inspect_file(
        studio.sign(picture("v2.jpg"), plan).path, *studio.anchors, reader
    )
    assert [m["title"] for m in second.manifests] == ["Version 2", "Harbor at night"]
    with pytest.raises(InputError, match="its own parent"):
        studio.sign(first, replace(plan, parent=str(picture("v0.jpg"))))


def test_a_license_is_vouched_for_in_the_copy(
    studio: Studio, reader: Child, picture: MakePicture
) -> None:
    plan = ClaimPlan(
        title="Copy",
        actions=(Action("c2pa.opened"), Action("c2pa.published")),
        license={"license": "lic_1"},
    )
    first = studio.sign(picture(), FULL).path
    seen = inspect_file(studio.sign(first, plan).path, *studio.anchors, reader)
    assert seen.state == "Trusted"
    assert seen.detail.assertions[LICENSE_LABEL] == {"license": "lic_1"}


def test_without_a_time_stamp_authority_nothing_is_signed(
    studio: Studio, picture: MakePicture
) -> None:
    source = picture()
    with pytest.raises(CouldNotCheck, match="signing"):
        studio.sign(source, tsa_url="http://127.0.0.1:9/")
    assert [p.name for p in source.parent.iterdir()] == [source.name]
    assert studio.sign(source).path.is_file()


def test_a_key_may_stay_behind_a_function(
    studio: Studio, reader: Child, picture: MakePicture
) -> None:
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    claim = studio.pki.claim
    key = serialization.load_pem_private_key(claim.key.read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    asked: list[int] = []

    def sign(data: bytes) -> bytes:
        asked.append(len(data))
        return key.sign(data, ec.ECDSA(hashes.SHA256()))

    source = picture()
    signed = sign_file(
        source,
        source.with_name("out.jpg"),
        "image/jpeg",
        FULL,
        chain_pem=claim.chain.read_bytes(),
        key=sign,
        tsa_url=None,
        child=studio.child,
    )
    assert asked
    assert inspect_file(signed.path, *studio.anchors, reader).state == "Trusted"


def test_a_key_that_does_not_match_its_certificate_signs_nothing_that_holds(
    studio: Studio, reader: Child, picture: MakePicture, thief: Any
) -> None:
    mixed = replace(studio.pki, claim=replace(studio.pki.claim, key=thief.claim.key))
    with pytest.raises(CouldNotCheck):
        studio.sign(picture(), by=mixed)


def test_a_wrong_type_is_refused(studio: Studio, picture: MakePicture) -> None:
    source = picture("work.png")
    misnamed = source.with_name("work.jpg")
    misnamed.write_bytes(source.read_bytes())
    with pytest.raises(InputError, match="image/png, not image/jpeg"):
        studio.sign(misnamed)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": " "}, "title"),
        ({"actions": ()}, "actions"),
        ({"actions": (Action("c2pa.edited", HUMAN),)}, "actions/0"),
        ({"actions": (*MADE_BY_AI, Action("c2pa.created", AI))}, "actions/2"),
        ({"actions": (Action("c2pa.created"),)}, "actions/0/source_type"),
        ({"actions": (Action("c2pa.opened", AI),)}, "actions/0/source_type"),
        (
            {"actions": (Action("c2pa.created", IPTC + "magic"),)},
            "actions/0/source_type",
        ),
        (
            {"actions": (*MADE_BY_AI, Action("c2pa.cropped"))},
            "actions/2/source_type",
        ),
        (
            {"actions": (Action("c2pa.created", AI, ingredients=("ghost",)),)},
            "actions/0/ingredients",
        ),
        (
            {"actions": (Action("c2pa.created", AI, parameters={"seed": 1}),)},
            "actions/0/parameters",
        ),
        (
            {"ingredients": (Ingredient("a", "A"), Ingredient("a", "B"))},
            "ingredients",
        ),
        ({"training": {"ai_training": "maybe"}}, "training"),
        ({"iscc": "EED4"}, "iscc"),
    ],
)
def test_a_plan_that_breaks_a_rule_names_the_field(
    changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(InputError) as refused:
        check_plan(replace(ClaimPlan(title="Work", actions=MADE_BY_AI), **changes))
    assert refused.value.field == field


def test_source_types_are_written_with_http(
    studio: Studio, reader: Child, picture: MakePicture
) -> None:
    plan = ClaimPlan(
        title="Work",
        actions=(Action("c2pa.created", AI.replace("http://", "https://")),),
    )
    signed = studio.sign(picture(), plan).path
    assert inspect_file(signed, *studio.anchors, reader).source_types == (AI,)
