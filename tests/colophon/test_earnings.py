"""Balance trees: the defined root by another library, and proofs as on the chain."""

from __future__ import annotations

import pytest
from Crypto.Hash import keccak
from hypothesis import given
from hypothesis import strategies as st

from colophon import earnings
from colophon.earnings import EarningsTree, combined_root, unword, word
from colophon.errors import InputError, ProofError

WORDS = st.lists(st.integers(0, 2**256 - 1), max_size=40)


def other(data: bytes) -> bytes:
    return keccak.new(digest_bits=256, data=data).digest()


def definition(words: list[int]) -> bytes:
    """The root as the format says it, with another keccak and no shortcuts."""
    level = [other(one.to_bytes(32, "big")) for one in words or [0]]
    while len(level) & (len(level) - 1):
        level.append(other(bytes(32)))
    while len(level) > 1:
        level = [other(level[at] + level[at + 1]) for at in range(0, len(level), 2)]
    return level[0]


@given(WORDS)
def test_the_root_is_the_defined_one(words: list[int]) -> None:
    assert EarningsTree(words).root == definition(words)


@given(st.integers(0, 2**96 - 1), st.binary(min_size=20, max_size=20))
def test_words_round_trip(units: int, address: bytes) -> None:
    made = word(units, address)
    assert made == units << 160 | int.from_bytes(address, "big")
    assert unword(made) == (units, address)


@pytest.mark.parametrize(
    ("units", "address"),
    [(-1, bytes(20)), (2**96, bytes(20)), (1, bytes(19)), (1, bytes(32))],
)
def test_a_word_out_of_range_is_refused(units: int, address: bytes) -> None:
    with pytest.raises(InputError):
        word(units, address)


@given(WORDS, st.data())
def test_every_aligned_run_proves_itself(words: list[int], data: st.DataObject) -> None:
    tree = EarningsTree(words)
    k = data.draw(st.integers(0, tree.height))
    first = data.draw(st.integers(0, (1 << (tree.height - k)) - 1)) << k
    some, proof = tree.subtree_words(first, k), tree.subtree_proof(first, k)
    assert len(some) == 1 << k
    assert len(proof) == tree.height - k
    earnings.verify_words(some, first, proof, tree.root)


@given(st.lists(st.integers(1, 2**256 - 1), min_size=2, max_size=40), st.data())
def test_a_broken_balance_proof_fails(words: list[int], data: st.DataObject) -> None:
    tree = EarningsTree(words)
    first = data.draw(st.integers(0, len(words) - 1))
    some, proof = tree.subtree_words(first, 0), tree.subtree_proof(first, 0)
    for run, at, path, root in (
        ([some[0] ^ 1], first, proof, tree.root),
        (some, first + (1 << tree.height), proof, tree.root),  # the same path again
        (some, -1, proof, tree.root),
        (some, first, proof[:-1], tree.root),
        (some, first, [*proof, bytes(32)], tree.root),
        (some, first, [*proof[:-1], b"short"], tree.root),
        (some, first, proof, bytes(32)),
        ([], first, proof, tree.root),
        ([*some, 0, 0], first, proof, tree.root),
        ([*some, 0], first * 2 + 1, proof, tree.root),
        (some, first, [bytes(32)] * 40, tree.root),
    ):
        with pytest.raises(ProofError):
            earnings.verify_words(run, at, path, root)


def test_a_run_of_words_starts_where_it_says() -> None:
    tree = EarningsTree([1, 2, 3])
    some, proof = tree.subtree_words(0, 1), tree.subtree_proof(0, 1)
    earnings.verify_words(some, 0, proof, tree.root)
    with pytest.raises(ProofError, match="multiple"):
        earnings.verify_words(some, 1, proof, tree.root)
    with pytest.raises(ProofError, match="power of two"):
        earnings.verify_words([1, 2, 3], 0, [], tree.root)


def test_a_node_never_passes_for_a_leaf() -> None:
    tree = EarningsTree([1, 2, 3, 4])
    inner = int.from_bytes(tree.subtree_proof(0, 1)[0], "big")
    with pytest.raises(ProofError):
        earnings.verify_words([inner], 1, [tree.subtree_proof(2, 1)[0]], tree.root)


@given(WORDS, WORDS, st.data())
def test_committed_proofs_end_with_the_other_root(
    earned: list[int], spent: list[int], data: st.DataObject
) -> None:
    one, two = EarningsTree(earned), EarningsTree(spent)
    committed = combined_root(one.root, two.root)
    assert committed == other(one.root + two.root)
    for tree, rest, spend in ((one, two, False), (two, one, True)):
        first = data.draw(st.integers(0, (1 << tree.height) - 1))
        some = tree.subtree_words(first, 0)
        proof = [*tree.subtree_proof(first, 0), rest.root]
        earnings.verify_committed(some, first, proof, committed, spend=spend)
        if one.root != two.root:
            with pytest.raises(ProofError):
                earnings.verify_committed(
                    some, first, proof, committed, spend=not spend
                )
        for wrong in ([], proof[:-1], [*proof[:-1], bytes(32)], [*proof[:-1], b""]):
            with pytest.raises(ProofError):
                earnings.verify_committed(some, first, wrong, committed, spend=spend)


def test_padding_costs_one_hash_for_each_level(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def counting(data: bytes) -> object:
        calls.append(data)
        return keccak.new(digest_bits=256, data=data)

    monkeypatch.setattr(earnings, "_keccak", counting)
    tree = EarningsTree([7] * 1_025)
    assert tree.height == 11
    assert len(calls) <= 1_025 * 2 + 11


@pytest.mark.parametrize(("first", "k"), [(1, 1), (4, 0), (-2, 1), (0, 3), (0, -1)])
def test_a_proof_outside_of_the_tree_is_refused(first: int, k: int) -> None:
    with pytest.raises(InputError):
        EarningsTree([1, 2, 3]).subtree_proof(first, k)


def test_a_word_over_256_bits_is_refused() -> None:
    for wrong in (-1, 2**256):
        with pytest.raises(InputError):
            EarningsTree([wrong])
