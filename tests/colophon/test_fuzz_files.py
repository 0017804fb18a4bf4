"""Mutated uploads: each gets a refusal or a verdict, and the child lives on.

The seed is printed; set COLOPHON_FUZZ_SEED to repeat a run.
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from colophon import pictures
from colophon.child import Child
from colophon.errors import InputError
from colophon.examine import examine
from colophon.manifest import Action, ClaimPlan
from tests.colophon import hostile
from tests.colophon.conftest import AI, MakePicture, Studio

SEED = int(os.environ.get("COLOPHON_FUZZ_SEED", "0")) or random.randrange(1 << 32)
SLOWEST_SECONDS = 5.0  # on a busy machine; alone it is far below one


def mutant(data: bytes, dice: random.Random) -> bytes:
    """Change a file in one of the ways in which files break or are broken."""
    found = bytearray(data)
    place = dice.randrange(len(found))
    # The credential and the headers lie in front: look there more often.
    if dice.random() < 0.6:
        place = dice.randrange(min(len(found), 20_000))
    size = dice.randrange(1, 64)
    match dice.randrange(7):
        case 0:
            found[place] ^= 1 << dice.randrange(8)
        case 1:
            del found[place:]
        case 2:
            del found[place : place + size]
        case 3:
            found[place:place] = dice.randbytes(size)
        case 4:
            found[place : place + 4] = dice.choice(
                [b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\1"]
            )
        case 5:
            found[place:place] = found[place : place + 512]
        case _:
            for _ in range(size):
                found[dice.randrange(len(found))] = dice.randrange(256)
    return bytes(found)


def seeds(studio: Studio, picture: MakePicture) -> Iterator[bytes]:
    for name in ("work.jpg", "work.png"):
        signed = studio.sign(picture(name)).path
        yield signed.read_bytes()
        plan = ClaimPlan(
            title="Copy", actions=(Action("c2pa.opened"), Action("c2pa.edited", AI))
        )
        yield studio.sign(signed, plan).path.read_bytes()
    yield hostile.picture("JPEG")
    yield hostile.picture("PNG")


def pixel_digest(data: bytes, path: Path) -> str:
    path.write_bytes(data)
    return pictures.pixel_digest(pictures.decode(pictures.check(path)))


@pytest.mark.parametrize("count", [300, pytest.param(10_000, marks=pytest.mark.long)])
def test_mutants_are_refused_or_judged(
    studio: Studio, picture: MakePicture, tmp_path: Path, count: int
) -> None:
    dice = random.Random(SEED)
    files = list(seeds(studio, picture))
    path = tmp_path / "mutant"
    pixels = {pixel_digest(data, path) for data in files}
    outcomes: Counter[str] = Counter()
    slowest = 0.0
    child = Child(jobs=2 * count)
    try:
        for number in range(count):
            path.write_bytes(mutant(dice.choice(files), dice))
            began = time.monotonic()
            try:
                found = examine(path, tmp_path / "out", *studio.anchors, child=child)
                state = found["inspection"]["c2pa"]["state"]
                outcomes[state] += 1
                # Padding of the signature is not covered by it; pixels always are.
                if state in {"Trusted", "Valid"}:
                    assert found["pixels"]["sha256"] in pixels, f"seed {SEED}"
            except InputError:
                outcomes["refused"] += 1
            slowest = max(slowest, time.monotonic() - began)
            if number == 0:
                first = child.pid
        sys.stdout.write(f"seed {SEED}: {dict(outcomes)}, {slowest:.2f} s\n")
        assert child.pid == first, f"the child died (seed {SEED})"
        assert slowest < SLOWEST_SECONDS, f"seed {SEED}"
        # The mutations bite, and not every one of them kills the file.
        assert outcomes["refused"] > count // 20
        assert outcomes["Invalid"] > count // 20
    finally:
        child.close()
