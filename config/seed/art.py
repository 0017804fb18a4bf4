"""Pictures of the demo, drawn by seeded programs with numpy and Pillow.

Each style is a function of (random generator, width, height, palette) and gives an
RGB array of floats in 0..1. The same seed draws the same picture.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

Array = np.ndarray[Any, np.dtype[np.floating[Any]]]
Palette = list[tuple[int, int, int]]
Style = Callable[[np.random.Generator, int, int, Palette], Image.Image]
QUALITY = 90
LEAD_PIXELS = 5
HALF = 0.5

PALETTES = tuple(
    [tuple(bytes.fromhex(one)) for one in line.split()]
    for line in (
        "f3ead7 21394a b9442a dfa24a 3d7276",
        "11161f e6d7b4 c4402c 4674a8 86b4ba",
        "efe8f2 473067 8862b8 dc7d63 2d2f40",
        "101e18 d2e2b9 74a870 eebf55 ef7c57",
        "faf0e4 22332f 5f8c7c b74d52 eda35d",
        "151210 f0dec2 d3ab93 ad503f 7a5c50",
        "e9f1f4 123a54 128a8e bfd4e4 f75f63",
        "1b1522 dfb4a4 cf5160 743547 f1e4e0",
        "f6f4ee 2b2b2b d96c2f 8a9a5b 5b6c8f",
        "0d1b2a e0e1dd 778da9 f4a259 bc4b51",
    )
)


def noise(
    rng: np.random.Generator, width: int, height: int, scale: float, octaves: int = 3
) -> Array:
    """A smooth random field: a few plane waves in each octave, about -1 to 1."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    x /= max(width, height)
    y /= max(width, height)
    total = np.zeros((height, width), np.float32)
    for octave in range(octaves):
        for _ in range(3):
            kx, ky = rng.normal(0, scale * 2**octave, 2).astype(np.float32)
            phase = np.float32(rng.uniform(0, 2 * np.pi))
            total += np.sin(kx * x + ky * y + phase) / np.float32(1.8**octave)
    return total / np.float32(4)


def ramp(values: Array, palette: Palette) -> Array:
    """Colors of values in 0..1, through all colors of a palette."""
    stops = np.linspace(0, 1, len(palette), dtype=np.float32)
    colors = np.asarray(palette, np.float32) / 255
    channels = [np.interp(values, stops, colors[:, one]) for one in range(3)]
    return np.stack(channels, -1).astype(np.float32)


def picture_of(values: Array) -> Image.Image:
    """A picture of an RGB array in 0..1."""
    return Image.fromarray((np.clip(values, 0, 1) * 255).astype(np.uint8))


def currents(
    rng: np.random.Generator, width: int, height: int, palette: Palette
) -> Image.Image:
    """Long soft lines that follow a smooth wind."""
    angle = noise(rng, width, height, 3.2) * 5
    gaps = noise(rng, width, height, 4.0, 2)
    canvas = np.ones((height, width, 3), np.float32) * (
        np.asarray(palette[0], np.float32) / 255
    )
    count = width * height // 50
    x = rng.uniform(0, width, count).astype(np.float32)
    y = rng.uniform(0, height, count).astype(np.float32)
    inks = np.asarray(palette[1:], np.float32) / 255
    ink = inks[rng.integers(0, len(inks), count)]
    shut = np.quantile(gaps[::8, ::8], 0.25)
    steps = 46
    for step in range(steps):
        xi = np.clip(x.astype(np.int32), 0, width - 1)
        yi = np.clip(y.astype(np.int32), 0, height - 1)
        strength = 0.75 * np.sin(np.pi * (step + 1) / steps)
        kept = gaps[yi, xi] > shut
        at = (yi[kept], xi[kept])
        canvas[at] += (ink[kept] - canvas[at]) * strength
        turn = angle[yi, xi]
        x += np.cos(turn) * 1.7
        y += np.sin(turn) * 1.7
    return picture_of(canvas).filter(ImageFilter.GaussianBlur(0.7))


def marble(
    rng: np.random.Generator, width: int, height: int, palette: Palette
) -> Image.Image:
    """Ink on water: a field bent by two others."""
    bend = noise(rng, width, height, 5.0, 2)
    field = noise(rng, width, height, 3.0, 4) + 0.9 * bend
    bands = (np.sin(field * rng.uniform(7, 12)) + 1) / 2
    grain = rng.normal(0, 0.012, (height, width, 1)).astype(np.float32)
    return picture_of(ramp(bands.astype(np.float32), palette) + grain)


