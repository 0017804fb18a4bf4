"""Judge the C2PA credential of a file, in a child process and without network.

The answer keeps three facts apart: is the content intact, is the signer known to
you, and is the time proven. Failures are listed from everywhere they hide: the
active manifest, changes since signing in its ingredients, and what earlier
signers recorded. The JSON keys are described in `docs/inspect.md`.

Source: C2PA 2.4 section 15 (validation), section 18.16 (ingredients).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from colophon import child as children
from colophon import credential_graph as graph
from colophon.credential_codes import is_hard, meaning
from colophon.digest import sha256_stream
from colophon.errors import CouldNotCheck, InputError
from colophon.origin import classify_source_types
from colophon.sniff import HEAD_BYTES, sniff

READ_SECONDS = 30.0
NO_CREDENTIAL = (
    "No credential in this file. That says nothing about it: most files have none,"
    " and a credential is easily removed."
)
NO_PLACE = (
    "Credentials cannot be read from files of this kind. That says nothing about it."
)
UNREADABLE = "The credential could not be read. Ask for the file again."


@dataclass(frozen=True)
class Detail:
    """What the server keeps beyond the published keys."""

    active_manifest: str = ""
    instance_id: str = ""
    title: str = ""
    claim_version: int = 0
    hard_binding_alg: str = ""
    hard_binding: str = ""  # hex
    signature_sha256: str = ""  # of the COSE_Sign1 bytes, hex
    store_sha256: str = ""  # of the whole manifest store, hex
    remote_url: str = ""
    all_actions_included: bool = False
    actions_attributed: bool = False
    actions: list[dict[str, Any]] = field(default_factory=list)
    ingredients: list[dict[str, Any]] = field(default_factory=list)
    assertions: dict[str, Any] = field(default_factory=dict)
    words: str = ""  # the library's own words when it could not read


@dataclass(frozen=True)
class FileFacts:
    """A file from outside, whatever it holds."""

    name: str
    size_bytes: int
    sha256: str
    mime: str


@dataclass(frozen=True)
class Inspection:
    """What one file says about itself, and whether that holds."""

    file: FileFacts
    state: str  # Trusted, Valid, Invalid, none, remote, error
    active_failures: tuple[str, ...] = ()
    delta_failures: tuple[str, ...] = ()
    recorded_failures: tuple[str, ...] = ()
    organization: str | None = None
    common_name: str | None = None
    claimed_at: str | None = None
    proven_at: str | None = None
    source_types: tuple[str, ...] = ()
    manifests: tuple[dict[str, Any], ...] = ()
    origin: str = "UNKNOWN"
    summary: str = ""
    detail: Detail = field(default_factory=Detail)

    @property
    def failures(self) -> tuple[str, ...]:
        """All failure codes, from the three places, each once."""
        every = self.active_failures + self.delta_failures + self.recorded_failures
        return tuple(dict.fromkeys(every))

    @property
    def intact(self) -> bool:
        """True when nothing, here or in the history, speaks against the content."""
        whole = self.state in ("Trusted", "Valid")
        return whole and not any(is_hard(code) for code in self.failures)

    def to_json(self) -> dict[str, Any]:
        """Return the published view (docs/inspect.md)."""
        return {
            "file": {
                "name": self.file.name,
                "bytes": self.file.size_bytes,
                "sha256": self.file.sha256,
                "mime": self.file.mime,
            },
            "c2pa": {
                "present": self.state not in ("none", "error"),
                "state": self.state,
                "failures": {
                    "active": list(self.active_failures),
                    "ingredient_deltas": list(self.delta_failures),
                    "recorded": list(self.recorded_failures),
                },
                "signer": {
                    "organization": self.organization,
                    "common_name": self.common_name,
                },
                "time": {"claimed": self.claimed_at, "proven": self.proven_at},
                "source_types": list(self.source_types),
                "manifests": list(self.manifests),
            },
            "origin": self.origin,
            "summary": self.summary,
        }


def inspect_file(
    path: Path | str,
    trust_anchors: list[str],
    tsa_anchors: list[str],
    child: children.Child | None = None,
) -> Inspection:
    """Inspect a file of any kind.

    Args:
        path: the file; read, never changed.
        trust_anchors: PEM texts of the authorities whose signers you trust.
        tsa_anchors: PEM texts of the time-stamping authorities you trust.
        child: the process to read in; the shared one when absent.

    Returns:
        State "none" when there is no credential, "remote" when it is elsewhere
        (never fetched), "error" when it could not be read.

    Raises:
        InputError: there is no such file.
    """
    place = Path(path).resolve()
    if not place.is_file():
        raise InputError(f"{path} is not a file; name one that exists", "file")
    params = {
        "path": str(place),
        "trust_anchors": trust_anchors,
        "tsa_anchors": tsa_anchors,
    }
    reader = child or children.default()
    try:
        seen = reader.call("colophon.credential_read:read", params, READ_SECONDS)
    except CouldNotCheck as error:
        seen = {"outcome": "error", "words": str(error)}
    return judge(seen, file_facts(place))


def file_facts(path: Path) -> FileFacts:
    """Name, size, SHA-256 and media type by content of a file."""
    with path.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
        stream.seek(0)
        digest = sha256_stream(stream).hex()
    return FileFacts(path.name, path.stat().st_size, digest, sniff(head, path.name))


def judge(seen: dict[str, Any], file: FileFacts) -> Inspection:
    """Turn what the child saw into a judgement; pure."""
    outcome = seen["outcome"]
    if outcome == "none":
        return Inspection(file, "none", summary=NO_CREDENTIAL)
    if outcome == "unsupported":
        return Inspection(file, "none", summary=NO_PLACE)
    if outcome == "remote":
        url = str(seen["url"])
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
        organization=signer.get("issuer"),
        common_name=signer.get("common_name"),
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
        instance_id=str(tree.active.get("instance_id", "")),
        title=str(tree.active.get("title", "")),
        claim_version=int(tree.active.get("claim_version", 1)),
        hard_binding_alg=alg,
        hard_binding=digest,
        signature_sha256=seen["signature_sha256"] or "",
        store_sha256=seen["store_sha256"],
        all_actions_included=tree.all_actions_included,
        actions_attributed=tree.actions_attributed,
        actions=tree.actions(tree.label),
        ingredients=tree.ingredients,
        assertions=tree.assertions,
    )


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
            f"A trusted time-stamp proves it existed at {judged.proven_at}."
        )
    elif judged.claimed_at:
        sentences.append(f"The time it names, {judged.claimed_at}, is not proven.")
    return " ".join(dict.fromkeys(sentences))
