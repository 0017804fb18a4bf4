"""Write a pedigree as a CycloneDX 1.7 bill of materials: what a work is made with.

Models are `machine-learning-model` components with a model card, data sets are `data`,
other inputs are files, tools are applications. Source: ECMA-424, bom-1.7.schema.json.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence

from colophon.acts import Tool
from colophon.fields import format_time
from colophon.pedigree import Pedigree
from colophon.records import Source
from colophon.statement import Json

SPEC = "1.7"
MEDIA_TYPE = f"application/vnd.cyclonedx+json; version={SPEC}"
_SCHEMA = f"http://cyclonedx.org/schema/bom-{SPEC}.schema.json"
_TYPES = {"model": "machine-learning-model", "dataset": "data", "media": "file"}
# Creative Commons licenses by their SPDX ids.
_SPDX = frozenset(
    {"CC0-1.0"}
    | {f"CC-BY{kind}-4.0" for kind in ("", "-SA", "-ND", "-NC", "-NC-SA", "-NC-ND")}
)
# Addresses without anything that a schema's reader could take offense at.
_ADDRESS = re.compile(r"https://[\w.-]+(?::[0-9]{1,5})?(?:/[\w.~/?=&+-]*)?", re.ASCII)


def to_cyclonedx(
    told: Pedigree,
    *,
    trained_on: Mapping[str, Sequence[str]] | None = None,
    site: str = "",
) -> Json:
    """The bill of materials of a work; equal arguments give equal documents.

    Args:
        told: what its records tell.
        trained_on: source ids of the data sets behind a model's source id, where the
            registry says so; ids that the pedigree lacks are left out.
        site: where its page and evidence are served, such as ``https://site``; no
            addresses are written without it.
    """
    known = {one.source for one in told.sources}
    behind = {
        model: [one for one in data if one in known]
        for model, data in sorted((trained_on or {}).items())
        if model in known
    }
    tools = list(dict.fromkeys(act.tool for act in told.acts))
    parts = [
        *(_source(one, behind.get(one.source, ())) for one in told.sources),
        *(_unregistered(digest) for digest in _other_inputs(told)),
        *(_tool(one, at) for at, one in enumerate(tools, start=1)),
    ]
    return {
        "$schema": _SCHEMA,
        "bomFormat": "CycloneDX",
        "specVersion": SPEC,
        "serialNumber": _serial(told),
        "version": 1,
        "metadata": {
            "timestamp": format_time(told.seal.sealed_at),
            "component": _work(told, site),
        },
        "components": parts,
        "dependencies": _dependencies(told, parts, behind),
    }


def _serial(told: Pedigree) -> str:
    """The same for the same evidence."""
    name = f"urn:colophon:evidence:{told.evidence.hex()}"
    return uuid.uuid5(uuid.NAMESPACE_URL, name).urn


def _work(told: Pedigree, site: str) -> Json:
    """The sealed file, which everything else went into."""
    seal = told.seal
    said = {
        "asset": seal.asset,
        "evidence-sha256": told.evidence.hex(),
        "uploaded-sha256": seal.uploaded.hex(),
        "c2pa-manifest": seal.manifest,
        "registrant": seal.registrant,
    }
    parts = told.agreement.parts if told.agreement else ()
    made: Json = {
        "type": "file",
        "bom-ref": seal.asset,
        "name": seal.title,
        "hashes": _hashes(seal.file),
        "properties": [
            *(_property(key, value) for key, value in said.items()),
            *(
                _property("part", f"{one.role} {one.holder} {one.ppm} ppm")
                for one in parts
            ),
        ],
    }
    if seal.creator is not None:
        made["authors"] = [{"name": seal.creator}]
    if site:
        api = f"{site}/api/v1/assets/{seal.asset}"
        made["externalReferences"] = [
            {"type": "website", "url": f"{site}/a/{seal.asset}"},
            {"type": "evidence", "url": f"{api}/evidence"},
            {"type": "attestation", "url": f"{api}/export/in-toto"},
        ]
    return made


def _source(one: Source, data: Sequence[str]) -> Json:
    """A registered source."""
    made: Json = {
        "type": _TYPES[one.kind],
        "bom-ref": one.source,
        "name": one.name,
        "hashes": _hashes(one.digest),
        "properties": [
            _property("owner-signed", "yes" if one.owner else "no, only claimed"),
            *(
                _property(f"training:{use.removeprefix('cawg.')}", said)
                for use, said in sorted(one.training.items())
            ),
        ],
    }
    if one.version:
        made["version"] = one.version
    if one.license:
        made["licenses"] = [{"license": _license(one.license)}]
    if one.kind == "model":
        card = {"datasets": [{"ref": ref} for ref in data]} if data else {}
        made["modelCard"] = {"modelParameters": card}
    if one.kind == "dataset":
        made["data"] = [{"type": "dataset", "name": one.name} | _governance(one)]
    return made


def _governance(one: Source) -> Json:
    """Who owns a data set, by party id; nothing when it is only claimed."""
    if one.owner is None:
        return {}
    return {"governance": {"owners": [{"organization": {"name": one.owner}}]}}


def _license(terms: str) -> Json:
    """An SPDX id, an address, or the owner's own words."""
    if terms in _SPDX:
        return {"id": terms}
    if _ADDRESS.fullmatch(terms):
        return {"name": "Terms of its owner", "url": terms}
    return {"name": "Terms of its owner", "text": {"content": terms}}


def _other_inputs(told: Pedigree) -> list[bytes]:
    """Files that went in from outside: neither made by an act nor registered."""
    made = {digest for act in told.acts for digest in act.outputs}
    registered = {one.digest for one in told.sources}
    used = [digest for act in told.acts for _, digest in act.inputs]
    used += [act.model.sha256 for act in told.acts if act.model is not None]
    return [one for one in dict.fromkeys(used) if one not in made | registered]


def _unregistered(digest: bytes) -> Json:
    return {
        "type": "file",
        "bom-ref": f"sha256:{digest.hex()}",
        "name": f"sha256:{digest.hex()}",
        "hashes": _hashes(digest),
        "properties": [_property("registered", "no")],
    }


def _tool(tool: Tool, at: int) -> Json:
    return {
        "type": "application",
        "bom-ref": f"tool:{at}",
        "name": tool.name,
        "version": tool.version,
    }


def _dependencies(
    told: Pedigree, parts: Sequence[Json], behind: Mapping[str, Sequence[str]]
) -> list[Json]:
    """The work on everything, a model on the data sets that it was trained on."""
    refs = sorted(one["bom-ref"] for one in parts)
    return [
        {"ref": told.seal.asset, "dependsOn": refs},
        *({"ref": model, "dependsOn": sorted(data)} for model, data in behind.items()),
    ]


def _hashes(digest: bytes) -> list[Json]:
    return [{"alg": "SHA-256", "content": digest.hex()}]


def _property(name: str, value: str) -> Json:
    return {"name": f"colophon:{name}", "value": value}
