"""The keccak balance trees that the contract ColophonLedger checks.

One word for each holder, by position: ``units << 160 | address``. Leaf =
keccak256(32-byte word), node = keccak256(left ‖ right), padded with empty words
(0) to a power of two, at least one. What is committed is
keccak256(earnings root ‖ spend root); a proof against it ends with the other
root. Leaves hash 32 bytes and nodes 64, so neither passes for the other.
"""

from __future__ import annotations

from collections.abc import Sequence

import sha3

from colophon.errors import InputError, ProofError

ADDRESS_BYTES = 20
WORD_BYTES = 32
UNITS_BITS = 96
MAX_HEIGHT = 32
_ADDRESS_BITS = 160
_HASH_BYTES = 32
_keccak = sha3.keccak_256


def _empties() -> list[bytes]:
    """Roots of empty subtrees by height."""
    found = [_keccak(bytes(WORD_BYTES)).digest()]
    for _ in range(MAX_HEIGHT):
        found.append(_keccak(found[-1] + found[-1]).digest())
    return found


EMPTY = tuple(_empties())


def word(units: int, address: bytes) -> int:
    """The word of a holder: cumulative units above the 20-byte address.

    Raises:
        InputError: units outside of 96 bits, or not 20 address bytes.
    """
    if not 0 <= units < 1 << UNITS_BITS:
        raise InputError(f"is {units}, expected 0 to 2^{UNITS_BITS} - 1", "units")
    if len(address) != ADDRESS_BYTES:
        raise InputError(f"is not {ADDRESS_BYTES} bytes", "address")
    return units << _ADDRESS_BITS | int.from_bytes(address, "big")


def unword(value: int) -> tuple[int, bytes]:
    """Units and address of a word."""
    address = value & ((1 << _ADDRESS_BITS) - 1)
    return value >> _ADDRESS_BITS, address.to_bytes(ADDRESS_BYTES, "big")


def combined_root(earnings_root: bytes, spend_root: bytes) -> bytes:
    """What a settlement commits to: keccak256(earnings ‖ spend)."""
    return _node(earnings_root, spend_root)


class EarningsTree:
    """A balance tree; the padding costs one hash for each level."""

    def __init__(self, words: Sequence[int]) -> None:
        self.words = tuple(words)
        level = _leaves(self.words)
        self.height = max(len(level) - 1, 0).bit_length()
        if self.height > MAX_HEIGHT:
            raise InputError(f"is over 2^{MAX_HEIGHT}", "words")
        self._levels = [level]
        for height in range(self.height):
            if len(level) % 2:
                level = [*level, EMPTY[height]]
            pairs = iter(level)
            level = [
                _keccak(left + right).digest()
                for left, right in zip(pairs, pairs, strict=True)
            ]
            self._levels.append(level)

    @property
    def root(self) -> bytes:
        """Root of the padded tree."""
        return self._at(self.height, 0)

    def subtree_words(self, first: int, k: int) -> list[int]:
        """The 2^k words from ``first`` on, padding included."""
        self._check(first, k)
        found = list(self.words[first : first + (1 << k)])
        return found + [0] * ((1 << k) - len(found))

    def subtree_proof(self, first: int, k: int = 0) -> list[bytes]:
        """Siblings that lead from an aligned subtree of 2^k words to the root.

        Args:
            first: index of its first word, a multiple of 2^k.
            k: height of the subtree; 0 proves one word.

        Raises:
            InputError: outside of the tree or not aligned.
        """
        self._check(first, k)
        return [
            self._at(height, (first >> height) ^ 1) for height in range(k, self.height)
        ]

    def _check(self, first: int, k: int) -> None:
        if not 0 <= k <= self.height:
            raise InputError(f"is {k}, expected 0 to {self.height}", "k")
        if first % (1 << k) or not 0 <= first < 1 << self.height:
            raise InputError(f"{first} is not aligned inside of the tree", "first")

    def _at(self, height: int, index: int) -> bytes:
        level = self._levels[height]
        return level[index] if index < len(level) else EMPTY[height]


def verify_words(
    words: Sequence[int], first: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Check an aligned run of words against a tree's root.

    Args:
        words: 2^k of them, as the contract's ``pay`` takes them.
        first: index of the first word, a multiple of their number.
        proof: siblings from the subtree up.
        root: an earnings root or a spend root.

    Raises:
        ProofError: it is not proved.
    """
    if _climb(words, first, proof) != root:
        raise ProofError("balance proof leads to another root")


def verify_committed(
    words: Sequence[int],
    first: int,
    proof: Sequence[bytes],
    committed: bytes,
    *,
    spend: bool = False,
) -> None:
    """Check words against a committed root, with a proof as the contract takes it.

    Args:
        words: 2^k of them.
        first: index of the first word, a multiple of their number.
        proof: siblings from the subtree up, then the root of the other tree.
        committed: ``combined_root`` of a settlement.
        spend: the words are of the spend tree.

    Raises:
        ProofError: it is not proved.
    """
    if not proof:
        raise ProofError("a proof ends with the root of the other tree")
    root = _climb(words, first, proof[:-1])
    pair = (proof[-1], root) if spend else (root, proof[-1])
    if len(proof[-1]) != _HASH_BYTES or combined_root(*pair) != committed:
        raise ProofError("balance proof leads to another committed root")


def _climb(words: Sequence[int], first: int, proof: Sequence[bytes]) -> bytes:
    """Root of the tree that holds the words from ``first`` on."""
    count = len(words)
    if count == 0 or count & (count - 1) or count > 1 << MAX_HEIGHT:
        raise ProofError(f"{count} words are not a power of two")
    if len(proof) > MAX_HEIGHT or any(len(one) != _HASH_BYTES for one in proof):
        raise ProofError(f"a proof is at most {MAX_HEIGHT} hashes of 32 bytes")
    if first < 0 or first % count:
        raise ProofError(f"first index {first} is not a multiple of {count}")
    position = first // count
    if position >> len(proof):
        raise ProofError(f"first index {first} is outside of the tree")
    current = EarningsTree(words).root
    for sibling in proof:
        pair = (sibling, current) if position & 1 else (current, sibling)
        current = _node(*pair)
        position >>= 1
    return current


def _leaves(words: Sequence[int]) -> list[bytes]:
    try:
        return [_keccak(one.to_bytes(WORD_BYTES, "big")).digest() for one in words]
    except OverflowError as error:
        raise InputError("is not a 256-bit word", "words") from error


def _node(left: bytes, right: bytes) -> bytes:
    return bytes(_keccak(left + right).digest())