def ridges(
    rng: np.random.Generator, width: int, height: int, palette: Palette
) -> Image.Image:
    """Hills behind hills, paler with distance."""
    colors = np.asarray(palette, np.float32)
    sky = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    base = colors[0] * (1 - sky[..., None] * 0.25) + colors[-1] * sky[..., None] * 0.25
    picture = Image.fromarray(
        np.broadcast_to(base, (height, width, 3)).clip(0, 255).astype(np.uint8)
    )
    pen = ImageDraw.Draw(picture)
    radius = rng.uniform(0.05, 0.11) * width
    cx, cy = rng.uniform(0.2, 0.8) * width, rng.uniform(0.12, 0.3) * height
    pen.ellipse((cx - radius, cy - radius, cx + radius, cy + radius), fill=palette[3])
    layers = int(rng.integers(7, 11))
    xs = np.arange(0, width + 4, 4, dtype=np.float32)
    for layer in range(layers):
        depth = (layer + 1) / layers
        waves = sum(
            np.sin(xs / width * rng.uniform(3, 16) + rng.uniform(0, 7)) / (k + 1)
            for k in range(5)
        )
        line = height * (0.28 + 0.62 * depth) - waves * height * 0.05 * (1.3 - depth)
        color = colors[0] * (1 - depth) + colors[1 + layer % 3] * depth
        points = list(zip(xs.tolist(), np.asarray(line).tolist(), strict=True))
        pen.polygon(
            [*points, (width, height), (0, height)],
            fill=tuple(int(one) for one in color),
        )
    return picture.filter(ImageFilter.GaussianBlur(0.6))


def glass(
    rng: np.random.Generator, width: int, height: int, palette: Palette
) -> Image.Image:
    """Panes around scattered points, with leaded edges."""
    count = int(rng.integers(40, 90))
    points = np.stack(
        [rng.uniform(0, width, count), rng.uniform(0, height, count)], 1
    ).astype(np.float32)
    step = 2
    y, x = np.mgrid[0:height:step, 0:width:step].astype(np.float32)
    first = np.full(y.shape, np.inf, np.float32)
    second = np.full(y.shape, np.inf, np.float32)
    owner = np.zeros(y.shape, np.int32)
    for at, (px, py) in enumerate(points):
        away = np.hypot(x - px, y - py)
        nearer = away < first
        second = np.where(nearer, first, np.minimum(second, away))
        owner = np.where(nearer, at, owner)
        first = np.where(nearer, away, first)
    colors = np.asarray(palette[1:], np.float32)[rng.integers(0, 4, count)] / 255
    shade = 1 - 0.35 * first / (first.max() + 1)
    panes = colors[owner] * shade[..., None]
    panes[(second - first) < LEAD_PIXELS] = np.asarray(palette[0], np.float32) / 255
    return picture_of(panes).resize((width, height), Image.Resampling.LANCZOS)


def packing(
    rng: np.random.Generator, width: int, height: int, palette: Palette
) -> Image.Image:
    """Discs that touch and never overlap, each with a ring or a segment."""
    picture = Image.new("RGB", (width, height), palette[0])
    pen = ImageDraw.Draw(picture)
    placed = np.zeros((0, 3), np.float32)
    for _ in range(2600):
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        limit = rng.choice([140.0, 70.0, 34.0])
        if len(placed):
            away = np.hypot(placed[:, 0] - x, placed[:, 1] - y) - placed[:, 2]
            limit = min(limit, float(away.min()) - 3)
        if limit < 6:  # noqa: PLR2004 - too small to see
            continue
        placed = np.vstack([placed, [[x, y, limit]]]).astype(np.float32)
        ink = palette[1 + int(rng.integers(0, 4))]
        box = (x - limit, y - limit, x + limit, y + limit)
        turn = float(rng.uniform(0, 360))
        kind = int(rng.integers(0, 3))
        if kind == 0:
            pen.ellipse(box, fill=ink)
        elif kind == 1:
            pen.ellipse(box, outline=ink, width=max(2, int(limit / 6)))
        else:
            pen.pieslice(box, turn, turn + 200, fill=ink)
    return picture


