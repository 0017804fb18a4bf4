"""Walk the manifests of one credential: failures, actions, source types, history.

Nodes are manifests, edges are ingredients. What a stranger wrote is walked with
care: cycles, missing nodes and wrong types are expected, never an error.

Source: C2PA 2.4 sections 18.15 (actions) and 18.16 (ingredients).
"""

from __future__ import annotations

import base64
import binascii
import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from colophon.credential_codes import is_failure
from colophon.origin import Signal, term_of
from colophon.plaintext import plain

# Limits of what is kept; failures and origin are judged over all of it.
MAX_MANIFESTS = 200
MAX_LISTED = 200  # actions, ingredients or codes of one manifest, source types of all
MAX_ACTION_BYTES = 16_384
# Material that becomes part of the work; `inputTo` only fed a computation.
PICTURE_RELATIONS = ("parentOf", "componentOf")
# What even mere input may add to the origin: that AI was, or may be, involved.
_INPUT_SIGNALS = (Signal.AI, Signal.MIXED, Signal.DOUBT)

Json = dict[str, Any]


@dataclass(frozen=True)
class Tree:
    """The manifests of a file, the active one first."""

    label: str
    report: Json
    details: Json

    @classmethod
    def of(cls, report: Json, detail: Json) -> Tree:
        """Build from the library's two views of the same file."""
        label = str(report.get("active_manifest") or "")
        return cls(label, report, _dict(detail.get("manifests")))

    @property
    def active(self) -> Json:
        """The active manifest's report."""
        return self._manifest(self.label)

    @property
    def claim_version(self) -> int:
        """Version of the active claim, 1 or 2."""
        return _version(self.active)

    @property
    def active_failures(self) -> tuple[str, ...]:
        """Failure codes of the active manifest."""
        results = _dict(self.report.get("validation_results"))
        return _codes(_dict(results.get("activeManifest")).get("failure"))

    @property
    def delta_failures(self) -> tuple[str, ...]:
        """Failures of ingredients that were not there when they were recorded."""
        results = _dict(self.report.get("validation_results"))
        found: tuple[str, ...] = ()
        for delta in _dicts(results.get("ingredientDeltas")):
            found += _codes(_dict(delta.get("validationDeltas")).get("failure"))
        return tuple(dict.fromkeys(found))

    @property
    def recorded_failures(self) -> tuple[str, ...]:
        """Failures that signers recorded about ingredients, in every manifest."""
        found: tuple[str, ...] = ()
        for label in self._labels():
            for ingredient in _dicts(self._manifest(label).get("ingredients")):
                old = _codes(ingredient.get("validation_status"))
                results = _dict(ingredient.get("validation_results"))
                new = _codes(_dict(results.get("activeManifest")).get("failure"))
                found += tuple(code for code in old + new if is_failure(code))
                for delta in _dicts(results.get("ingredientDeltas")):
                    found += _codes(_dict(delta.get("validationDeltas")).get("failure"))
        return tuple(dict.fromkeys(found))

    @property
    def ingredients(self) -> list[Json]:
        """Ingredients of the active manifest, in a few plain keys."""
        found = _dicts(self.active.get("ingredients"))
        return [_ingredient(i) for i in found[:MAX_LISTED]]

    @property
    def assertions(self) -> Json:
        """Assertion data of the active manifest by label."""
        return _dict(_dict(self.details.get(self.label)).get("assertion_store"))

    @property
    def all_actions_included(self) -> bool:
        """True when every list of actions of the active manifest says it is whole."""
        lists = [_dict(v) for k, v in self.assertions.items() if _is_actions(k)]
        return bool(lists) and all(v.get("allActionsIncluded") is True for v in lists)

    @property
    def actions_attributed(self) -> bool:
        """True when all its lists of actions are the signer's own assertions."""
        claim = _dict(_dict(self.details.get(self.label)).get("claim"))
        created = {
            str(one.get("url")).rpartition("/")[2]
            for one in _dicts(claim.get("created_assertions"))
        }
        lists = {label for label in self.assertions if _is_actions(label)}
        return bool(lists) and lists <= created

    @property
    def has_unknown_material(self) -> bool:
        """True when a picture in the history came without a credential, or lost it."""
        known = _dict(self.report.get("manifests"))
        return any(
            target not in known
            for label in self._labels(PICTURE_RELATIONS)
            for relation, target in self._edges(label)
            if relation in PICTURE_RELATIONS
        )

    def actions(self, label: str) -> list[Json]:
        """Actions of one manifest to keep: in order, none large, not too many."""
        small = (
            action
            for action in self._every_action(label)
            if len(json.dumps(action)) <= MAX_ACTION_BYTES
        )
        return list(islice(small, MAX_LISTED))

    def source_types(self) -> list[str]:
        """Digital source types of the whole history, the beginning first."""
        pictures = list(self._labels(PICTURE_RELATIONS))
        found = [kind for at in reversed(pictures) for kind in self._types(at)]
        for label in self._labels():
            if label not in pictures:
                found += [kind for kind in self._types(label) if _tells_of_ai(kind)]
        return list(dict.fromkeys(found))[:MAX_LISTED]

    def manifests(self) -> list[Json]:
        """Reachable manifests, the active one first, in a few plain keys."""
        return [self._plain(at) for at in islice(self._labels(), MAX_MANIFESTS)]

    def hard_binding(self) -> tuple[str, str]:
        """Algorithm and hex digest that tie the credential to the content."""
        for label in self._labels(("parentOf",)):
            store = _dict(_dict(self.details.get(label)).get("assertion_store"))
            for name in sorted(store):
                if name.startswith("c2pa.hash."):
                    data = _dict(store[name])
                    return str(data.get("alg", "sha256")), _hex(data.get("hash"))
        return "", ""

    def _manifest(self, label: str) -> Json:
        return _dict(_dict(self.report.get("manifests")).get(label))

    def _labels(self, relations: tuple[str, ...] | None = None) -> Iterator[str]:
        """Walk from the active manifest, breadth first, each node once."""
        waiting, seen = deque([self.label]), {self.label}
        while waiting:
            label = waiting.popleft()
            yield label
            for relation, target in self._edges(label):
                wanted = relations is None or relation in relations
                if target and wanted and target not in seen:
                    seen.add(target)
                    waiting.append(target)

    def _edges(self, label: str) -> list[tuple[str, str]]:
        """Relation and target of each ingredient; "" where it has no credential."""
        return [
            (str(i.get("relationship")), str(i.get("active_manifest") or ""))
            for i in _dicts(self._manifest(label).get("ingredients"))
        ]

    def _every_action(self, label: str) -> Iterator[Json]:
        """Walk all actions: none may hide behind a limit when origin is judged."""
        store = _dict(_dict(self.details.get(label)).get("assertion_store"))
        for name in sorted(store):
            if _is_actions(name):
                yield from _dicts(_dict(store[name]).get("actions"))

    def _types(self, label: str) -> list[str]:
        found = [a.get("digitalSourceType") for a in self._every_action(label)]
        return [kind for kind in map(plain, found) if kind]

    def _plain(self, label: str) -> Json:
        manifest = self._manifest(label)
        signer = _dict(manifest.get("signature_info"))
        makers = _dicts(manifest.get("claim_generator_info"))
        return {
            "label": plain(label),
            "title": plain(manifest.get("title")),
            "generator": plain(makers[0].get("name")) if makers else None,
            "signer": plain(signer.get("issuer")),
            "claimed_at": plain(signer.get("time")),
            "claim_version": _version(manifest),
            "actions": [
                {
                    "action": plain(a.get("action")),
                    "source_type": plain(a.get("digitalSourceType")),
                    "when": plain(a.get("when")),
                }
                for a in self.actions(label)
            ],
            "ingredients": [
                _ingredient(i) for i in _dicts(manifest.get("ingredients"))[:MAX_LISTED]
            ],
        }


def _ingredient(data: Json) -> Json:
    return {
        "title": plain(data.get("title")),
        "relationship": plain(data.get("relationship")),
        "format": plain(data.get("format")),
        "manifest": plain(data.get("active_manifest")),
        "types": [
            kind
            for item in _dicts(data.get("data_types"))[:MAX_LISTED]
            if (kind := plain(item.get("type")))
        ],
    }


def _version(manifest: Json) -> int:
    found = manifest.get("claim_version", 1)
    return found if isinstance(found, int) else 1


def _tells_of_ai(kind: str) -> bool:
    term = term_of(kind)
    return term is None or term.signal in _INPUT_SIGNALS


def _is_actions(label: str) -> bool:
    return label.split("__", maxsplit=1)[0] in {"c2pa.actions", "c2pa.actions.v2"}


def _codes(items: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(plain(str(i.get("code"))) or "" for i in _dicts(items)))


def _hex(value: Any) -> str:
    try:
        return base64.b64decode(value, validate=True).hex()
    except (TypeError, ValueError, binascii.Error):
        return ""


def _dict(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def _dicts(value: Any) -> list[Json]:
    if not isinstance(value, list):
        return []
    return [item for item in value if isinstance(item, dict)]
