"""The balance tree of a settlement, rebuilt from its stored leaves."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from colophon.earnings import EarningsTree, word
from colophon.errors import ProofError
from royalties.models import Leaf, Settlement

# A proof is under 1 KiB, and the tree that it comes from may have 100,000 leaves.
PROOFS_KEPT = 8192


def tree_of(leaves: Iterable[Leaf]) -> EarningsTree:
    """The tree of some leaves by position; a position without a leaf is empty."""
    by_position = {leaf.position: leaf for leaf in leaves}
    words = [0] * (max(by_position, default=-1) + 1)
    for position, leaf in by_position.items():
        account = bytes.fromhex(leaf.account.removeprefix("0x"))
        words[position] = word(leaf.cumulative_units, account)
    return EarningsTree(words)


def proof_of(settlement: Settlement, position: int) -> tuple[bytes, ...]:
    """The proof of a leaf of the earnings tree, siblings from the bottom up.

    A root fixes its proofs for ever, so this process builds the tree once for each
    leaf that somebody looks at, and not once for each look.
    """
    root = bytes(settlement.earnings_root)
    try:
        return _proof(root, position, settlement.pk)
    except ProofError:
        return tuple(_earnings_tree(settlement.pk).subtree_proof(position))


@lru_cache(maxsize=PROOFS_KEPT)
def _proof(root: bytes, position: int, settlement_pk: int) -> tuple[bytes, ...]:
    """Kept only if it is right; an error is never kept."""
    tree = _earnings_tree(settlement_pk)
    if tree.root != root:
        raise ProofError("the leaves are not those of the root")
    return tuple(tree.subtree_proof(position))


def _earnings_tree(settlement_pk: int) -> EarningsTree:
    rows = Leaf.objects.filter(settlement=settlement_pk, tree=Leaf.Tree.EARNINGS)
    return tree_of(rows.only("position", "account", "cumulative_units"))
