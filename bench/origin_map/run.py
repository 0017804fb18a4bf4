"""Measure the origin map against chains of edits whose truth is known.

    .venv/bin/python bench/photographs.py /tmp/photographs
    .venv/bin/python bench/origin_map/run.py /tmp/photographs/test [--chains 200]
        [--proxies] [--seed N] [--without PACKAGE…]

Each chain begins with a photograph that a model is said to have made and has three or
four steps drawn by the seed, which is printed; every picture is saved and read again.
No generative model is run: in-paint is a stand-in (edits.py).
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import cv2
import numpy as np
from PIL import Image

from bench.origin_map.edits import LOCAL, SIZES, toned
from bench.origin_map.saves import SAVES, drawn_save, read
from colophon.originmap.blame import UNKNOWN, Does, Kind, Link, blame
from colophon.originmap.moves import Geometry, Move, Replay
from colophon.originmap.picture import Mask, Pixels, size_of

MEGAPIXELS = (0.5, 1.0, 2.0)
SIDES = ("crop", "resize", "turn", "flip", "rotate", "tone", "save")
HIDING = 0.25  # of geometry, tone and local steps: the step says it only saves
FINDING = {
    "crop": {"geometry", "misfit"},
    "resize": {"geometry", "misfit"},
    "turn": {"geometry", "misfit"},
    "flip": {"geometry", "misfit"},
    "rotate": {"geometry", "misfit"},
    "tone": {"tone"},
}


@dataclass
class Seen:
    """What was measured."""

    overlaps: dict[tuple[str, str], list[float]] = field(
        default_factory=lambda: defaultdict(list)
    )
    wrong: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    shares: list[float] = field(default_factory=list)
    hidden: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    alarms: Counter[str] = field(default_factory=Counter)
    clean: int = 0


def photographs(folder: Path, without: Sequence[str]) -> list[Path]:
    """The pictures of a folder, without those of named packages."""
    return [
        one
        for one in sorted(folder.iterdir())
        if not any(one.name.startswith(name) for name in without)
    ]


def opened(path: Path, megapixels: float) -> Pixels:
    """A photograph at most that large."""
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB"), np.uint8)
    scale = min(1.0, (megapixels * 1e6 / (pixels.shape[0] * pixels.shape[1])) ** 0.5)
    size = (even(pixels.shape[1] * scale), even(pixels.shape[0] * scale))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def even(length: float) -> int:
    """The even number below, as some encoders want sides to be."""
    return int(length) // 2 * 2


def moved(
    name: str, size: tuple[int, int], rng: np.random.Generator
) -> tuple[Geometry, tuple[int, int]]:
    """A geometric step: what it is and the size that it leaves."""
    width, height = size
    if name == "crop":
        left, top = (even(side * rng.uniform(0.02, 0.15)) for side in size)
        right, bottom = (even(side * rng.uniform(0.85, 0.98)) for side in size)
        box = tuple(float(one) for one in (left, top, right, bottom))
        return Geometry(size, (Move("crop", box),)), (right - left, bottom - top)
    if name == "resize":
        scale = rng.uniform(0.5, 0.9)
        to = (even(width * scale), even(height * scale))
        return Geometry(size, (Move("resize", tuple(map(float, to))),)), to
    if name == "turn":
        turn = int(rng.choice([90, 180, 270]))
        to = size if turn == 180 else (height, width)
        return Geometry(size, (Move("turn", turn),)), to
    if name == "flip":
        way = str(rng.choice(["horizontal", "vertical"]))
        return Geometry(size, (Move("flip", way),)), size
    angle = float(rng.choice([-1, 1]) * rng.uniform(0.5, 5))
    return Geometry(size, (Move("rotate", angle),)), size


@dataclass
class Chain:
    """A chain as it grows: the picture, the truth, the links, what each step hid."""

    pixels: Pixels
    truth: np.ndarray
    links: list[Link]
    proxies: bool
    edits: dict[int, tuple[str, str]] = field(default_factory=dict)
    hidden: dict[int, str] = field(default_factory=dict)
    kinds: dict[int, Kind] = field(default_factory=dict)
    plain: dict[int, str] = field(default_factory=dict)

    def local(
        self, other: Pixels, size: str, name: str, rng: np.random.Generator
    ) -> None:
        """A local edit; hidden: by a step that says it only saved."""
        edit, at = LOCAL[name], len(self.links)
        made = edit.make(self.pixels, other, rng.uniform(*SIZES[size]), rng)
        hides = rng.random() < HIDING
        self.truth = np.where(made.visible, UNKNOWN if hides else at, self.truth)
        if hides:
            self.hidden[at] = "local"
        else:
            self.edits[at] = (name, size)
        self.save(made.pixels, edit.kind, Does.SAVE if hides else edit.does, None, rng)

    def side(self, name: str, rng: np.random.Generator) -> None:
        """A step that changes the whole picture, or only saves it."""
        at, hides = len(self.links), rng.random() < HIDING
        kind = Kind.HUMAN
        if name == "save":
            self.plain[at] = name
            self.save(self.pixels, kind, Does.SAVE, None, rng)
            return
        if hides:
            self.hidden[at] = name
        else:
            self.plain[at] = name
        if name == "tone":
            does = Does.SAVE if hides else Does.TONE
            self.save(toned(self.pixels, rng), kind, does, None, rng)
            return
        geometry, size = moved(name, size_of(self.pixels), rng)
        kernel = rng.choice([Image.Resampling.BICUBIC, Image.Resampling.LANCZOS])
        way = Replay(geometry, Image.Resampling(int(kernel)))
        pixels = np.asarray(way(self.pixels, size), np.uint8)
        seen = way.seen(size_of(self.pixels), size)
        self.truth = np.where(seen, way(self.truth, size, nearest=True), UNKNOWN)
        does = Does.SAVE if hides else Does.GEOMETRY
        self.save(pixels, kind, does, None if hides else geometry, rng)

    def save(
        self,
        pixels: Pixels,
        kind: Kind,
        does: Does,
        geometry: Geometry | None,
        rng: np.random.Generator,
    ) -> None:
        """Save the picture in a drawn way: the chain's next link."""
        data = SAVES[drawn_save(rng)](pixels)
        picture = read(data, proxy=self.proxies)
        self.links.append(Link(picture, kind, does, geometry))
        self.pixels = read(data, proxy=False).pixels
        self.truth = self.truth.astype(np.uint8)


