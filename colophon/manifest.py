"""Say what a credential will claim, and sign a file with it.

A plan is checked here against the rules of C2PA 2.4, so that a claim we sign passes
the official rubric. The signing itself happens in a child process, because it
parses the file and its older credentials; the private key stays outside: the child
asks for each signature.

Source: C2PA 2.4 sections 18.15 (actions), 18.16 (ingredients); CAWG metadata 1.1,
CAWG training and data mining 1.1.
"""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from colophon import __version__, xmp
from colophon import child as children
from colophon.errors import InputError
from colophon.formats import ANY_OF, FORMATS
from colophon.origin import NON_EDITORIAL, term_of

SIGN_SECONDS = 60.0
SPEC_VERSION = "2.4"
LOG_LABEL = "com.colophon.log"
LICENSE_LABEL = "com.colophon.license"
# Name in the C2PA list of soft-binding algorithms.
ISCC_ALGORITHM = "io.iscc.v0"
PARENT = "parent"
CREATED, OPENED = "c2pa.created", "c2pa.opened"
TRAINING_USES = ("allowed", "notAllowed", "constrained")

Sign = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Action:
    """One thing that was done, in the words of C2PA."""

    action: str
    source_type: str | None = None
    when: str | None = None  # RFC 3339
    agent: str | None = None
    agent_version: str | None = None
    description: str | None = None
    ingredients: tuple[str, ...] = ()  # labels of the plan's ingredients
    parameters: dict[str, Any] = field(default_factory=dict)  # names hold a dot
    changes: tuple[dict[str, Any], ...] = ()  # regions of interest


@dataclass(frozen=True)
class Ingredient:
    """Something the work was made from or with."""

    label: str
    title: str
    relation: str = "inputTo"
    format: str = "application/octet-stream"
    types: tuple[str, ...] = ()  # c2pa.types.model, c2pa.types.dataset, …
    description: str | None = None
    url: str | None = None
    path: str | None = None  # a file, when its own credential shall be kept


@dataclass(frozen=True)
class ClaimPlan:
    """What the credential of one file shall say.

    `parent` is the file this one was made from when that is another file. A source
    that already has a credential is always kept as parent: nothing is dropped.
    """

    title: str
    actions: tuple[Action, ...]
    ingredients: tuple[Ingredient, ...] = ()
    rights: xmp.Rights | None = None
    training: dict[str, str] = field(default_factory=dict)
    training_terms: str | None = None
    log: dict[str, Any] | None = None  # {origin, asset, steps}
    license: dict[str, Any] | None = None  # {license, terms}
    iscc: str | None = None  # by which others can find the work: "ISCC:…"
    parent: str | None = None
    thumbnail: str | None = None  # a picture; at most 256 pixels of it are embedded
    all_actions_included: bool = True
    generator: str = "Colophon"
    generator_version: str = __version__


@dataclass(frozen=True)
class Signed:
    """A signed file."""

    path: Path
    size_bytes: int
    manifest_bytes: int


