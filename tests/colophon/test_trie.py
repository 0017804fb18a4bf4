"""Merkle-Patricia tries: roots of Ethereum's own tests, proofs and forgeries."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colophon import rlp, trie
from colophon.digest import keccak256
from colophon.errors import InputError, ProofError
from colophon.trie import Trie

PAIRS = st.dictionaries(
    st.binary(max_size=4), st.binary(min_size=1, max_size=50), min_size=1, max_size=30
)

# From the "any order" trie tests of the ethereum/tests repository.
KNOWN = {
    "singleItem": (
        {"A": "a" * 50},
        "d23786fb4a010da3ce639d66d5e904a11dbc02746d1ce25029e53290cabf28ab",
    ),
    "dogs": (
        {"doe": "reindeer", "dog": "puppy", "dogglesworth": "cat"},
        "8aad789dff2f538bca5d8ea56e8abe10f4c7ba3a5dea95fea4cd6e7c3a1168d3",
    ),
    "puppy": (
        {"do": "verb", "horse": "stallion", "doge": "coin", "dog": "puppy"},
        "5991bb8c6514148a29db676a14ac506cd2cd5775ace63c30a4fe457715e9ac84",
    ),
    "foo": (
        {"foo": "bar", "food": "bass"},
        "17beaa1648bafa633cda809c90c04af50fc8aed3cb40d16efbddee6fdf63c4c3",
    ),
    "smallValues": (
        {"be": "e", "dog": "puppy", "bed": "d"},
        "3f67c7a47520f79faa29255d2d3c084a7a6df0453116ed7232ff10277a8be68b",
    ),
}


@pytest.mark.parametrize("name", KNOWN)
def test_roots_are_those_of_ethereums_tests(name: str) -> None:
    pairs, root = KNOWN[name]
    made = Trie({key.encode(): value.encode() for key, value in pairs.items()})
    assert made.root.hex() == root
    for key, value in pairs.items():
        proof = made.proof(key.encode())
        assert trie.verify(made.root, key.encode(), proof) == value.encode()


def test_the_empty_trie_has_the_known_root() -> None:
    root = "56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"
    assert Trie({}).root.hex() == trie.EMPTY_ROOT.hex() == root


@given(PAIRS)
def test_every_pair_proves_itself(pairs: dict[bytes, bytes]) -> None:
    made = Trie(pairs)
    for key, value in pairs.items():
        assert trie.verify(made.root, key, made.proof(key)) == value


@given(PAIRS, st.binary(max_size=4))
def test_an_absent_key_has_no_proof(pairs: dict[bytes, bytes], key: bytes) -> None:
    made = Trie(pairs)
    if key in pairs:
        return
    with pytest.raises(InputError):
        made.proof(key)
    for proof in (made.proof(one) for one in pairs):
        with pytest.raises(ProofError):
            trie.verify(made.root, key, proof)


@given(PAIRS, st.data())
def test_a_broken_proof_fails(pairs: dict[bytes, bytes], data: st.DataObject) -> None:
    made = Trie(pairs)
    key = data.draw(st.sampled_from(sorted(pairs)))
    proof = made.proof(key)
    at = data.draw(st.integers(0, len(proof) - 1))
    flipped = bytearray(proof[at])
    flipped[data.draw(st.integers(0, len(flipped) - 1))] ^= 1
    for wrong in (
        proof[:-1],
        [*proof, proof[-1]],
        [*proof[:at], bytes(flipped), *proof[at + 1 :]],
        list(reversed(proof)) if len(proof) > 1 else [],
        proof * 70,
    ):
        with pytest.raises(ProofError):
            trie.verify(made.root, key, wrong)


@pytest.mark.parametrize(
    "node",
    [
        b"\x80",
        rlp.encode([b"", b"", b""]),
        rlp.encode([b"\x40", b"v"]),  # a flag that does not exist
        rlp.encode([b"\x21", b"v"]),  # even path with a filler that is not zero
        rlp.encode([b"", b"v"]),
        rlp.encode([[b""], b"v"]),
        rlp.encode([b"\x20", [b"v"]]),
        rlp.encode([b""] * 16 + [[b"v"]]),
        b"\xff",
    ],
)
def test_a_malformed_node_fails_even_under_its_own_hash(node: bytes) -> None:
    with pytest.raises(ProofError):
        trie.verify(keccak256(node), b"", [node])


def test_an_empty_value_cannot_be_held() -> None:
    with pytest.raises(InputError):
        Trie({b"a": b""})