def begun(pixels: Pixels, proxies: bool, rng: np.random.Generator) -> Chain:
    """The chain of one photograph."""
    chain = Chain(pixels, np.zeros(pixels.shape[:2], np.uint8), [], proxies)
    chain.save(pixels, Kind.AI, Does.BEGIN, None, rng)
    return chain


def walked(photos: Sequence[Path], proxies: bool, rng: np.random.Generator) -> Chain:
    """One chain of a drawn photograph: two local edits, one or two other steps."""
    path, other = (photos[int(at)] for at in rng.choice(len(photos), 2, replace=False))
    size = float(rng.choice(MEGAPIXELS))
    chain, second = begun(opened(path, size), proxies, rng), opened(other, 0.5)
    steps = ["local", "local", *rng.choice(SIDES, int(rng.integers(1, 3)))]
    for name in rng.permutation(steps):
        if name == "local":
            edit = str(rng.choice(list(LOCAL)))
            chain.local(second, str(rng.choice(list(SIZES))), edit, rng)
        else:
            chain.side(str(name), rng)
    return chain


def judged(chain: Chain, seen: Seen) -> None:
    """Hold the map of a chain against its truth."""
    made = blame(chain.links)
    size = size_of(made.labels)
    truth = cv2.resize(chain.truth, size, interpolation=cv2.INTER_NEAREST)
    for at, key in chain.edits.items():
        real = truth == at
        if real.mean() >= SIZES["0.5-2 %"][0] / 2:
            seen.overlaps[key].append(overlap(made.labels == at, real))
    real_shares = dict.fromkeys(Kind, 0.0)
    for at, kind in enumerate(made.kinds):
        real_shares[kind] += float((truth == at).mean())
    got = made.shares()
    worst = max(abs(got[one] - real_shares[one]) for one in (Kind.AI, Kind.HUMAN))
    seen.shares.append(100 * worst)
    told = {(one.link, one.code) for one in made.findings}
    for at, what in chain.hidden.items():
        name = "geometry" if what in FINDING and what != "tone" else what
        seen.hidden[name] += 1
        wanted = FINDING.get(what, {"local", "unmatched"})
        seen.found[name] += any((at, code) in told for code in wanted)
    for at in (*chain.plain, *chain.edits):
        seen.clean += 1
        for code in {code for link, code in told if link == at}:
            seen.alarms[code] += 1


def overlap(found: Mask, real: Mask) -> float:
    """Intersection over union."""
    return float((found & real).sum() / max(1, (found | real).sum()))