def sign_file(
    src: Path | str,
    dst: Path | str,
    mime: str,
    plan: ClaimPlan,
    *,
    chain_pem: bytes,
    key: bytes | Sign,
    tsa_url: str | None,
    child: children.Worker | None = None,
    trust_anchors: list[str] | None = None,
    tsa_anchors: list[str] | None = None,
    strip: bool = False,
) -> Signed:
    """Write rights into a picture, sign it, and write it to `dst`.

    Args:
        src: a picture; read, never changed.
        dst: the signed file; replaced when it exists, absent when signing fails.
        mime: of a format in `formats.FORMATS`.
        plan: what to claim.
        chain_pem: leaf and issuing certificates, leaf first, without the root.
        key: PKCS#8 PEM of the leaf's P-256 key, or a function that signs bytes
            with it (ECDSA with SHA-256).
        tsa_url: RFC 3161 authority; None only where no time is wanted.
        child: a process with network for the time-stamp; a shared one if absent.
        trust_anchors: PEM texts by which older credentials are judged and recorded.
        tsa_anchors: the same for their time-stamps.
        strip: take position, camera and all other metadata out first; an older
            credential is still kept, as the parent's.

    Raises:
        InputError: the plan breaks a rule of C2PA; names the field.
        CouldNotCheck: time-stamping or signing failed; try again later.
    """
    if mime not in FORMATS:
        raise InputError(f"{mime} cannot be signed; use {ANY_OF}", "mime")
    check_plan(plan)
    target = Path(dst).resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        out = Path(folder) / "signed"
        params = {
            "src": str(Path(src).resolve()),
            "dst": str(out),
            "mime": mime,
            "definition": definition(plan),
            "reopened": definition(reopened(plan)),
            "rights": asdict(plan.rights) if plan.rights else None,
            "parent": plan.parent,
            "files": {i.label: i.path for i in plan.ingredients if i.path},
            "thumbnail": plan.thumbnail,
            "chain_pem": chain_pem.decode(),
            "tsa_url": tsa_url,
            "trust_anchors": trust_anchors or [],
            "tsa_anchors": tsa_anchors or [],
            "strip": strip,
        }
        worker = child or children.default(network=True)
        result = worker.call(
            "colophon.manifest_sign:sign", params, SIGN_SECONDS, _answer(key)
        )
        out.replace(target)
    return Signed(target, target.stat().st_size, result["manifest_bytes"])


def check_plan(plan: ClaimPlan) -> None:
    """Refuse a plan whose claim would break a rule of C2PA 2.4.

    Raises:
        InputError: with the field.
    """
    if not plan.title.strip():
        raise InputError("a title is needed", "title")
    if plan.iscc is not None and not plan.iscc.startswith("ISCC:"):
        raise InputError("an ISCC begins with ISCC:", "iscc")
    if not plan.actions:
        raise InputError("at least one action is needed", "actions")
    labels = {ingredient.label for ingredient in plan.ingredients}
    if len(labels) != len(plan.ingredients) or PARENT in labels:
        raise InputError(f"labels must differ, and {PARENT!r} is taken", "ingredients")
    for index, action in enumerate(plan.actions):
        _check_action(action, index, labels)
    for kind, use in plan.training.items():
        if kind not in xmp.TRAINING_KINDS or use not in TRAINING_USES:
            raise InputError(f"{kind}: {use} is not a known permission", "training")


def _check_action(action: Action, index: int, labels: set[str]) -> None:
    where = f"actions/{index}"
    if (index == 0) != (action.action in (CREATED, OPENED)):
        raise InputError(
            f"the first action, and no other, is {CREATED} or {OPENED}", where
        )
    if action.action == OPENED and action.source_type:
        raise InputError(f"{OPENED} has no source type", f"{where}/source_type")
    if action.source_type is None:
        if action.action.startswith("c2pa.") and action.action not in NON_EDITORIAL:
            raise InputError(
                f"{action.action} needs a digital source type", f"{where}/source_type"
            )
    elif term_of(action.source_type) is None:
        raise InputError(
            f"{action.source_type} is not a digital source type", f"{where}/source_type"
        )
    if unknown := set(action.ingredients) - labels - {PARENT}:
        raise InputError(f"no ingredient is called {unknown}", f"{where}/ingredients")
    if plain := [name for name in action.parameters if "." not in name]:
        raise InputError(f"parameter {plain[0]} needs a dot", f"{where}/parameters")


