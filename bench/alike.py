"""Measure the exact index of prints beside faiss IndexBinaryFlat, in one run.

    python -m venv /tmp/peer && /tmp/peer/bin/pip install faiss-cpu numpy
    /tmp/peer/bin/python bench/alike.py [--sizes 100000 1000000 10000000]

faiss is no dependency of Colophon, so it comes from an environment of its own. Both use
one thread. Prints are random, as those of unrelated pictures nearly are; 200 of them
are asked for with 0 to 31 bits flipped, the two searches by turns, and every row that
faiss finds within 31 bits must be found with the same distance. Times are of the
processor, the middle one of the queries.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ["OMP_NUM_THREADS"] = "1"

import faiss
import numpy as np

from colophon.printindex import BITS, BYTES, RADIUS, PrintIndex, bands_for

QUERIES = 200
GOAL_GROWTH = 5.0


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=[100_000, 1_000_000, 10_000_000]
    )
    given = parser.parse_args()
    faiss.omp_set_num_threads(1)
    print(f"faiss {faiss.__version__}, numpy {np.__version__}, load {os.getloadavg()}")
    before = 0.0
    good = True
    for size in given.sizes:
        ours, theirs, found = measure(size)
        growth = f"{ours / before:.2f} times the last" if before else ""
        print(f"{size:>11,}: recall {found:.3f} {growth}")
        good &= found == 1.0 and (not before or ours / before <= GOAL_GROWTH)
        good &= size < 1_000_000 or ours <= theirs
        before = ours
    return 0 if good else 1


def measure(size: int) -> tuple[float, float, float]:
    """Seconds a query of ours and of faiss, and our recall at 31 bits."""
    random = np.random.default_rng(size)
    prints = random.integers(0, 256, (size, BYTES), dtype=np.uint8)
    queries = [
        flipped(random, prints[random.integers(size)], each % (RADIUS + 1))
        for each in range(QUERIES)
    ]
    begun = time.process_time()
    index = PrintIndex(prints)
    built = time.process_time() - begun
    flat = faiss.IndexBinaryFlat(BITS)
    flat.add(prints)
    mine, theirs = [], []
    wanted = hit = 0
    for number, query in enumerate(queries):
        row = np.frombuffer(query, np.uint8)[None, :]
        ours, seconds = timed(lambda query=query: index.search(query))
        (distances, rows), other = timed(lambda row=row: flat.search(row, 10))
        near = {
            (int(r), int(d))
            for r, d in zip(rows[0], distances[0], strict=True)
            if d <= RADIUS
        }
        wanted += len(near)
        hit += len(near & set(zip(ours[0].tolist(), ours[1].tolist(), strict=True)))
        if number >= QUERIES // 10:  # the first warm the caches up
            mine.append(seconds)
            theirs.append(other)
    print(
        f"{size:>11,}: {bands_for(size)} bands, ours {median(mine) * 1e3:.3f} ms"
        f" (95 of 100 under {np.quantile(mine, 0.95) * 1e3:.3f}),"
        f" faiss {median(theirs) * 1e3:.3f} ms"
        f" ({np.quantile(theirs, 0.95) * 1e3:.3f});"
        f" {index.nbytes / size:.0f} bytes a print, built in {built:.1f} s"
    )
    return median(mine), median(theirs), hit / wanted


def flipped(random: np.random.Generator, row: Any, n: int) -> bytes:
    """A print with n of its bits flipped."""
    bits = np.unpackbits(row)
    bits[random.choice(BITS, n, replace=False)] ^= 1
    return np.packbits(bits).tobytes()


def timed(call: Callable[[], Any]) -> tuple[Any, float]:
    begun = time.process_time()
    result = call()
    return result, time.process_time() - begun


if __name__ == "__main__":
    sys.exit(main())
