"""The walk through a stranger's manifests: nothing hides, nothing breaks it."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from colophon import credential_graph
from colophon.credential_graph import Tree
from colophon.plaintext import clock, plain
from tests.colophon.conftest import AI, HUMAN, IPTC

CAMERA = IPTC + "digitalCapture"


def tree(**manifests: dict[str, Any]) -> Tree:
    """Build a tree; each manifest by label: actions, and ingredients as pairs."""
    report: dict[str, Any] = {"active_manifest": next(iter(manifests)), "manifests": {}}
    detail: dict[str, Any] = {"manifests": {}}
    for label, told in manifests.items():
        report["manifests"][label] = {
            "title": label,
            "ingredients": [
                {"relationship": relation, "active_manifest": target, **extra}
                for relation, target, extra in told.get("from", [])
            ],
        }
        actions = [
            {"action": "c2pa.edited", "digitalSourceType": kind, **told.get("more", {})}
            for kind in told.get("types", [])
        ]
        store = {"c2pa.actions.v2": {"actions": actions}}
        detail["manifests"][label] = {"assertion_store": store}
    return Tree.of(report, detail)


def parent(label: str | None, **extra: Any) -> tuple[str, str | None, dict[str, Any]]:
    return "parentOf", label, extra


def test_a_circle_is_walked_once() -> None:
    found = tree(
        a={"types": [HUMAN], "from": [parent("b")]},
        b={"types": [CAMERA], "from": [parent("a")]},
    )
    assert found.source_types() == [CAMERA, HUMAN]
    assert len(found.manifests()) == 2


def test_a_long_chain_is_judged_whole_and_listed_in_part() -> None:
    chain = {
        f"m{n}": {"types": [HUMAN], "from": [parent(f"m{n + 1}")]} for n in range(500)
    }
    failed = [{"code": "assertion.dataHash.mismatch"}]
    chain["m500"] = {"types": [AI], "from": [parent(None, validation_status=failed)]}
    found = tree(**chain)
    assert found.source_types() == [AI, HUMAN]
    assert found.recorded_failures == ("assertion.dataHash.mismatch",)
    assert len(found.manifests()) == credential_graph.MAX_MANIFESTS


def test_an_oversized_action_is_not_kept_but_still_counts_for_origin() -> None:
    found = tree(a={"types": [AI], "more": {"parameters": {"x.y": "z" * 100_000}}})
    assert found.actions("a") == []
    assert found.source_types() == [AI]


def test_the_last_of_many_failures_is_seen() -> None:
    codes = [{"code": "signingCredential.untrusted"}] * 5_000
    codes.append({"code": "claimSignature.mismatch"})
    found = tree(a={"from": [parent(None, validation_status=codes)]})
    assert "claimSignature.mismatch" in found.recorded_failures


def test_successes_in_old_records_are_no_failures() -> None:
    codes = [{"code": "claimSignature.validated"}, {"code": "assertion.dataHash.match"}]
    assert (
        tree(a={"from": [parent(None, validation_status=codes)]}).recorded_failures
        == ()
    )


def test_a_missing_manifest_is_unknown_material() -> None:
    assert tree(a={"from": [parent("gone")]}).has_unknown_material
    assert tree(a={"from": [parent(None)]}).has_unknown_material
    assert not tree(a={"from": [parent("b")]}, b={}).has_unknown_material


def test_a_model_without_credential_is_no_unknown_material() -> None:
    assert not tree(a={"from": [("inputTo", None, {})]}).has_unknown_material


def test_a_label_with_tricks_leads_to_its_manifest_all_the_same() -> None:
    label = "b\u200b\u202e" + "x" * 1_000
    found = tree(
        a={"types": [HUMAN], "from": [parent(label)]}, **{label: {"types": [AI]}}
    )
    assert found.source_types() == [AI, HUMAN]
    assert not found.has_unknown_material


def test_titles_lose_what_could_deceive() -> None:
    assert plain("pay\u202egnp.exe\x00\n end") == "paygnp.exe end"
    assert plain("Łucja 東京 🎨") == "Łucja 東京 🎨"
    assert plain("x" * 10_000) == "x" * 300
    assert plain(7) is None


def test_a_time_is_told_as_people_read_it() -> None:
    assert clock("2026-11-28T11:25:11+02:00") == "2026-11-28 09:25:11 UTC"
    assert clock("2026-11-28T09:25:11Z") == "2026-11-28 09:25:11 UTC"
    for odd in ("yesterday", "2026-11-28T09:25:11", "0001-01-01T00:00:00+14:00", ""):
        assert clock(odd) == odd


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "manifests",
                    "a",
                    "active_manifest",
                    "ingredients",
                    "assertion_store",
                    "c2pa.actions",
                    "actions",
                    "digitalSourceType",
                    "validation_results",
                    "activeManifest",
                    "failure",
                    "code",
                    "relationship",
                    "data_types",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(JSON, JSON)
def test_any_json_is_walked_without_an_error(report: Any, detail: Any) -> None:
    found = Tree.of(
        {
            "active_manifest": "a",
            "manifests": {"a": report},
            "validation_results": detail,
        },
        {"manifests": {"a": detail}},
    )
    told = (
        found.manifests(),
        found.source_types(),
        found.active_failures,
        found.delta_failures,
        found.recorded_failures,
        found.ingredients,
        found.has_unknown_material,
        found.all_actions_included,
        found.hard_binding(),
        found.claim_version,
    )
    json.dumps(told)
