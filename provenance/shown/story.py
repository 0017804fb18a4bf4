"""The origin story of a work for its page: sources, steps, seal, log and anchor.

Reads rows and writes nothing. What a maker's clock says is marked as claimed; a
record that was erased keeps its place and its digest and says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.urls import reverse

from accounts.models import SigningKey
from chain.read import facts as network_facts
from colophon import statement
from colophon.acts import Step as Act
from colophon.origin import Signal, term_of
from colophon.steps import parse_step
from colophon.tiles import TILE_WIDTH, tile_for
from log.models import Checkpoint, Entry
from provenance.envelopes import envelope_of
from provenance.errors import ErasedError
from provenance.models import Anchor, Asset, Source, Step
from provenance.shares import used_sources
from provenance.shown.origin import findings_by_step

CUSTODY = {
    SigningKey.Custody.CLIENT: "signed with a key of their own",
    SigningKey.Custody.SERVER: "signed with a key that Colophon keeps",
}
ACTIONS = {
    "c2pa.created": ("Create", "Made"),
    "c2pa.opened": ("Open", "Opened"),
    "c2pa.drawing": ("Edit", "Drawn on"),
    "c2pa.edited": ("Edit", "Edited"),
    "c2pa.cropped": ("Edit", "Cropped"),
    "c2pa.adjustedColor": ("Edit", "Colors adjusted"),
    "c2pa.addedText": ("Edit", "Text added"),
    "c2pa.filtered": ("Edit", "Filtered"),
    "c2pa.removed": ("Edit", "Something removed"),
    "c2pa.placed": ("Edit", "Something placed"),
    "c2pa.orientation": ("Edit", "Turned"),
    "c2pa.resized": ("Edit", "Resized"),
    "c2pa.resized.proportional": ("Edit", "Resized"),
    "c2pa.published": ("Publish", "Published"),
}
SOURCE_LABELS = {
    Source.Kind.MODEL: ("Model", "ai"),
    Source.Kind.DATASET: ("Data set", "human"),
    Source.Kind.MEDIA: ("Picture used", "unknown"),
}
TYPE_WORDS = {
    Signal.CAPTURE: "Taken from life.",
    Signal.HUMAN_START: "Made by a person without generative AI.",
    Signal.HUMAN_EDIT: "Changed by a person.",
    Signal.AI: "Made by a trained model.",
    Signal.MIXED: "Part made by a trained model.",
    Signal.ALGORITHM: "Computed by a program, without training.",
    Signal.NEUTRAL: "Enhanced by a program.",
}


# The tool of a step that the upload form wrote down (provenance/declare.py).
UPLOAD_FORM = "Colophon upload form"
DECLARED = "Declare"


@dataclass(frozen=True)
class Story:
    """The story in the order of the loop, in the form of partials/timeline_step.html.

    Attributes:
        steps: sources, steps, seal, anchor.
        recorded: how many steps were recorded as they happened; what the upload form
            wrote down afterwards is the maker's word and not counted.
        by_kind: how many of those a person, an AI or a program did.
        used: the registered sources that the steps name.
        rows: the recorded steps themselves.
        titles: of the recorded steps, by their position in the run.
        anchor: the first final anchor over the seal; None while there is none.
    """

    steps: list[dict[str, Any]] = field(default_factory=list)
    recorded: int = 0
    by_kind: dict[str, int] = field(default_factory=dict)
    used: list[Source] = field(default_factory=list)
    rows: list[Step] = field(default_factory=list)
    titles: dict[int, str] = field(default_factory=dict)
    anchor: Anchor | None = None


def story_of(asset: Asset) -> Story:
    """The story of a work; the number of queries does not grow with its steps.

    Args:
        asset: with its seal, when it has one, at hand.
    """
    head = Checkpoint.objects.order_by("-size").values_list("size", flat=True).first()
    used = used_sources(asset)
    entries = {
        one.pk: one
        for one in Entry.objects.filter(pk__in=[source.entry_id for source in used])
    }
    rows = _steps(asset)
    told = [_source(one, entries[one.entry_id], head or 0) for one in used]
    wrong = findings_by_step(getattr(asset, "origin_map", None))
    acts = [
        {**_step(one, head or 0), "finding": wrong.get(one.position, "")}
        for one in rows
    ]
    told += acts
    anchor = None
    if hasattr(asset, "seal"):
        anchor = anchor_of(asset)
        told.append(_seal(asset, head or 0))
        if anchor is not None:
            told.append(_anchor(anchor))
    by_kind = {"human": 0, "agent": 0, "tool": 0}
    for row, act in zip(rows, acts, strict=True):
        by_kind[row.actor_kind] += act["label"] != DECLARED
    titles = {row.position: act["title"] for row, act in zip(rows, acts, strict=True)}
    return Story(told, sum(by_kind.values()), by_kind, used, rows, titles, anchor)


def anchor_of(asset: Asset) -> Anchor | None:
    """The first final anchor whose checkpoint covers the seal."""
    index = asset.seal.entry.index
    if index is None:
        return None
    rows = Anchor.objects.filter(checkpoint__size__gt=index)
    return rows.select_related("checkpoint").order_by("checkpoint__size").first()


def leaf_url(index: int | None, head: int) -> str:
    """Where the log serves the entry of an index; "" until a checkpoint covers it."""
    if index is None or index >= head:
        return ""
    tile = tile_for(0, index // TILE_WIDTH, head)
    return reverse("log:tile", args=[tile.entries_path.removeprefix("tile/")])


def _steps(asset: Asset) -> list[Step]:
    if asset.run is None:
        return []
    rows = asset.run.steps.select_related("entry", "key__party", "model_source")
    return list(rows.prefetch_related("disclosures"))


def _in_log(entry: Entry, head: int) -> dict[str, Any]:
    return {"log_url": leaf_url(entry.index, head), "log_index": entry.index}


def _source(source: Source, entry: Entry, head: int) -> dict[str, Any]:
    label, kind = SOURCE_LABELS[Source.Kind(source.kind)]
    owner = source.holder.name
    who = f"Registered by its owner, {owner}"
    if not source.owner_signed:
        who = f"Said to be owned by {owner}, who has not claimed it"
    return {
        "kind": kind,
        "label": label,
        "title": str(source),
        "url": reverse("provenance:source", args=[source.code]),
        "text": source.description[:200],
        "who": who,
        "digest": bytes(source.digest),
        **_in_log(entry, head),
    }


def _step(row: Step, head: int) -> dict[str, Any]:
    told = {
        "who": row.key.party.name
        + (", by software" if row.actor_kind != "human" else ""),
        "custody": CUSTODY[SigningKey.Custody(row.key.custody)],
        "digest": bytes(row.digest),
        "digest_label": "step",
        "kind": _kind(row),
        **_in_log(row.entry, head),
    }
    try:
        act = _act(row)
    except ErasedError:
        words = "The content of this record was erased; its place can still be proved."
        return {**told, "label": "Step", "title": "An erased record", "text": words}
    label, verb = _verb(row, act)
    title = f"{verb} with {_tool(row, act)}"
    if act.tool.name == UPLOAD_FORM:
        label, title = DECLARED, "How it was made, in the maker's own word"
    return {
        **told,
        "label": label,
        "title": title,
        "text": _text(row, act),
        "at": act.finished_on,
        "claimed": True,
        "more": _more(row, act),
    }


def _act(row: Step) -> Act:
    return parse_step(statement.read_statement(envelope_of(row.entry).payload))


def _kind(row: Step) -> str:
    """The shape of a step's dot: who made what it changed."""
    term = term_of(row.source_type) if row.source_type else None
    if term is not None and term.signal is Signal.AI:
        return "ai"
    if term is not None and term.signal is Signal.MIXED:
        return "both"
    return {"human": "human", "agent": "ai"}.get(row.actor_kind, "unknown")


