"""Write a pedigree as PROV-JSON: entities, activities, agents and what ties them.

Source: W3C PROV-DM; PROV-JSON, W3C Member Submission of 24 April 2013. Files are named
by SHA-256, so two exports that share a file join at it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from colophon.acts import INPUT, PARENT
from colophon.fields import format_time
from colophon.pedigree import Act, Pedigree
from colophon.records import Agreement, Source
from colophon.statement import NAMESPACE, Json

MEDIA_TYPE = "application/json"
PREFIXES = {
    "colophon": f"{NAMESPACE}/terms#",
    "file": f"{NAMESPACE}/file/sha256/",
    "step": f"{NAMESPACE}/step/sha256/",
    "seal": f"{NAMESPACE}/seal/sha256/",
    "key": f"{NAMESPACE}/key/sha256/",
    "party": f"{NAMESPACE}/party/",
    "holder": f"{NAMESPACE}/holder/",
    "source": f"{NAMESPACE}/source/",
    "agreement": f"{NAMESPACE}/agreement/",
    "dcterms": "http://purl.org/dc/terms/",
}
_AGENTS = {"human": "prov:Person"}


@dataclass
class _Document:
    """A PROV-JSON document in the making."""

    content: Json = field(default_factory=lambda: {"prefix": dict(PREFIXES)})
    relations: int = 0

    def add(self, kind: str, name: str, attributes: Json | None = None) -> str:
        """An element; more attributes join those that it has already."""
        known = self.content.setdefault(kind, {}).setdefault(name, {})
        for key, value in (attributes or {}).items():
            have = known.setdefault(key, value)
            many = have if isinstance(have, list) else [have]
            if value not in many:
                known[key] = [*many, value]
        return name

    def file(self, digest: bytes) -> str:
        """The entity of a file."""
        return self.add("entity", f"file:{digest.hex()}", {"prov:type": _term("File")})

    def relate(self, kind: str, ends: Json) -> None:
        """A relation; members that are None are left out."""
        self.relations += 1
        made = {key: value for key, value in ends.items() if value is not None}
        self.content.setdefault(kind, {})[f"_:r{self.relations}"] = made


def to_prov_json(told: Pedigree) -> Json:
    """The PROV-JSON document of a work; equal pedigrees give equal documents.

    A file belongs to the first act that made it: an act that hands on what it was
    given (a publication) only used it, as PROV lets an entity be generated once.
    """
    made = _Document()
    born: set[bytes] = set()
    for one in told.sources:
        _source(made, one)
    for act in told.acts:
        _act(made, act, born)
    _seal(made, told)
    if told.agreement is not None:
        _agreement(made, told.agreement)
    return made.content


def _act(made: _Document, act: Act, born: set[bytes]) -> None:
    activity = made.add(
        "activity",
        f"step:{act.digest}",
        {
            "prov:startTime": format_time(act.started_on),
            "prov:endTime": format_time(act.finished_on),
            "prov:type": _term("Step"),
            "colophon:action": act.action,
            **_said("colophon:digitalSourceType", act.source_type),
            "colophon:tool": f"{act.tool.name} {act.tool.version}",
            "colophon:clock": "the actor's own",
        },
    )
    agent = _actor(made, act)
    made.relate("wasAssociatedWith", {"prov:activity": activity, "prov:agent": agent})
    used = [*act.inputs]
    if act.model is not None and all(act.model.sha256 != one for _, one in used):
        used.append((INPUT, act.model.sha256))
    for relation, digest in used:
        made.relate(
            "used",
            {
                "prov:activity": activity,
                "prov:entity": made.file(digest),
                "colophon:relation": relation,
            },
        )
    given = {digest for _, digest in used}
    for digest in act.outputs:
        entity = made.file(digest)
        if digest in given or digest in born:
            continue
        born.add(digest)
        made.relate(
            "wasGeneratedBy", {"prov:entity": entity, "prov:activity": activity}
        )
        _derive(made, act, entity, activity)


def _derive(made: _Document, act: Act, entity: str, activity: str) -> None:
    """What became part of an output; a prompt or a model does not."""
    for relation, digest in act.inputs:
        if relation == INPUT:
            continue
        made.relate(
            "wasDerivedFrom",
            {
                "prov:generatedEntity": entity,
                "prov:usedEntity": made.file(digest),
                "prov:activity": activity,
                "prov:type": _name("prov:Revision") if relation == PARENT else None,
            },
        )


def _actor(made: _Document, act: Act) -> str:
    """The key that acts, and the party that it acts for."""
    kind = _AGENTS.get(act.actor.kind, "prov:SoftwareAgent")
    agent = made.add("agent", f"key:{act.actor.key_id}", {"prov:type": _name(kind)})
    if act.actor.on_behalf_of is not None:
        party = made.add("agent", f"party:{act.actor.on_behalf_of}")
        made.relate(
            "actedOnBehalfOf",
            {
                "prov:delegate": agent,
                "prov:responsible": party,
                "prov:activity": f"step:{act.digest}",
            },
        )
    return agent


def _source(made: _Document, one: Source) -> None:
    """A registered source; the file of its digest is a specialization of it."""
    whole = made.add(
        "entity",
        f"source:{one.source}",
        {
            "prov:type": _term(one.kind.capitalize()),
            "prov:label": f"{one.name} {one.version}".strip(),
            **_said("dcterms:license", one.license),
            "colophon:ownerSigned": one.owner is not None,
            **{
                f"colophon:{use.removeprefix('cawg.')}": said
                for use, said in one.training.items()
            },
        },
    )
    made.relate(
        "specializationOf",
        {"prov:specificEntity": made.file(one.digest), "prov:generalEntity": whole},
    )
    if one.owner is not None:
        owner = made.add("agent", f"party:{one.owner}")
        made.relate("wasAttributedTo", {"prov:entity": whole, "prov:agent": owner})


def _seal(made: _Document, told: Pedigree) -> None:
    """The sealed file, from the uploaded one, by who registered it."""
    seal, at = told.seal, format_time(told.seal.sealed_at)
    activity = made.add(
        "activity",
        f"seal:{told.seal_digest}",
        {
            "prov:startTime": at,
            "prov:endTime": at,
            "prov:type": _term("Seal"),
            "colophon:manifest": seal.manifest,
        },
    )
    sealed, uploaded = made.file(seal.file), made.file(seal.uploaded)
    made.add(
        "entity",
        sealed,
        {
            "prov:label": seal.title,
            "dcterms:title": seal.title,
            **_said("dcterms:creator", seal.creator),
            "dcterms:identifier": seal.asset,
        },
    )
    made.relate("used", {"prov:activity": activity, "prov:entity": uploaded})
    made.relate(
        "wasGeneratedBy",
        {"prov:entity": sealed, "prov:activity": activity, "prov:time": at},
    )
    made.relate(
        "wasDerivedFrom",
        {
            "prov:generatedEntity": sealed,
            "prov:usedEntity": uploaded,
            "prov:activity": activity,
            "prov:type": _name("prov:Revision"),
        },
    )
    registrant = made.add("agent", f"party:{seal.registrant}")
    made.relate("wasAttributedTo", {"prov:entity": sealed, "prov:agent": registrant})


def _agreement(made: _Document, one: Agreement) -> None:
    """Who is paid when the work earns, by holder id."""
    entity = made.add(
        "entity",
        f"agreement:{one.agreement}",
        {
            "prov:type": _term("Agreement"),
            "colophon:version": one.version,
            "colophon:about": _name(f"file:{one.file.hex()}"),
        },
    )
    for part in one.parts:
        made.relate(
            "wasAttributedTo",
            {
                "prov:entity": entity,
                "prov:agent": made.add("agent", f"holder:{part.holder}"),
                "colophon:role": part.role,
                "colophon:ppm": part.ppm,
            },
        )


def _said(key: str, value: str | None) -> Json:
    """An attribute that may be absent."""
    return {} if value is None else {key: value}


def _term(name: str) -> Json:
    return _name(f"colophon:{name}")


def _name(name: str) -> Json:
    """A qualified name as a value."""
    return {"$": name, "type": "prov:QUALIFIED_NAME"}
