"""Turn what the C2PA library said about a file into a judgement.

Runs in the child process, so that what reaches the server is small and clean
whatever a stranger put into the credential: texts are cut and stripped of tricks,
lists are bounded, assertions that nobody here reads are left out.
"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from colophon import credential_graph as graph
from colophon import credential_read
from colophon.credential import UNREADABLE, Detail, FileFacts, Inspection, file_facts
from colophon.credential_codes import is_hard, meaning
from colophon.origin import classify_source_types
from colophon.plaintext import clock, plain

NO_CREDENTIAL = (
    "No credential in this file. That says nothing about it: most files have none,"
    " and a credential is easily removed."
)
NO_PLACE = (
    "Credentials cannot be read from files of this kind. That says nothing about it."
)
# Assertions that the server reads, by the start of their label.
KEPT_ASSERTIONS = ("com.colophon.", "cawg.", "c2pa.hash.", "c2pa.soft-binding")
MAX_ASSERTION_BYTES = 65_536
MAX_URL_CHARACTERS = 2_000


def inspect_here(
    path: str, trust_anchors: list[str], tsa_anchors: list[str]
) -> dict[str, Any]:
    """Do the work of `credential.inspect_file` in this process: the child's side."""
    seen = credential_read.read(path, trust_anchors, tsa_anchors)
    return asdict(judge(seen, file_facts(Path(path))))


def judge(seen: dict[str, Any], file: FileFacts) -> Inspection:
    """Turn what the child saw into a judgement; pure."""
    outcome = seen["outcome"]
    if outcome == "none":
        return Inspection(file, "none", summary=NO_CREDENTIAL)
    if outcome == "unsupported":
        return Inspection(file, "none", summary=NO_PLACE)
    if outcome == "remote":
        url = plain(seen["url"], MAX_URL_CHARACTERS) or ""
        words = f"The credential is kept elsewhere, at {url}. It was not fetched."
        return Inspection(file, "remote", summary=words, detail=Detail(remote_url=url))
    if outcome == "error":
        detail = Detail(words=str(seen["words"]))
        return Inspection(file, "error", summary=UNREADABLE, detail=detail)
    return _judge_report(seen, file)


def _judge_report(seen: dict[str, Any], file: FileFacts) -> Inspection:
    tree = graph.Tree.of(seen["report"], seen["detail"])
    extra = _extra_failures(seen, tree)
    state = "Invalid" if extra else str(seen["report"].get("validation_state"))
    active = tree.active_failures + extra
    signer = tree.active.get("signature_info", {})
    types = tuple(tree.source_types())
    judged = Inspection(
        file,
        state if state in {"Trusted", "Valid"} else "Invalid",
        active_failures=active,
        delta_failures=tree.delta_failures,
        recorded_failures=tree.recorded_failures,
        organization=plain(signer.get("issuer")),
        common_name=plain(signer.get("common_name")),
        claimed_at=seen["time"]["claimed"],
        proven_at=seen["time"]["proven"],
        source_types=types,
        manifests=tuple(tree.manifests()),
        detail=_detail(seen, tree),
    )
    # A broken credential declares nothing; neither does one with unknown material.
    knows = judged.state != "Invalid" and not tree.has_unknown_material
    declared = classify_source_types(types) if knows else "UNKNOWN"
    return replace(judged, origin=str(declared), summary=_summary(judged))


def _extra_failures(seen: dict[str, Any], tree: graph.Tree) -> tuple[str, ...]:
    """Failures that the library overlooks (see `credential_read`)."""
    found = []
    if seen["bad_usage"]:
        found.append("signingCredential.invalid")
    parents = [i for i in tree.ingredients if i["relationship"] == "parentOf"]
    if len(parents) > 1:
        found.append("manifest.multipleParents")
    return tuple(code for code in found if code not in tree.active_failures)


def _detail(seen: dict[str, Any], tree: graph.Tree) -> Detail:
    alg, digest = tree.hard_binding()
    return Detail(
        active_manifest=tree.label,
        instance_id=plain(tree.active.get("instance_id")) or "",
        title=plain(tree.active.get("title")) or "",
        claim_version=tree.claim_version,
        hard_binding_alg=alg,
        hard_binding=digest,
        signature_sha256=seen["signature_sha256"] or "",
        store_sha256=seen["store_sha256"],
        all_actions_included=tree.all_actions_included,
        actions_attributed=tree.actions_attributed,
        actions=tree.actions(tree.label),
        ingredients=tree.ingredients,
        assertions=_kept(tree.assertions),
    )


def _kept(assertions: dict[str, Any]) -> dict[str, Any]:
    """Return the assertions that the server reads, none of them large."""
    return {
        label: data
        for label, data in assertions.items()
        if label.startswith(KEPT_ASSERTIONS)
        and len(json.dumps(data)) <= MAX_ASSERTION_BYTES
    }


def _summary(judged: Inspection) -> str:
    who = judged.organization or judged.common_name or "an unnamed signer"
    start = {
        "Trusted": f"Signed by {who}, whom you trust, and unchanged since.",
        "Valid": f"Unchanged since it was signed by {who}, whom you have not chosen"
        " to trust.",
        "Invalid": f"The credential of {who} does not hold.",
    }[judged.state]
    sentences = [start]
    shown = [c for c in judged.active_failures if c != "signingCredential.untrusted"]
    sentences += [meaning(code).words for code in shown or judged.delta_failures]
    if any(is_hard(c) for c in judged.recorded_failures + judged.delta_failures):
        sentences.append(
            "Something it was made from did not hold when it was used:"
            " do not rely on that part of the history."
        )
    if judged.proven_at:
        sentences.append(
            f"A trusted time-stamp proves it existed at {clock(judged.proven_at)}."
        )
    elif judged.claimed_at:
        claimed = clock(judged.claimed_at)
        sentences.append(f"The time it names, {claimed}, is not proven.")
    return " ".join(dict.fromkeys(sentences))