def _verb(row: Step, act: Act) -> tuple[str, str]:
    term = term_of(act.source_type) if act.source_type else None
    if act.action == "c2pa.created" and term is not None:
        if term.signal is Signal.AI:
            return "Generate", "Generated"
        if term.signal is Signal.CAPTURE:
            return "Capture", "Captured"
    return ACTIONS.get(
        row.action, ("Step", row.action.removeprefix("c2pa.").capitalize())
    )


def _tool(row: Step, act: Act) -> str:
    if row.model_source is not None:
        return str(row.model_source)
    return f"{act.tool.name} {act.tool.version}".strip()


def _text(row: Step, act: Act) -> str:
    """One or two sentences: how it was made and what was committed."""
    term = term_of(act.source_type) if act.source_type else None
    said = [TYPE_WORDS.get(term.signal, "") if term else ""]
    prompt = "prompt" in act.commitments
    count = len(act.commitments) - prompt
    parts = ["the prompt"] if prompt else []
    if count:
        parts.append(f"{count} parameter{'' if count == 1 else 's'}")
    if parts:
        said.append(f"Committed, not shown: {' and '.join(parts)}.")
    if act.note and act.tool.name != UPLOAD_FORM:
        said.append(f"“{act.note}”")
    shown = [one for one in row.disclosures.all() if one.is_public]
    said += [
        f"{one.field.rpartition('/')[2].capitalize()}: {one.value}." for one in shown
    ]
    return " ".join(one for one in said if one)


def _more(row: Step, act: Act) -> list[tuple[str, str]]:
    """Technical details of a step."""
    files = [("Output", one.sha256.hex()) for one in act.outputs]
    files += [(f"Input ({one.relation})", one.sha256.hex()) for one in act.inputs]
    proxy = act.proxy
    shown = len(proxy.intermediates) if proxy else 0
    found = [
        ("Action", row.action),
        ("Source type", act.source_type or "none"),
        ("Tool", f"{act.tool.name} {act.tool.version}".strip()),
        (
            "Ticket",
            "given out before the step"
            if act.ticket
            else "none: written down afterwards",
        ),
        ("Pictures of the work in progress", str(shown)),
        ("Key", row.key.key_id),
    ]
    return [*found, *files]


def _seal(asset: Asset, head: int) -> dict[str, Any]:
    state = asset.seal.credential.get("state", "none")
    text = "A Content Credential was put into the file, and its digests were sealed."
    finding = "" if state in {"trusted", "valid"} else "the credential does not hold"
    return {
        "kind": "chain",
        "label": "Seal",
        "title": asset.title,
        "text": text,
        "finding": finding,
        "who": "Colophon",
        "at": asset.seal.sealed_at,
        "digest": bytes(asset.seal.file_digest),
        **_in_log(asset.seal.entry, head),
    }


def _anchor(anchor: Anchor) -> dict[str, Any]:
    facts = network_facts()
    where = facts.name if facts else "chain"
    if facts is not None and not facts.public and "test" not in where:
        where = f"{where} (test network)"
    return {
        "kind": "chain",
        "label": "Anchor",
        "title": f"Log of {anchor.checkpoint.size:,} records",
        "text": f"Block {anchor.block_number:,} of the {where}.",
        "who": "Colophon",
        "at": anchor.block_at,
        "digest": anchor.tx_hash,
        "digest_label": "tx",
    }
