"""Measure what recording a step costs, beside the same code without the recorder.

    .venv/bin/python bench/recorder.py [--steps 200] [--rounds 7]

Each round does the work with and without the recorder, in turns, in one process; times
are of the processor (`process_time`), so that other work on the machine changes little;
medians over the rounds. Files are not hashed (a digest is given), and the site is out
of reach, so that a step ends in the spool: built, committed to, signed, written and
synced. The work between is one small picture, blurred and encoded.
"""

from __future__ import annotations

import argparse
import io
import logging
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from PIL import Image, ImageFilter

from colophon.acts import File
from colophon.digest import sha256
from colophon.origin import IPTC
from colophon.recorder import Recording, autolog_pillow, begin

GOAL_MS = 2.0
SITE = "http://127.0.0.1:9"  # discard: nobody listens there
AI = IPTC + "trainedAlgorithmicMedia"
MADE = File("draft.png", sha256(b"draft"))
PICTURE = Image.radial_gradient("L").convert("RGB")


def work() -> None:
    """What a pipeline does between two records."""
    PICTURE.filter(ImageFilter.GaussianBlur(2)).save(io.BytesIO(), "PNG")


def nothing() -> None:
    """A step in which nothing happens: all of its time is the recorder's."""


def plain(count: int, act: Callable[[], None]) -> None:
    for _ in range(count):
        act()


def recorded(run: Recording, count: int, act: Callable[[], None]) -> None:
    for number in range(count):
        with run.step("c2pa.created", source_type=AI, kind="agent") as step:
            step.prompt("a harbor at night")
            step.parameters(seed=number, steps=30, guidance=7.5)
            act()
            step.outputs.append(MADE)


def timed(call: Callable[[], None]) -> tuple[float, float]:
    """Milliseconds of the processor and of the clock."""
    cpu, clock = time.process_time(), time.perf_counter()
    call()
    return (time.process_time() - cpu) * 1e3, (time.perf_counter() - clock) * 1e3


def measured(
    count: int, rounds: int, act: Callable[[], None]
) -> tuple[float, float, float]:
    """Milliseconds per step: without, with (processor), with (clock)."""
    without, with_it, clock = [], [], []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as home:
            run = begin("bench", site=SITE, api_key="clp_bench", home=Path(home))
            recorded(run, 1, act)  # asks the site once; then not for half a minute
            without.append(timed(partial(plain, count, act))[0] / count)
            cpu, seen = timed(partial(recorded, run, count, act))
            with_it.append(cpu / count)
            clock.append(seen / count)
            if run.spool.count(run.id) != count + 1:
                raise SystemExit("steps are missing; the figures would mean nothing")
            run.close()
    return tuple(statistics.median(one) for one in (without, with_it, clock))


def crop(image: Image.Image) -> None:
    image.crop((0, 0, 32, 32))


def watched(count: int, rounds: int) -> tuple[float, float]:
    """Milliseconds of a crop without and with `autolog_pillow`, nothing saved."""
    without, with_it = [], []
    with tempfile.TemporaryDirectory() as home:
        run = begin("bench", site=SITE, api_key="clp_bench", home=Path(home))
        for _ in range(rounds):
            image = Image.new("RGB", (64, 64))
            crops = partial(plain, count, partial(crop, image))
            without.append(timed(crops)[0] / count)
            with autolog_pillow(run):
                with_it.append(timed(crops)[0] / count)
        run.close()
    return statistics.median(without), statistics.median(with_it)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=7)
    given = parser.parse_args()
    logging.getLogger("colophon").setLevel(logging.ERROR)
    base, cpu, clock = measured(given.steps, given.rounds, work)
    print(f"the work alone           {base:8.3f} ms per step")
    print(f"the work, recorded       {cpu:8.3f} ms per step, {cpu / base:.2f} times")
    print(f"on the clock             {clock:8.3f} ms per step, disk included")
    bare, alone, _ = measured(given.steps, given.rounds, nothing)
    overhead = alone - bare
    print(f"a step of nothing        {overhead:8.3f} ms (goal {GOAL_MS} ms)")
    bare, seen = watched(given.steps, given.rounds)
    print(f"a watched call of Pillow {seen - bare:8.3f} ms")
    return 0 if overhead <= GOAL_MS else 1


if __name__ == "__main__":
    raise SystemExit(main())
