"""Measure Merkle trees beside pymerkle: building, proving, proving many at once.

    python -m venv /tmp/peer && /tmp/peer/bin/pip install pymerkle
    /tmp/peer/bin/python bench/merkle.py [--leaves 100000] [--large 10000000]

All figures are of one run of one process, so ratios mean something on a shared machine;
times are of the processor, the least of the rounds. The roots of both are compared
first: a tree that is not the same is not measured. Needs no other package.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pymerkle import InmemoryTree
from pymerkle import verify_inclusion as peer_verify

from colophon.merkle import Tree, leaf_hash, multiproof, verify_inclusion
from colophon.merkle import verify_multiproof as verify_many

ROUNDS = 3
PROOFS = 10_000
GOAL_MICROSECONDS = 50.0
CHUNK = 100_000


def least(call: Callable[[], Any], rounds: int = ROUNDS) -> float:
    """Seconds of the processor, the least of the rounds."""
    found = []
    for _ in range(rounds):
        begun = time.process_time()
        call()
        found.append(time.process_time() - begun)
    return min(found)


def ours(entries: list[bytes]) -> Tree:
    return Tree(map(leaf_hash, entries))


def one_by_one(entries: list[bytes]) -> Tree:
    tree = Tree()
    for entry in entries:
        tree.append(leaf_hash(entry))
    return tree


def peers(entries: list[bytes]) -> Any:
    tree = InmemoryTree(algorithm="sha256")
    for entry in entries:
        tree.append_entry(entry)
    return tree


def building(entries: list[bytes]) -> None:
    if ours(entries).root() != peers(entries).get_root():
        raise SystemExit("the roots differ; the figures would mean nothing")
    bulk, single = least(lambda: ours(entries)), least(lambda: one_by_one(entries))
    other = least(lambda: peers(entries))
    count = len(entries)
    for name, seconds in (("in bulk", bulk), ("one by one", single)):
        micro = seconds / count * 1e6
        print(
            f"build, {name:<12} {micro:7.2f} µs a leaf,"
            f" pymerkle takes {other / seconds:.1f} times"
        )
    print(f"build, pymerkle     {other / count * 1e6:7.2f} µs a leaf")


def proving(entries: list[bytes], wanted: list[int]) -> None:
    tree, other = ours(entries), peers(entries)
    size, root, count = len(entries), tree.root(), len(wanted)
    leaves = {at: leaf_hash(entries[at]) for at in wanted}

    def prove_and_check() -> None:
        for at in wanted:
            proof = tree.inclusion_proof(at)
            verify_inclusion(leaves[at], at, size, proof, root)

    def many() -> None:
        verify_many(leaves, size, multiproof(wanted, size, tree.read), root)

    def peer() -> None:
        state = other.get_root()
        for at in wanted:
            proof = other.prove_inclusion(at + 1, size)
            peer_verify(other.get_leaf(at + 1), state, proof)

    singly, together, beside = least(prove_and_check), least(many), least(peer)
    for name, seconds in (("one by one", singly), ("as one", together)):
        micro = seconds / count * 1e6
        print(
            f"{count} proofs, {name:<10} {micro:7.2f} µs each, made and checked,"
            f" pymerkle takes {beside / seconds:.1f} times"
        )
    print(f"{count} proofs, pymerkle   {beside / count * 1e6:7.2f} µs each")


def large(count: int, rng: random.Random) -> float:
    tree = Tree()
    begun = time.process_time()
    for first in range(0, count, CHUNK):
        numbers = range(first, min(first + CHUNK, count))
        tree.extend(leaf_hash(at.to_bytes(8, "big")) for at in numbers)
    built = time.process_time() - begun
    wanted = [rng.randrange(count) for _ in range(PROOFS)]
    micro = least(lambda: [tree.inclusion_proof(at) for at in wanted]) / PROOFS * 1e6
    print(f"{count} leaves built in {built:.1f} s; a proof takes {micro:.1f} µs")
    return micro


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--leaves", type=int, default=100_000)
    parser.add_argument("--large", type=int, default=10_000_000)
    given = parser.parse_args()
    rng = random.Random(7)
    entries = [at.to_bytes(8, "big") * 16 for at in range(given.leaves)]
    building(entries)
    proving(entries, rng.sample(range(given.leaves), PROOFS))
    return 0 if large(given.large, rng) <= GOAL_MICROSECONDS else 1


if __name__ == "__main__":
    raise SystemExit(main())
