"""Compute a map in the killable child: files in, JSON and one picture out.

Proxies come from strangers like any upload, so they are decoded where nothing is
lost when a decoder fails.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from colophon import child as children
from colophon import pictures
from colophon.errors import InputError
from colophon.originmap.chain import Place
from colophon.pictures import Checked

SECONDS = 120.0
SECONDS_PER_LINK = 20.0


@dataclass(frozen=True)
class Source:
    """Where a link's picture lies, and whether it is a smaller copy."""

    path: Path
    proxy: bool


def compute(
    places: Sequence[Place],
    sources: Sequence[Source],
    overlay: Path,
    *,
    child: children.Worker | None = None,
    timeout: float | None = None,
) -> dict[str, Any]:
    """Compute the map of a chain.

    Args:
        places: of `chain.chain_to`, at least one.
        sources: the pictures, one for each place.
        overlay: gets the map as a PNG.
        child: the process to work in; a shared one when absent.
        timeout: wall seconds; by the number of links when absent.

    Returns:
        `version`, `proxies` (whether smaller copies were read), `width`, `height` (of
        the map), `shares` (ppm by kind, together 1,000,000), `links` (position: `step`,
        `kind`, `ppm`), `regions` (`step`, `kind`, `box` in ppm of the frame, `ppm`),
        `whole` and `findings` (`step`, `code`, `words`, `ppm`), `weak_ppm`.

    Raises:
        InputError: a picture is refused; the message says which and why.
        CouldNotCheck: the child died or ran out of time.
    """
    params = {
        "links": [
            {
                "path": str(source.path.resolve()),
                "proxy": source.proxy,
                "kind": place.kind.value,
                "does": place.does.value,
                "geometry": _told(place),
                "step": place.step,
            }
            for place, source in zip(places, sources, strict=True)
        ],
        "overlay": str(overlay.resolve()),
    }
    worker = child or children.default()
    seconds = timeout or SECONDS + SECONDS_PER_LINK * len(places)
    found: dict[str, Any] = worker.call(
        "colophon.originmap.work:compute_here", params, seconds
    )
    return found


def compute_here(links: list[dict[str, Any]], overlay: str) -> dict[str, Any]:
    """Do the work of `compute` in this process: the child's side."""
    import cv2
    from PIL import Image

    from colophon.originmap import blame as blaming
    from colophon.originmap.moves import read_geometry
    from colophon.originmap.picture import picture_of
    from colophon.originmap.regions import overlay as drawn
    from colophon.originmap.regions import regions_of

    cv2.setNumThreads(1)  # children are many, processors few
    made_links = []
    for at, one in enumerate(links):
        try:
            checked = _checked(Path(one["path"]), proxy=one["proxy"])
            pixels = pictures.opaque(pictures.decode(checked))
        except InputError as error:
            raise InputError(f"picture {at + 1}: {error.message}", "proxy") from error
        image = Image.open(io.BytesIO(checked.data))
        told = one["geometry"]
        made_links.append(
            blaming.Link(
                picture_of(image, pixels, proxy=one["proxy"]),
                blaming.Kind(one["kind"]),
                blaming.Does(one["does"]),
                None if told is None else read_geometry(told),
            )
        )
    made = blaming.blame(made_links)
    Path(overlay).write_bytes(drawn(made))
    steps = [one["step"] for one in links]
    *by_link, nobodys = _parts([*made.by_link(), made.nobodys()])
    shares = dict.fromkeys((kind.value for kind in blaming.Kind), 0)
    for kind, ppm in zip(made.kinds, by_link, strict=True):
        shares[kind.value] += ppm
    shares[blaming.Kind.UNKNOWN.value] += nobodys
    return {
        "version": blaming.VERSION,
        "proxies": made.proxies,
        "width": int(made.labels.shape[1]),
        "height": int(made.labels.shape[0]),
        "shares": shares,
        "links": [
            {"step": step, "kind": kind.value, "ppm": ppm}
            for step, kind, ppm in zip(steps, made.kinds, by_link, strict=True)
        ],
        "regions": [
            {
                "step": steps[one.link],
                "kind": one.kind.value,
                "box": _ppm(one.box),
                "ppm": round(one.share * 1_000_000),
            }
            for one in regions_of(made)
        ],
        "whole": [{"step": steps[at], "words": words} for at, words in made.whole],
        "findings": [
            {
                "step": steps[one.link],
                "code": one.code,
                "words": one.words,
                "ppm": round(one.share * 1_000_000),
            }
            for one in made.findings
        ],
        "weak_ppm": round(made.weak * 1_000_000),
    }


def _checked(path: Path, *, proxy: bool) -> Checked:
    """A file that may be decoded, and is no larger than a copy may be."""
    checked = pictures.check(path)
    if proxy and max(checked.width, checked.height) > pictures.PROXY_SIDE:
        raise InputError(f"a copy has at most {pictures.PROXY_SIDE} pixels a side")
    return checked


def _ppm(shares: Sequence[float]) -> list[int]:
    """Shares in parts per million, rounded down: never more than the whole."""
    return [int(one * 1_000_000) for one in shares]


def _parts(shares: Sequence[float]) -> list[int]:
    """Parts of a whole in ppm, together 1,000,000.

    What is left goes to the largest remainders: a share of nothing stays nothing.
    """
    parts = _ppm(shares)
    left = 1_000_000 - sum(parts)
    rests = [one * 1_000_000 - part for one, part in zip(shares, parts, strict=True)]
    for at in sorted(range(len(parts)), key=lambda at: -rests[at])[:left]:
        parts[at] += 1
    return parts


def _told(place: Place) -> dict[str, Any] | None:
    if place.geometry is None:
        return None
    moves = [
        {one.name: list(one.told) if isinstance(one.told, tuple) else one.told}
        for one in place.geometry.moves
    ]
    return {"of": list(place.geometry.of), "moves": moves}
