"""The story's picture: a given photograph, or one drawn here by a seeded program."""

from __future__ import annotations

from pathlib import Path

SIDE = 1200
SEED = 7


def draw(path: Path, *, seed: int = SEED, side: int = SIDE) -> None:
    """Draw a flow field: long soft lines that follow a random, smooth wind."""
    import numpy as np
    from PIL import Image, ImageDraw

    rng = np.random.default_rng(seed)
    phases = rng.uniform(0, 2 * np.pi, 6)
    waves = rng.uniform(0.6, 2.4, 6)
    ground = tuple(int(c) for c in rng.integers(12, 46, 3))
    picture = Image.new("RGB", (side, side), ground)
    pen = ImageDraw.Draw(picture, "RGBA")
    palette = rng.integers(70, 240, (5, 3))
    for _ in range(900):
        x, y = rng.uniform(0, side, 2)
        color = (*(int(c) for c in palette[rng.integers(0, 5)]), 70)
        points = [(x, y)]
        for _ in range(60):
            u, v = x / side * 2 * np.pi, y / side * 2 * np.pi
            angle = sum(
                np.sin(waves[i] * (u if i % 2 else v) + phases[i]) for i in range(6)
            )
            x, y = x + 6 * np.cos(angle), y + 6 * np.sin(angle)
            points.append((x, y))
        pen.line(points, fill=color, width=2)
    picture.save(path, quality=92)


def retouch(source: Path, target: Path, *, part: float) -> None:
    """A person's brush over some of the picture: `part` of the finished strokes."""
    from PIL import Image, ImageDraw, ImageOps

    with Image.open(source) as opened:
        picture = ImageOps.exif_transpose(opened).convert("RGB")
    pen = ImageDraw.Draw(picture, "RGBA")
    width, height = picture.size
    strokes = [
        (0.10, 0.20, 0.45, 0.28),
        (0.15, 0.35, 0.50, 0.44),
        (0.20, 0.52, 0.55, 0.60),
        (0.28, 0.68, 0.62, 0.76),
    ]
    for x0, y0, x1, y1 in strokes[: round(part * len(strokes))]:
        box = (x0 * width, y0 * height, x1 * width, y1 * height)
        pen.ellipse(box, fill=(214, 92, 48, 230))
    picture.save(target, "JPEG", quality=92, subsampling=0)
