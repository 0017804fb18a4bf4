"""Mutated uploads: each gets a refusal or a verdict, and the child lives on.

The short run always makes the same mutants; the long one makes others each time. The
seed is printed; set COLOPHON_FUZZ_SEED to repeat a run.
"""

from __future__ import annotations

import os
import random
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from colophon import pictures
from colophon.child import Child
from colophon.containers import parts_of, png_chunk
from colophon.errors import InputError
from colophon.examine import examine
from colophon.formats import FORMATS, PNG
from colophon.manifest import Action, ClaimPlan
from colophon.sniff import sniff
from tests.colophon import hostile
from tests.colophon.conftest import AI, MakePicture, Studio

SEED = int(os.environ.get("COLOPHON_FUZZ_SEED", "0"))
# Lengths and counts that parsers trip over.
WORDS = (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\1")
# APP1 and APP11 of a JPEG; chunks of a PNG and a WebP; boxes of an AVIF,
METADATA = (0xE1, 0xEB, b"caBX", b"iTXt", b"C2PA", b"XMP ", b"VP8X", b"meta", b"uuid")
# … blocks of a GIF, and all of a TIFF.
BLOCKS = (b"\xffC2PA_GIF\x01\0\0", b"\xffXMP DataXMP", b"body")
SLOWEST_SECONDS = 5.0  # of the processor, whatever else runs on the machine


def processor_seconds(child: Child) -> float:
    """What the child has used so far; 0 while none runs."""
    if child.pid is None:
        return 0.0
    said = Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(said[11]) + int(said[12])) / os.sysconf("SC_CLK_TCK")


def mutant(data: bytes, dice: random.Random) -> bytes:
    """Change a file in one of the ways in which files break or are broken.

    Half of the mutants break only what a metadata reader sees: the container stays
    whole, so that they come past the first door and reach the credential's parsers.
    """
    if dice.random() < 0.5:
        return inside(data, dice)
    found = bytearray(data)
    place = dice.randrange(len(found))
    # The credential and the headers lie in front: look there more often.
    if dice.random() < 0.6:
        place = dice.randrange(min(len(found), 20_000))
    size = dice.randrange(1, 64)
    match dice.randrange(4):
        case 0:
            del found[place:]
        case 1:
            del found[place : place + size]
        case 2:
            found[place:place] = found[place : place + 512]
        case _:
            scribble(found, 0, len(found), dice)
    return bytes(found)


def inside(data: bytes, dice: random.Random) -> bytes:
    """Scribble into one part with metadata; lengths and checksums stay right."""
    mime = sniff(data)
    parts = [part for part in parts_of(data, mime) if part.kind in METADATA + BLOCKS]
    if not parts:
        return data + dice.randbytes(8)
    part = dice.choice(parts)
    found = bytearray(data)
    end = part.end - 4 * (mime == PNG)
    scribble(found, part.body, end, dice)
    if mime == PNG:
        body = bytes(found[part.body : end])
        assert isinstance(part.kind, bytes)
        found[part.start : part.end] = png_chunk(part.kind, body)
    return bytes(found)


def scribble(found: bytearray, start: int, end: int, dice: random.Random) -> None:
    """Change bytes between two places, in place."""
    place = dice.randrange(start, end)
    match dice.randrange(4):
        case 0:
            found[place] ^= 1 << dice.randrange(8)
        case 1:
            word = dice.choice(WORDS)[: end - place]
            found[place : place + len(word)] = word
        case 2:
            size = min(dice.randrange(1, 64), end - place)
            found[place : place + size] = dice.randbytes(size)
        case _:
            for _ in range(dice.randrange(1, 64)):
                found[dice.randrange(start, end)] = dice.randrange(256)


def seeds(studio: Studio, picture: MakePicture) -> Iterator[bytes]:
    for one in FORMATS.values():
        signed = studio.sign(picture(f"work{one.suffix}")).path
        yield signed.read_bytes()
        plan = ClaimPlan(
            title="Copy", actions=(Action("c2pa.opened"), Action("c2pa.edited", AI))
        )
        yield studio.sign(signed, plan).path.read_bytes()
        yield hostile.picture(one.decoder)


def pixel_digest(data: bytes, path: Path) -> str:
    path.write_bytes(data)
    return pictures.pixel_digest(pictures.decode(pictures.check(path)))


@pytest.mark.parametrize(
    ("count", "seed"),
    [
        (300, SEED or 1),
        pytest.param(
            10_000, SEED or random.randrange(1 << 32), id="long", marks=pytest.mark.long
        ),
    ],
)
def test_mutants_are_refused_or_judged(
    studio: Studio, picture: MakePicture, tmp_path: Path, count: int, seed: int
) -> None:
    dice = random.Random(seed)
    files = list(seeds(studio, picture))
    path = tmp_path / "mutant"
    pixels = {pixel_digest(data, path) for data in files}
    outcomes: Counter[str] = Counter()
    slowest = 0.0
    child = Child(jobs=2 * count)
    try:
        for number in range(count):
            path.write_bytes(mutant(dice.choice(files), dice))
            began = processor_seconds(child)
            try:
                found = examine(path, tmp_path / "out", *studio.anchors, child=child)
                state = found["inspection"]["c2pa"]["state"]
                outcomes[state] += 1
                # Padding of the signature is not covered by it; pixels always are.
                if state in {"Trusted", "Valid"}:
                    assert found["pixels"]["sha256"] in pixels, f"seed {seed}"
            except InputError:
                outcomes["refused"] += 1
            slowest = max(slowest, processor_seconds(child) - began)
            if number == 0:
                first = child.pid
        sys.stdout.write(f"seed {seed}: {dict(outcomes)}, {slowest:.2f} s\n")
        assert child.pid == first, f"the child died (seed {seed})"
        assert slowest < SLOWEST_SECONDS, f"seed {seed}"
        # The mutations bite, and not every one of them kills the file.
        assert outcomes["refused"] > count // 20
        assert outcomes["Invalid"] > count // 20
    finally:
        child.close()
