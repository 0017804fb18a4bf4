"""The balance tree of a settlement, rebuilt from its stored leaves."""

from __future__ import annotations

from collections.abc import Iterable

from colophon.earnings import EarningsTree, word
from royalties.models import Leaf


def tree_of(leaves: Iterable[Leaf]) -> EarningsTree:
    """The tree of some leaves by position; a position without a leaf is empty."""
    by_position = {leaf.position: leaf for leaf in leaves}
    words = [0] * (max(by_position, default=-1) + 1)
    for position, leaf in by_position.items():
        account = bytes.fromhex(leaf.account.removeprefix("0x"))
        words[position] = word(leaf.cumulative_units, account)
    return EarningsTree(words)