def untouched(
    photos: Sequence[Path],
    count: int,
    proxies: bool,
    rng: np.random.Generator,
    seen: Seen,
) -> None:
    """Steps that leave every part alone: how much of the picture is called changed."""
    for path in [photos[int(at)] for at in rng.permutation(len(photos))[:count]]:
        pixels = opened(path, float(rng.choice(MEGAPIXELS)))
        first = SAVES["JPEG q95 4:4:4"](pixels)
        before = read(first, proxy=proxies)
        pixels = read(first, proxy=False).pixels
        for name in ("JPEG q85", "JPEG q75", "foreign JPEG", "WebP q85"):
            after = read(SAVES[name](pixels), proxy=proxies)
            links = [
                Link(before, Kind.AI, Does.BEGIN),
                Link(after, Kind.HUMAN, Does.ANY),
            ]
            seen.wrong[name].append(_called(links))
        after = read(SAVES["JPEG q85"](toned(pixels, rng)), proxy=proxies)
        links = [Link(before, Kind.AI, Does.BEGIN), Link(after, Kind.HUMAN, Does.ANY)]
        seen.wrong["tone"].append(_called(links))
        for name in ("resize", "rotate", "crop"):
            geometry, size = moved(name, size_of(pixels), rng)
            way = Replay(geometry, Image.Resampling.LANCZOS)
            turned = np.asarray(way(pixels, size), np.uint8)
            after = read(SAVES["JPEG q85"](turned), proxy=proxies)
            links = [
                Link(before, Kind.AI, Does.BEGIN),
                Link(after, Kind.HUMAN, Does.ANY, geometry),
            ]
            valid = way.seen(size_of(pixels), size)
            seen.wrong[name].append(_called(links, valid))


def _called(links: list[Link], valid: Mask | None = None) -> float:
    """Percent of the pixels that came from the first picture and are not called so."""
    labels = blame(links).labels
    changed = labels != 0
    if valid is not None:
        inside = cv2.resize(
            valid.astype(np.uint8), size_of(labels), interpolation=cv2.INTER_NEAREST
        )
        return float(100 * changed[cv2.erode(inside, np.ones((5, 5))) == 1].mean())
    return float(100 * changed.mean())


def told(seen: Seen) -> None:
    """Print it."""
    print("\nIoU with what is visible: n, median, 10th percentile")
    print(f"{'':20}" + "".join(f"{size:>22}" for size in SIZES))
    for name in LOCAL:
        cells = [_cell(seen.overlaps[name, size]) for size in SIZES]
        print(f"{name:20}" + "".join(f"{one:>22}" for one in cells))
    over = list(SIZES)[1:]
    for title, sizes in (("all but text", list(SIZES)), ("the same, over 2 %", over)):
        values = [
            one
            for (name, size), found in seen.overlaps.items()
            if name != "text" and size in sizes
            for one in found
        ]
        print(f"{title:20}{_cell(values):>22}")
    print("\nuntouched pixels called changed, percent: n, mean, worst")
    for name, values in seen.wrong.items():
        mean, worst = statistics.mean(values), max(values)
        print(f"{name:20}{len(values):>6}{mean:>9.3f}{worst:>9.2f}")
    low, high = np.percentile(seen.shares, [50, 95])
    print(
        f"\nshare error, points: mean {statistics.mean(seen.shares):.2f},"
        f" median {low:.2f}, 95th {high:.2f}, worst {max(seen.shares):.1f}"
    )
    print("\nundeclared steps found:")
    for name, count in sorted(seen.hidden.items()):
        print(f"  {name:10} {seen.found[name]} of {count}")
    print(f"false alarms over {seen.clean} steps that declare what they do:")
    for code, count in sorted(seen.alarms.items()):
        print(f"  {code:10} {count} ({100 * count / seen.clean:.2f} %)")


def _cell(values: Sequence[float]) -> str:
    if not values:
        return "0"
    low = float(np.percentile(values, 10))
    return f"{len(values)}  {statistics.median(values):.3f}  {low:.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--chains", type=int, default=200)
    parser.add_argument("--photographs", type=int, default=60, help="for false change")
    parser.add_argument("--proxies", action="store_true")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--without", nargs="*", default=[])
    given = parser.parse_args()
    cv2.setNumThreads(1)
    photos = photographs(given.folder, given.without)
    print(f"seed {given.seed}, {len(photos)} photographs, proxies: {given.proxies}")
    rng, seen = np.random.default_rng(given.seed), Seen()
    for at in range(given.chains):
        judged(walked(photos, given.proxies, rng), seen)
        if sys.stderr.isatty():
            print(f"\r{at + 1} of {given.chains}", end="", file=sys.stderr)
    untouched(photos, given.photographs, given.proxies, rng, seen)
    print(f"{given.chains} chains")
    told(seen)


if __name__ == "__main__":
    main()
