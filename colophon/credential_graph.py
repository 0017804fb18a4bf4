"""Walk the manifests of one credential: failures, actions, source types, history.

Nodes are manifests, edges are ingredients. What a stranger wrote is walked with
care: cycles, missing nodes and wrong types are expected, never an error.

Source: C2PA 2.4 sections 18.15 (actions) and 18.16 (ingredients).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from colophon.credential_codes import is_failure
from colophon.origin import Signal, term_of

MAX_MANIFESTS = 200
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
        return [_ingredient(i) for i in _dicts(self.active.get("ingredients"))]

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
        """True when some picture in the history came without a credential."""
        return any(
            not i["manifest"]
            for label in self._labels(PICTURE_RELATIONS)
            for i in map(_ingredient, _dicts(self._manifest(label).get("ingredients")))
            if i["relationship"] in PICTURE_RELATIONS
        )

    def actions(self, label: str) -> list[Json]:
        """Actions of one manifest, in order."""
        store = _dict(_dict(self.details.get(label)).get("assertion_store"))
        return [
            action
            for name in sorted(store)
            if _is_actions(name)
            for action in _dicts(_dict(store[name]).get("actions"))
        ]

    def source_types(self) -> list[str]:
        """Digital source types of the whole history, the beginning first."""
        pictures = list(self._labels(PICTURE_RELATIONS))
        found = [kind for at in reversed(pictures) for kind in self._types(at)]
        for label in self._labels():
            if label not in pictures:
                found += [kind for kind in self._types(label) if _tells_of_ai(kind)]
        return list(dict.fromkeys(found))

    def manifests(self) -> list[Json]:
        """All reachable manifests, the active one first, in a few plain keys."""
        return [self._plain(label) for label in self._labels()]

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
        queue, seen = [self.label], {self.label}
        while queue:
            label = queue.pop(0)
            yield label
            for ingredient in _dicts(self._manifest(label).get("ingredients")):
                plain = _ingredient(ingredient)
                to = plain["manifest"]
                wanted = relations is None or plain["relationship"] in relations
                if to and to not in seen and wanted and len(seen) < MAX_MANIFESTS:
                    seen.add(to)
                    queue.append(to)

    def _types(self, label: str) -> list[str]:
        found = [a.get("digitalSourceType") for a in self.actions(label)]
        return [kind for kind in found if isinstance(kind, str) and kind]

    def _plain(self, label: str) -> Json:
        manifest = self._manifest(label)
        signer = _dict(manifest.get("signature_info"))
        makers = _dicts(manifest.get("claim_generator_info"))
        return {
            "label": label,
            "title": manifest.get("title"),
            "generator": makers[0].get("name") if makers else None,
            "signer": signer.get("issuer"),
            "claimed_at": signer.get("time"),
            "claim_version": manifest.get("claim_version", 1),
            "actions": [
                {
                    "action": a.get("action"),
                    "source_type": a.get("digitalSourceType"),
                    "when": a.get("when"),
                }
                for a in self.actions(label)
            ],
            "ingredients": [
                _ingredient(i) for i in _dicts(manifest.get("ingredients"))
            ],
        }


def _ingredient(data: Json) -> Json:
    return {
        "title": data.get("title"),
        "relationship": data.get("relationship"),
        "format": data.get("format"),
        "manifest": data.get("active_manifest"),
        "types": [str(t.get("type")) for t in _dicts(data.get("data_types"))],
    }


def _tells_of_ai(kind: str) -> bool:
    term = term_of(kind)
    return term is None or term.signal in _INPUT_SIGNALS


def _is_actions(label: str) -> bool:
    return label.split("__", maxsplit=1)[0] in {"c2pa.actions", "c2pa.actions.v2"}


def _codes(items: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(item.get("code")) for item in _dicts(items)))


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
