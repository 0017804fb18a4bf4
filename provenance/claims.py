"""What the credential of a work says: its recorded steps in the words of C2PA."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from colophon import statement
from colophon.acts import Step as Act
from colophon.manifest import Action, ClaimPlan, Ingredient
from colophon.originmap.interest import region_of_interest
from colophon.steps import parse_step
from colophon.xmp import Rights, mining_term
from provenance.envelopes import envelope_of
from provenance.models import Asset, OriginMap, Source, Step

Regions = list[dict[str, Any]]

STARTS = ("c2pa.created", "c2pa.opened")
TYPES = {
    Source.Kind.MODEL: ("c2pa.types.model",),
    Source.Kind.DATASET: ("c2pa.types.dataset",),
    Source.Kind.MEDIA: (),
}


def plan_for(asset: Asset) -> ClaimPlan:
    """The claim for the sealed file: steps, sources as inputs, rights, log reference.

    Prompts and parameters stay out: only what was published is named. The log's
    origin and the step digests are in, never an index, which does not exist yet.
    """
    assert asset.run is not None
    steps = list(asset.run.steps.select_related("model_source", "entry"))
    sources = _sources(steps)
    actions = _actions(steps, sources, _regions(asset))
    return ClaimPlan(
        title=asset.title,
        actions=actions,
        ingredients=tuple(_ingredient(source) for source in sources.values()),
        rights=rights_of(asset, steps),
        training=dict(asset.training),
        log={
            "origin": settings.LOG_ORIGIN,
            "asset": asset.code,
            "steps": [bytes(step.digest).hex() for step in steps],
        },
    )


def _sources(steps: list[Step]) -> dict[int, Source]:
    """The registered sources that the steps name, by primary key."""
    found = {
        step.model_source.pk: step.model_source for step in steps if step.model_source
    }
    for step in steps:
        for file in step.files.select_related("source"):
            if file.source:
                found[file.source.pk] = file.source
    return dict(sorted(found.items()))


def _actions(
    steps: list[Step], sources: dict[int, Source], regions: dict[int, Regions]
) -> tuple[Action, ...]:
    """One action per step; a run that does not begin with a start gets one."""
    acts = [_act(step) for step in steps]
    actions = [
        _action(step, act, sources, regions.get(step.position, []))
        for step, act in zip(steps, acts, strict=True)
    ]
    if actions[0].action not in STARTS:
        first = Action("c2pa.created", source_type=actions[0].source_type)
        actions.insert(0, first)
    kept = [
        one for at, one in enumerate(actions) if at == 0 or one.action not in STARTS
    ]
    return tuple(kept)


def _regions(asset: Asset) -> dict[int, Regions]:
    """The regions of the work's origin map by the position of their step."""
    row = OriginMap.objects.filter(asset=asset).first()
    found: dict[int, Regions] = {}
    for one in row.found.get("regions", []) if row else []:
        if one["step"] is not None:
            found.setdefault(one["step"], []).append(one)
    return found


def _act(step: Step) -> Act:
    return parse_step(statement.read_statement(envelope_of(step.entry).payload))


def _action(
    step: Step, act: Act, sources: dict[int, Source], regions: Regions
) -> Action:
    named = [step.model_source_id] if step.model_source_id else []
    named += [file.source_id for file in step.files.all() if file.source_id]
    return Action(
        action=act.action,
        source_type=None if act.action == "c2pa.opened" else act.source_type,
        when=act.finished_on.isoformat().replace("+00:00", "Z"),
        agent=act.tool.name,
        agent_version=act.tool.version,
        ingredients=tuple(sources[pk].code for pk in dict.fromkeys(named)),
        parameters={
            "com.colophon.step": bytes(step.digest).hex(),
            "com.colophon.actor": act.actor.kind,
        },
        changes=tuple(region_of_interest(one["box"], act.action) for one in regions),
    )


def _ingredient(source: Source) -> Ingredient:
    return Ingredient(
        label=source.code,
        title=str(source),
        types=TYPES[Source.Kind(source.kind)],
        description=f"sha256:{bytes(source.digest).hex()}",
        url=f"{settings.SITE_URL}/registry/{source.code}",
    )


def rights_of(asset: Asset, steps: list[Step]) -> Rights:
    """Rights for XMP and for the credential: equal to the page's JSON-LD."""
    credit = asset.creator_name or asset.party.name
    page = f"{settings.SITE_URL}/a/{asset.code}"
    last_type = next((s.source_type for s in reversed(steps) if s.source_type), "")
    return Rights(
        creators=(credit,),
        copyright=f"© {asset.created_at.year} {credit}",
        credit=credit,
        web_statement=page,
        usage_terms="Use only with a license; see the page.",
        licensor_name="Colophon",
        licensor_url=page,
        source_type=last_type or None,
        data_mining=mining_term(asset.training),
        alt_text=asset.alt_text or None,
    )