def definition(plan: ClaimPlan) -> dict[str, Any]:
    """Return the manifest definition as the C2PA library takes it."""
    assertions = [_actions(plan)]
    if plan.log:
        assertions.append(_own(LOG_LABEL, plan.log))
    if plan.license:
        assertions.append(_own(LICENSE_LABEL, plan.license))
    if plan.iscc:
        assertions.append(_soft_binding(plan.iscc))
    if plan.rights:
        assertions.append(_own("cawg.metadata", xmp.json_ld(plan.rights)))
    if plan.training:
        assertions.append(_training(plan))
    return {
        "claim_generator_info": [
            {
                "name": plan.generator,
                "version": plan.generator_version,
                "specVersion": SPEC_VERSION,
            }
        ],
        "title": plan.title,
        "assertions": assertions,
        "ingredients": [_ingredient(i) for i in plan.ingredients if not i.path],
        "file_ingredients": {
            i.label: _ingredient(i) for i in plan.ingredients if i.path
        },
    }


def _own(label: str, data: dict[str, Any]) -> dict[str, Any]:
    return {"label": label, "kind": "Json", "created": True, "data": data}


def _actions(plan: ClaimPlan) -> dict[str, Any]:
    return {
        "label": "c2pa.actions.v2",
        "created": True,
        "data": {
            "actions": [_action(action) for action in plan.actions],
            "allActionsIncluded": plan.all_actions_included,
        },
    }


def _action(action: Action) -> dict[str, Any]:
    agent = {"name": action.agent, "version": action.agent_version}
    parameters = dict(action.parameters)
    if action.ingredients:
        parameters["ingredientIds"] = list(action.ingredients)
    term = term_of(action.source_type) if action.source_type else None
    found = {
        "action": action.action,
        "when": action.when,
        "digitalSourceType": term.uri if term else None,
        "softwareAgent": _present(agent) if action.agent else None,
        "description": action.description,
        "changes": list(action.changes) or None,
        "parameters": parameters or None,
    }
    return _present(found)


def _ingredient(ingredient: Ingredient) -> dict[str, Any]:
    found = {
        "label": ingredient.label,
        "title": ingredient.title,
        "format": ingredient.format,
        "relationship": ingredient.relation,
        "data_types": [{"type": kind} for kind in ingredient.types] or None,
        "description": ingredient.description,
        "informational_URI": ingredient.url,
    }
    return _present(found)


def _soft_binding(iscc: str) -> dict[str, Any]:
    """Return the fingerprint that finds the credential again when it was stripped."""
    data = {"alg": ISCC_ALGORITHM, "blocks": [{"scope": {}, "value": iscc}]}
    return {"label": "c2pa.soft-binding", "created": True, "data": data}


def _training(plan: ClaimPlan) -> dict[str, Any]:
    entries = {}
    for kind, use in plan.training.items():
        entry = {"use": use}
        if use == "constrained" and plan.training_terms:
            entry["constraint_info"] = plan.training_terms
        entries[f"cawg.{kind}"] = entry
    return _own("cawg.training-mining", {"entries": entries})


def _present(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def _answer(key: bytes | Sign) -> children.Ask:
    """Return what answers the child's requests for signatures."""
    signer = key if callable(key) else _signer(key)

    def answer(question: dict[str, Any]) -> str:
        return base64.b64encode(signer(base64.b64decode(question["sign"]))).decode()

    return answer


def _signer(pem: bytes) -> Sign:
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = serialization.load_pem_private_key(pem, None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise InputError("the key must be an elliptic-curve key (P-256)", "key")
    return lambda data: key.sign(data, ec.ECDSA(hashes.SHA256()))


def reopened(plan: ClaimPlan) -> ClaimPlan:
    """Return the plan for a file that already has a credential.

    Its making is told by the older credential; ours begins with opening it. What
    the plan said about the making stays as a parameter, as a statement of ours.
    """
    first = plan.actions[0]
    told = {"com.colophon.declaredSourceType": first.source_type}
    opened = replace(
        first,
        action=OPENED,
        source_type=None,
        ingredients=(PARENT,),
        parameters=first.parameters | (told if first.source_type else {}),
    )
    return replace(plan, actions=(opened, *plan.actions[1:]))
