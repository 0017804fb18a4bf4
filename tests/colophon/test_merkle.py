"""Merkle trees: published roots, every proof, and every way to break one."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colophon import merkle
from colophon.errors import InputError, ProofError

# The eight entries and roots of the Certificate Transparency reference tests.
ENTRIES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
LEAVES = [merkle.leaf_hash(b"%d" % at) for at in range(600)]
BIG = merkle.Tree(LEAVES)


def definition(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962 §2.1, word for word and slow."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    left, right = definition(leaves[:split]), definition(leaves[split:])
    return hashlib.sha256(b"\x01" + left + right).digest()


def test_roots_are_those_of_certificate_transparency() -> None:
    leaves = [merkle.leaf_hash(entry) for entry in ENTRIES]
    for size, root in enumerate(ROOTS):
        assert merkle.root(leaves[:size]).hex() == root
        assert merkle.Tree(leaves).root(size).hex() == root


def test_proofs_are_those_of_certificate_transparency() -> None:
    tree = merkle.Tree(map(merkle.leaf_hash, ENTRIES))
    assert [one.hex() for one in tree.inclusion_proof(5, 8)] == [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]
    assert [one.hex() for one in tree.consistency_proof(6, 8)] == [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]


@given(st.lists(st.integers(0, 40), max_size=12))
def test_growing_in_any_steps_gives_the_defined_root(steps: list[int]) -> None:
    tree, count = merkle.Tree(), 0
    for step in steps:
        if step == 1:
            assert tree.append(LEAVES[count]) == count
        else:
            tree.extend(LEAVES[count : count + step])
        count += step
    assert tree.size == len(tree) == count
    assert tree.root() == definition(LEAVES[:count])


@given(st.integers(1, 600), st.data())
def test_every_leaf_proves_itself(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    root = BIG.root(size)
    proof = BIG.inclusion_proof(index, size)
    merkle.verify_inclusion(LEAVES[index], index, size, proof, root)
    assert len(proof) <= (size - 1).bit_length()


@given(st.integers(2, 600), st.data())
def test_a_broken_inclusion_proof_fails(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof, root = BIG.inclusion_proof(index, size), BIG.root(size)
    at = data.draw(st.integers(0, len(proof) - 1))
    other = data.draw(st.integers(0, size - 1).filter(lambda one: one != index))
    changed = [*proof[:at], bytes(32), *proof[at + 1 :]]
    for leaf, place, count, path, head in (
        (LEAVES[other], index, size, proof, root),
        (LEAVES[index], other, size, proof, root),
        (LEAVES[index], index, size, changed, root),
        (LEAVES[index], index, size, proof[:-1], root),
        (LEAVES[index], index, size, [*proof, bytes(32)], root),
        (LEAVES[index], index, size, proof, BIG.root(size - 1)),
        (LEAVES[index], index + size, size, proof, root),
        (LEAVES[index], -1, size, proof, root),
        (LEAVES[index][:31], index, size, proof, root),
        (LEAVES[index], index, 2**70, proof, root),
        (LEAVES[index], index, size, proof * 70, root),
    ):
        with pytest.raises(ProofError):
            merkle.verify_inclusion(leaf, place, count, path, head)


def test_an_inclusion_proof_fits_one_size_only() -> None:
    """Hashes that lead to the root are not enough: their number must fit too."""
    with pytest.raises(ProofError, match="short"):
        merkle.verify_inclusion(LEAVES[0], 0, 4, [LEAVES[1]], BIG.root(2))
    with pytest.raises(ProofError, match="long"):
        merkle.verify_inclusion(LEAVES[1], 0, 1, [LEAVES[0]], BIG.root(2))


def test_a_consistency_proof_fits_one_pair_of_sizes_only() -> None:
    with pytest.raises(ProofError, match="short"):
        merkle.verify_consistency(1, 4, LEAVES[0], BIG.root(2), [LEAVES[1]])
    proof = BIG.consistency_proof(7, 8)
    with pytest.raises(ProofError, match="long"):
        merkle.verify_consistency(3, 4, BIG.root(7), BIG.root(8), proof)


@given(st.integers(0, 600), st.integers(0, 600))
def test_every_pair_of_sizes_is_consistent(one: int, two: int) -> None:
    old, new = sorted((one, two))
    proof = BIG.consistency_proof(old, new)
    merkle.verify_consistency(old, new, BIG.root(old), BIG.root(new), proof)


@given(st.integers(1, 599), st.data())
def test_a_rewritten_log_is_never_consistent(old: int, data: st.DataObject) -> None:
    new = data.draw(st.integers(old + 1, 600))
    at = data.draw(st.integers(0, old - 1))
    forged = merkle.Tree([*LEAVES[:at], bytes(32), *LEAVES[at + 1 :]])
    for tree in (BIG, forged):
        proof = tree.consistency_proof(old, new)
        with pytest.raises(ProofError):
            merkle.verify_consistency(old, new, BIG.root(old), forged.root(new), proof)


@given(st.integers(2, 600), st.data())
def test_a_broken_consistency_proof_fails(new: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, new - 1))
    roots = BIG.root(old), BIG.root(new)
    proof = BIG.consistency_proof(old, new)
    at = data.draw(st.integers(0, len(proof) - 1))
    for path in (
        [*proof[:at], bytes(32), *proof[at + 1 :]],
        proof[:-1],
        [*proof, bytes(32)],
        [],
    ):
        with pytest.raises(ProofError):
            merkle.verify_consistency(old, new, *roots, path)
    with pytest.raises(ProofError):
        merkle.verify_consistency(new, old, *roots, proof)


def test_trivial_consistency_still_checks_the_roots() -> None:
    root = BIG.root(5)
    merkle.verify_consistency(5, 5, root, root, [])
    merkle.verify_consistency(0, 5, merkle.EMPTY_ROOT, root, [])
    for old, new, first, second, proof in (
        (5, 5, root, BIG.root(6), []),
        (5, 5, root, root, [root]),
        (0, 5, root, root, []),
    ):
        with pytest.raises(ProofError):
            merkle.verify_consistency(old, new, first, second, proof)


@given(st.integers(1, 600), st.data())
def test_a_multiproof_proves_its_leaves_with_fewer_hashes(
    size: int, data: st.DataObject
) -> None:
    some = data.draw(st.sets(st.integers(0, size - 1), min_size=1, max_size=9))
    proof = merkle.multiproof(some, size, BIG.read)
    leaves = {at: LEAVES[at] for at in some}
    merkle.verify_multiproof(leaves, size, proof, BIG.root(size))
    single = sum(len(BIG.inclusion_proof(at, size)) for at in some)
    assert len(proof) <= single


@given(st.integers(2, 600), st.data())
def test_a_broken_multiproof_fails(size: int, data: st.DataObject) -> None:
    some = data.draw(st.sets(st.integers(0, size - 1), min_size=1, max_size=9))
    leaves = {at: LEAVES[at] for at in some}
    proof, root = merkle.multiproof(some, size, BIG.read), BIG.root(size)
    first = min(some)
    for wrong, path, count in (
        ({**leaves, first: bytes(32)}, proof, size),
        (leaves, [*proof, bytes(32)], size),
        (leaves, proof, 2**64),
        ({**leaves, size: bytes(32)}, proof, size),
        ({}, proof, size),
    ):
        with pytest.raises(ProofError):
            merkle.verify_multiproof(wrong, count, path, root)
    if proof:
        with pytest.raises(ProofError):
            merkle.verify_multiproof(leaves, size, proof[:-1], root)


def test_proofs_outside_of_the_tree_are_refused() -> None:
    tree = merkle.Tree(LEAVES[:5])
    for ask in (
        lambda: tree.inclusion_proof(5),
        lambda: tree.inclusion_proof(-1),
        lambda: tree.inclusion_proof(0, 6),
        lambda: tree.consistency_proof(6),
        lambda: tree.root(6),
        lambda: tree.read(0, 5),
        lambda: tree.read(2, 1),
        lambda: tree.read(9, 0),
        lambda: merkle.multiproof([], 5, tree.read),
        lambda: merkle.multiproof([5], 5, tree.read),
    ):
        with pytest.raises(InputError):
            ask()


def test_a_wrong_hash_adds_nothing() -> None:
    tree = merkle.Tree(LEAVES[:3])
    for add in (lambda: tree.append(b"short"), lambda: tree.extend([LEAVES[0], b""])):
        with pytest.raises(InputError):
            add()
    assert tree.root() == definition(LEAVES[:3])


def test_appending_costs_a_hash_for_each_leaf_and_level(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tree = merkle.Tree(LEAVES[:512])
    calls = []

    def counting(data: bytes) -> object:
        calls.append(data)
        return hashlib.sha256(data)

    monkeypatch.setattr(merkle, "_sha256", counting)
    tree.extend(LEAVES[512:576])
    assert len(calls) <= 64 + 10