def weave(
    rng: np.random.Generator, width: int, height: int, palette: Palette
) -> Image.Image:
    """Quarter arcs on a grid, turned at random: one endless ribbon."""
    picture = Image.new("RGB", (width, height), palette[0])
    pen = ImageDraw.Draw(picture)
    cell = int(rng.choice([60, 84, 110]))
    for row in range(-1, height // cell + 1):
        for column in range(-1, width // cell + 1):
            x, y = column * cell, row * cell
            ink = palette[1 + int(rng.integers(0, 4))]
            broad = max(4, cell // int(rng.choice([3, 4, 6])))
            half = cell / 2
            corners = (
                ((0, 0, 0), (1, 1, 180))
                if rng.random() < HALF
                else (
                    (1, 0, 90),
                    (0, 1, 270),
                )
            )
            for cx, cy, turn in corners:
                px, py = x + cx * cell, y + cy * cell
                reach = half + broad / 2
                box = (px - reach, py - reach, px + reach, py + reach)
                pen.arc(box, turn, turn + 90, fill=ink, width=broad)
    return picture


def lights(
    rng: np.random.Generator, width: int, height: int, palette: Palette
) -> Image.Image:
    """Blurred lamps over dark water."""
    dark = min(palette, key=sum)
    ground = Image.new("RGB", (width, height), dark)
    glow = Image.new("RGB", (width // 4, height // 4), (0, 0, 0))
    pen = ImageDraw.Draw(glow)
    bright = [one for one in palette if one != dark]
    for _ in range(int(rng.integers(50, 110))):
        x, y = rng.uniform(0, width / 4), rng.normal(height / 9, height / 24)
        size = rng.uniform(2, 11)
        ink = bright[int(rng.integers(0, len(bright)))]
        pen.ellipse((x - size, y - size, x + size, y + size), fill=ink)
        tail = rng.uniform(20, height / 8)
        pen.line((x, y, x + rng.normal(0, 3), y + tail), fill=ink, width=int(size) + 1)
    soft = glow.filter(ImageFilter.GaussianBlur(4)).resize((width, height))
    light = np.asarray(ground, np.float32) / 255 + np.asarray(soft, np.float32) / 330
    grain = rng.normal(0, 0.015, (height, width, 1)).astype(np.float32)
    return picture_of(light + grain)


STYLES: dict[str, Style] = {
    "currents": currents,
    "marble": marble,
    "ridges": ridges,
    "glass": glass,
    "packing": packing,
    "weave": weave,
    "lights": lights,
}


def draw(style: str, seed: int, size: tuple[int, int]) -> Image.Image:
    """Draw one picture.

    Args:
        style: one of STYLES.
        seed: decides everything else, the palette too.
        size: width and height in pixels.
    """
    rng = np.random.default_rng(seed)
    palette: Palette = list(PALETTES[seed % len(PALETTES)])  # type: ignore[arg-type]
    return STYLES[style](rng, *size, palette)


def brush(picture: Image.Image, seed: int, *, part: float) -> Image.Image:
    """A person's strokes over a picture: the first `part` of them."""
    rng = np.random.default_rng(seed)
    palette = PALETTES[(seed + 3) % len(PALETTES)]
    made = picture.copy()
    pen = ImageDraw.Draw(made, "RGBA")
    width, height = made.size
    strokes = 5
    for stroke in range(strokes):
        x, y = rng.uniform(0.08, 0.6) * width, rng.uniform(0.1, 0.85) * height
        long, broad = rng.uniform(0.2, 0.36) * width, rng.uniform(0.02, 0.05) * height
        ink = (*palette[1 + stroke % 4], 225)
        sway = rng.normal(0, 0.25, 12).cumsum() * broad
        if stroke >= round(part * strokes):
            continue
        for at, shift in enumerate(sway):
            px = x + long * at / len(sway)
            box = (px, y + shift, px + long / 9, y + shift + broad)
            pen.ellipse(box, fill=ink)
    return made


def save(picture: Image.Image, path: Path) -> Path:
    """Write a picture as the demo's works are: JPEG without chroma loss, or PNG."""
    if path.suffix == ".png":
        picture.save(path, compress_level=2)
    else:
        picture.save(path, quality=QUALITY, subsampling=0)
    return path


def keep(picture: Image.Image, path: Path) -> Path:
    """Write a picture so that a reader never sees half of it."""
    part = path.with_name(f".part-{path.name}")
    save(picture, part)
    return part.replace(path)
