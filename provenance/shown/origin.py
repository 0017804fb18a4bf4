"""The origin map of a work for pages and the API: shares, places, whole-picture steps.

Reads the row that provenance/blame.py wrote and computes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.urls import reverse

from provenance.models import Asset, OriginMap

WHO = {
    "ai": "by AI",
    "human": "by a person",
    "program": "by a program",
    "unknown": "unknown",
}
BEFORE = "What was there before the first recorded step"
COARSE = "Computed from copies of 512 pixels: take the shares with three points."
ONE = "One recorded step made the picture, so the whole of it counts as that step's."
NOTE = "What changed the whole picture alike is listed below, never counted."


@dataclass(frozen=True)
class Origin:
    """What a page shows of a map.

    Attributes:
        split: {ai_ppm, human_ppm, program_ppm, unknown_ppm}, together 1,000,000.
        picture: address of the PNG to lay over the work's picture.
        rows: one for each step that owns a part: title, kind, who, ppm, places.
        whole: what happened to the whole picture: title, words.
        findings: what no step says: title, words, code, ppm.
        notes: how the shares are to be read.
    """

    split: dict[str, int]
    picture: str
    rows: list[dict[str, Any]] = field(default_factory=list)
    whole: list[dict[str, Any]] = field(default_factory=list)
    findings: list[dict[str, Any]] = field(default_factory=list)
    notes: tuple[str, ...] = ()


def split_of(row: OriginMap | None) -> dict[str, int] | None:
    """The shares for partials/origin_split.html; None where no map was computed."""
    if row is None or not row.found:
        return None
    return {f"{kind}_ppm": ppm for kind, ppm in row.found["shares"].items()}


def findings_by_step(row: OriginMap | None) -> dict[int, str]:
    """What is wrong with a step, by its position in the run."""
    found: dict[int, str] = {}
    for one in row.found.get("findings", []) if row else []:
        if one["step"] is not None:
            said = found.get(one["step"], "")
            found[one["step"]] = f"{said} {one['words']}".strip()
    return found


def origin_of(asset: Asset, titles: dict[int, str]) -> Origin | None:
    """The map of a work for its page; None where there is none.

    Args:
        titles: of the recorded steps, by their position in the run.
    """
    row = getattr(asset, "origin_map", None)
    split = split_of(row)
    if row is None or split is None:
        return None
    found = row.found

    def title(step: int | None) -> str:
        return BEFORE if step is None else titles.get(step, f"Step {step + 1}")

    places: dict[int | None, int] = {}
    for one in found["regions"]:
        places[one["step"]] = places.get(one["step"], 0) + 1
    rows = [
        {
            "title": title(one["step"]),
            "kind": one["kind"],
            "who": WHO[one["kind"]],
            "ppm": one["ppm"],
            "places": places.get(one["step"], 0),
        }
        for one in found["links"]
        if one["ppm"]
    ]
    left = 1_000_000 - sum(one["ppm"] for one in rows)
    if left > 0:
        rows.append(
            {
                "title": "Cannot be told",
                "kind": "unknown",
                "who": WHO["unknown"],
                "ppm": left,
                "places": 0,
            }
        )
    return Origin(
        split=split,
        picture=picture_url(asset, row),
        rows=rows,
        whole=[{**one, "title": title(one["step"])} for one in found["whole"]],
        findings=[{**one, "title": title(one["step"])} for one in found["findings"]],
        notes=_notes(found),
    )


def _notes(found: dict[str, Any]) -> tuple[str, ...]:
    if len(found["links"]) == 1:
        return (ONE,)
    return (COARSE, NOTE) if found["proxies"] else (NOTE,)


def picture_url(asset: Asset, row: OriginMap) -> str:
    """The address of the map's PNG; it changes with the picture."""
    path = reverse("provenance:map", args=[asset.code])
    return f"{path}?v={bytes(row.digest).hex()[:16]}"


def origin_map_json(asset: Asset, row: OriginMap) -> dict[str, Any]:
    """A map at the API (docs/origin-map.md)."""
    return {
        "asset": asset.code,
        "version": row.version,
        "computed_at": row.computed_at,
        "proxies_at_hand": row.proxies,
        "problem": row.problem or None,
        "map": row.found or None,
        "picture": picture_url(asset, row) if row.path else None,
        "picture_sha256": bytes(row.digest).hex() or None,
    }
