"""Measure what the prints find again after common changes, and what they confuse.

    .venv/bin/python bench/photographs.py FOLDER
    .venv/bin/python bench/recall_alike.py FOLDER

Every photograph is changed in each of the named ways and searched for among the prints
of all photographs of its set as the site would: PDQ by its turns and centered crops
within 31 bits, or the ISCC Image-Code by its turns within 31. Recall is the share of
photographs that are found again. A false positive is a changed photograph that looks
like another one, over all pairs of different photographs. The limit was chosen over
`tuning`; the figures are those of `test`.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageOps

from colophon import fingerprints, pictures

LIMITS = (24, 31, 64)
CHOSEN = 31


def reencoded(image: Image.Image) -> Image.Image:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=60)
    return Image.open(out).convert("RGB")


def half(image: Image.Image) -> Image.Image:
    size = (image.width // 2, image.height // 2)
    return image.resize(size, Image.Resampling.LANCZOS)


def cut(left: float, top: float, right: float, bottom: float) -> Callable[..., Any]:
    def change(image: Image.Image) -> Image.Image:
        width, height = image.size
        return image.crop(
            (
                round(width * left),
                round(height * top),
                width - round(width * right),
                height - round(height * bottom),
            )
        )

    return change


def turned(image: Image.Image) -> Image.Image:
    return image.transpose(Image.Transpose.ROTATE_90)


def toned(image: Image.Image) -> Image.Image:
    """A fifth more color, 15 % brighter, a tenth more contrast."""
    colored = ImageEnhance.Color(image).enhance(1.2)
    return ImageEnhance.Contrast(
        ImageEnhance.Brightness(colored).enhance(1.15)
    ).enhance(1.1)


def bordered(share: float) -> Callable[..., Any]:
    return lambda image: ImageOps.expand(image, int(share * min(image.size)), "white")


def with_logo(image: Image.Image) -> Image.Image:
    """A white box with a red disc, a fifth of the shorter side, near a corner."""
    image = image.copy()
    width, height = image.size
    side = min(width, height) // 5
    gap, inner = side // 5, side // 6
    right, bottom = width - gap, height - gap
    draw = ImageDraw.Draw(image)
    draw.rectangle((right - side, bottom - side, right, bottom), fill="white")
    box = (right - side + inner, bottom - side + inner, right - inner, bottom - inner)
    draw.ellipse(box, fill=(200, 30, 30))
    return image


CHANGES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "re-encoded, JPEG quality 60": reencoded,
    "resized to 50 %": half,
    "cropped by 10 % (5 % a side)": cut(0.05, 0.05, 0.05, 0.05),
    "cropped by 10 % on each side": cut(0.1, 0.1, 0.1, 0.1),
    "cropped by 10 % on one side": cut(0.1, 0, 0, 0),
    "cropped by 10 % at a corner": cut(0, 0, 0.1, 0.1),
    "cropped by 6 % on one side": cut(0, 0.06, 0, 0),
    "cropped by 12 % on each side": cut(0.12, 0.12, 0.12, 0.12),
    "mirrored": ImageOps.mirror,
    "turned by 90°": turned,
    "tone: color, brightness, contrast": toned,
    "white border of 5 %": bordered(0.05),
    "white border of 12 %": bordered(0.12),
    "logo of a fifth near a corner": with_logo,
    "6 % crop, half, quality 60": lambda i: reencoded(half(cut(*[0.03] * 4)(i))),
}


def bits(prints: list[str]) -> np.ndarray[Any, Any]:
    raw = np.frombuffer(bytes.fromhex("".join(prints)), np.uint64)
    return raw.reshape(-1, 4)


def prints_of(path: Path) -> dict[str, Any]:
    """The stored prints of a photograph, and the asked ones of every change."""
    image = Image.open(path).convert("RGB")
    whole = pictures.reduction(image)
    found = fingerprints.pdq(whole)
    if found is None:
        raise SystemExit("pdqhash is not installed here; it is what is measured")
    asked = {}
    for name, change in CHANGES.items():
        small = pictures.reduction(change(image))
        mine = fingerprints.pdq(small)
        assert mine is not None
        asked[name] = (bits(mine["asked"]), bits(fingerprints.iscc_turned(small)))
    return {
        "pdq": bits([found["hash"], *found["crops"]]),
        "iscc": bits([fingerprints.iscc_bits(fingerprints.iscc(whole))]),
        "asked": asked,
    }


def nearest(asked: Any, stored: Any) -> int:
    far = np.bitwise_count(asked[:, None, :] ^ stored[None]).sum(axis=2)
    return int(far.min())


def told(name: str, photographs: list[dict[str, Any]]) -> None:
    count = len(photographs)
    print(f"\n{name}: {count} photographs")
    print("| change | " + " | ".join(f"PDQ ≤ {n}" for n in LIMITS), end=" | ")
    print("ISCC ≤ 31 | either | wrong, of pairs | nearest wrong, PDQ | ISCC |")
    print("|---" * (len(LIMITS) + 6) + "|")
    for change in CHANGES:
        pdq = np.empty((count, count), int)
        iscc = np.empty((count, count), int)
        for i, one in enumerate(photographs):
            for j, other in enumerate(photographs):
                pdq[i, j] = nearest(one["asked"][change][0], other["pdq"])
                iscc[i, j] = nearest(one["asked"][change][1], other["iscc"])
        same = np.eye(count, dtype=bool)
        hit = (pdq <= CHOSEN) | (iscc <= CHOSEN)
        shares = [np.mean(pdq[same] <= limit) for limit in LIMITS]
        cells = [f"{share:.3f}" for share in shares]
        cells += [f"{np.mean(iscc[same] <= CHOSEN):.3f}", f"{np.mean(hit[same]):.3f}"]
        cells += [f"{hit[~same].sum()} of {(~same).sum():,}"]
        cells += [f"{pdq[~same].min()}", f"{iscc[~same].min()}"]
        print(f"| {change} | " + " | ".join(cells) + " |", flush=True)


def main() -> int:
    if len(sys.argv) != 2:
        print("say where the photographs are: bench/recall_alike.py FOLDER")
        return 2
    for name in ("tuning", "test"):
        files = sorted((Path(sys.argv[1]) / name).iterdir())
        with ProcessPoolExecutor(2) as pool:
            told(name, list(pool.map(prints_of, files, chunksize=4)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
