"""Signed steps and the pictures at hand as a chain: the way to one file.

From the file back to the step that made it, to that step's parent, and so on. A step
whose picture is not at hand is joined with the next one; what both may have done is
unknown where they are of different kinds. Source: docs/origin-map.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from colophon.acts import COMPONENT, CREATED, OPENED, PARENT, Step
from colophon.origin import Signal, term_of
from colophon.originmap.blame import Does, Kind
from colophon.originmap.moves import Geometry

DOES = {
    OPENED: Does.BEGIN,
    CREATED: Does.BEGIN,
    **dict.fromkeys(
        (
            "c2pa.cropped",
            "c2pa.resized",
            "c2pa.resized.proportional",
            "c2pa.orientation",
        ),
        Does.GEOMETRY,
    ),
    "c2pa.adjustedColor": Does.TONE,
    **dict.fromkeys(("c2pa.filtered", "c2pa.enhanced"), Does.FILTER),
    **dict.fromkeys(
        (
            "c2pa.addedText",
            "c2pa.deleted",
            "c2pa.drawing",
            "c2pa.placed",
            "c2pa.removed",
            "c2pa.redacted",
            "c2pa.translated",
            "c2pa.watermarked.bound",
            "c2pa.watermarked.unbound",
        ),
        Does.LOCAL,
    ),
    **dict.fromkeys(
        (
            "c2pa.converted",
            "c2pa.edited.metadata",
            "c2pa.published",
            "c2pa.repackaged",
            "c2pa.transcoded",
        ),
        Does.SAVE,
    ),
}
_AI = {Signal.AI, Signal.MIXED}


@dataclass(frozen=True)
class Place:
    """One link of a chain before its picture is read.

    Attributes:
        picture: digest of the file or of its proxy.
        kind: who made what changed here.
        does: what the step declares.
        geometry: its declared geometry; None when it tells none.
        step: position in the given steps; None for what was there before them.
    """

    picture: bytes
    kind: Kind
    does: Does
    geometry: Geometry | None = None
    step: int | None = None


def kind_of(step: Step) -> Kind:
    """Who made what a step changed: AI wherever a model had a part in it.

    Unknown where other pictures came in: whoever placed them need not have made them.
    """
    term = term_of(step.source_type) if step.source_type else None
    if (term and term.signal in _AI) or step.actor.kind == "agent" or step.model:
        return Kind.AI
    if any(one.relation == COMPONENT for one in step.inputs):
        return Kind.UNKNOWN
    return {"human": Kind.HUMAN, "tool": Kind.PROGRAM}.get(
        step.actor.kind, Kind.UNKNOWN
    )


def does_of(step: Step) -> Does:
    """What a step declares that it does to the picture."""
    term = term_of(step.source_type) if step.source_type else None
    does = DOES.get(step.action, Does.ANY)
    if does is not Does.BEGIN and term and term.signal is Signal.AI:
        return Does.REMAKE
    return does


def chain_to(
    file: bytes,
    steps: Sequence[Step],
    at_hand: Mapping[bytes, bytes],
    geometry: Mapping[int, Geometry],
) -> list[Place]:
    """The chain that leads to a file, oldest first; empty when nothing is known.

    Args:
        file: SHA-256 of the last file.
        steps: in the order of their run.
        at_hand: for the digest of a file, that of the picture to read for it.
        geometry: declared geometry by the position of its step.
    """
    way = _way_to(file, steps)
    if not way:
        return []
    found: list[Place] = []
    first_step = steps[way[0][0]]
    parent = _parent(first_step)
    if parent is not None and parent in at_hand and first_step.action != OPENED:
        found.append(Place(at_hand[parent], Kind.UNKNOWN, Does.BEGIN))
    waiting: list[Place] = []
    for at, output in way:
        step = steps[at]
        kind = Kind.UNKNOWN if step.action == OPENED else kind_of(step)
        place = Place(b"", kind, does_of(step), geometry.get(at), at)
        if output not in at_hand:
            waiting.append(place)
            continue
        found.append(_joined(waiting, replace(place, picture=at_hand[output])))
        waiting = []
    if waiting or not found:
        return []
    # Where the chain begins in the middle, nothing says who made what is there.
    if found[0].does is not Does.BEGIN:
        begin = Kind.AI if found[0].does is Does.REMAKE else Kind.UNKNOWN
        found[0] = replace(found[0], kind=begin, does=Does.BEGIN)
    return found


def _way_to(file: bytes, steps: Sequence[Step]) -> list[tuple[int, bytes]]:
    """Steps and the outputs by which they hang together, oldest first."""
    way: list[tuple[int, bytes]] = []
    before = len(steps)
    wanted: bytes | None = file
    while wanted is not None:
        maker = next(
            (
                at
                for at in range(before - 1, -1, -1)
                if any(one.sha256 == wanted for one in steps[at].outputs)
            ),
            None,
        )
        if maker is None:
            break
        way.append((maker, wanted))
        wanted, before = _parent(steps[maker]), maker
    return way[::-1]


def _parent(step: Step) -> bytes | None:
    parents = [one.sha256 for one in step.inputs if one.relation == PARENT]
    return parents[0] if parents else None


def _joined(missing: Sequence[Place], last: Place) -> Place:
    """A step and those before it whose pictures are not at hand, as one."""
    if not missing or last.does in {Does.BEGIN, Does.REMAKE}:
        return last
    if any(one.does is Does.BEGIN for one in missing):
        return replace(last, kind=Kind.UNKNOWN, does=Does.BEGIN, geometry=None)
    kinds = {one.kind for one in (*missing, last)}
    kind = kinds.pop() if len(kinds) == 1 else Kind.UNKNOWN
    return replace(last, kind=kind, does=Does.ANY, geometry=None)
