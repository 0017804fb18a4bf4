"""RFC 6962 Merkle trees over SHA-256: build, prove, verify.

A tree keeps one flat byte string for each level and holds only nodes whose
subtree is complete, so appending costs O(log N) and any proof reads O(log N)
nodes. Proofs take a ``read(level, index)`` callback: the same code proves from
memory, from a flat file or from tiles (``colophon.tiles``).

Sources: RFC 6962 §2.1; RFC 9162 §2.1.3 and §2.1.4 (verification).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from colophon.errors import InputError, ProofError

HASH_BYTES = 32
MAX_PROOF_HASHES = 64
MAX_SIZE = 2**63 - 1
EMPTY_ROOT = hashlib.sha256(b"").digest()
_LEAF = b"\x00"
_NODE = b"\x01"
_sha256 = hashlib.sha256

Read = Callable[[int, int], bytes]
"""Hash of the complete node at (level, index); level 0 holds leaf hashes."""


def leaf_hash(entry: bytes) -> bytes:
    """Leaf hash of an entry: SHA-256(0x00 ‖ entry)."""
    return _sha256(_LEAF + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node: SHA-256(0x01 ‖ left ‖ right)."""
    return _sha256(_NODE + left + right).digest()


class Tree:
    """An append-only tree in memory: 64 bytes for each leaf, all told."""

    def __init__(self, leaf_hashes: Iterable[bytes] = ()) -> None:
        self._levels: list[bytearray] = [bytearray()]
        self.extend(leaf_hashes)

    def __len__(self) -> int:
        return len(self._levels[0]) // HASH_BYTES

    @property
    def size(self) -> int:
        """Number of leaves."""
        return len(self)

    def append(self, leaf: bytes) -> int:
        """Add one leaf hash; returns its index.

        Raises:
            InputError: the hash is not 32 bytes.
        """
        if len(leaf) != HASH_BYTES:
            raise InputError(f"is not {HASH_BYTES} bytes", "leaf")
        index = left = len(self)
        node, level = leaf, 0
        while True:
            flat = self._levels[level]
            flat += node
            if level + 1 == len(self._levels):
                self._levels.append(bytearray())
            if not left & 1:
                return index
            node = _sha256(_NODE + flat[-2 * HASH_BYTES :]).digest()
            left, level = left >> 1, level + 1

    def extend(self, leaf_hashes: Iterable[bytes]) -> None:
        """Add leaf hashes in order: O(B + log N) hashes for B leaves.

        Raises:
            InputError: a hash is not 32 bytes; nothing is added then.
        """
        new = list(leaf_hashes)
        if set(map(len, new)) - {HASH_BYTES}:
            raise InputError(f"is not {HASH_BYTES} bytes", "leaf_hashes")
        level = 0
        while new:
            if level == len(self._levels):
                self._levels.append(bytearray())
            flat = self._levels[level]
            pending = len(flat) // HASH_BYTES % 2
            flat += b"".join(new)
            if pending:
                # The last node of this level was waiting for its right sibling.
                new.insert(0, bytes(flat[-(len(new) + 1) * HASH_BYTES :][:HASH_BYTES]))
            pairs = iter(new)
            new = [
                _sha256(_NODE + left + right).digest()
                for left, right in zip(pairs, pairs, strict=False)
            ]
            level += 1

    def read(self, level: int, index: int) -> bytes:
        """Hash of a complete node.

        Raises:
            InputError: the tree has no such complete node.
        """
        if 0 <= level < len(self._levels) and index >= 0:
            start = index * HASH_BYTES
            found = bytes(self._levels[level][start : start + HASH_BYTES])
            if found:
                return found
        raise InputError(f"tree of {len(self)} leaves has no node {level}/{index}")

    def root(self, size: int | None = None) -> bytes:
        """Root over the first ``size`` leaves (all by default)."""
        size = len(self) if size is None else size
        _check_size(size, len(self))
        return root_at(size, self.read)

    def inclusion_proof(self, index: int, size: int | None = None) -> list[bytes]:
        """See ``inclusion_proof``; size defaults to all leaves."""
        size = len(self) if size is None else size
        _check_size(size, len(self))
        return inclusion_proof(index, size, self.read)

    def consistency_proof(self, old: int, new: int | None = None) -> list[bytes]:
        """See ``consistency_proof``; the new size defaults to all leaves."""
        new = len(self) if new is None else new
        _check_size(new, len(self))
        return consistency_proof(old, new, self.read)


def root(leaf_hashes: Iterable[bytes]) -> bytes:
    """Root of a list of leaf hashes; SHA-256 of nothing when it is empty."""
    return Tree(leaf_hashes).root()


def root_at(size: int, read: Read) -> bytes:
    """Root over the first ``size`` leaves of a stored tree."""
    return _range_root(0, size, read) if size else EMPTY_ROOT


def inclusion_proof(index: int, size: int, read: Read) -> list[bytes]:
    """Audit path of a leaf, from its sibling up (RFC 6962 §2.1.1).

    Args:
        index: 0-based leaf index, below size.
        size: number of leaves of the tree that is proved against.
        read: gives the stored complete nodes.

    Raises:
        InputError: the index is outside of the tree.
    """
    if not 0 <= index < size:
        raise InputError(f"is {index}, expected 0 to {size - 1}", "index")
    found = []
    level, last = 0, size - 1
    while last >> level:
        sibling = (index >> level) ^ 1
        if (sibling + 1) << level <= size:
            found.append(read(level, sibling))
        elif sibling << level < size:
            # On the right edge the sibling's subtree is not complete.
            found.append(_range_root(sibling << level, size, read))
        level += 1
    return found


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Check that a leaf hash is at an index of the tree (RFC 9162 §2.1.3.2).

    Raises:
        ProofError: it is not proved.
    """
    _check_hashes([leaf, root, *proof])
    if not 0 <= index < size <= MAX_SIZE:
        raise ProofError(f"index {index} is outside of a tree of {size} leaves")
    node, last, current = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise ProofError("inclusion proof is too long")
        if node & 1 or node == last:
            current = node_hash(sibling, current)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            current = node_hash(current, sibling)
        node, last = node >> 1, last >> 1
    if last:
        raise ProofError("inclusion proof is too short")
    if current != root:
        raise ProofError("inclusion proof leads to another root")


def consistency_proof(old: int, new: int, read: Read) -> list[bytes]:
    """Proof that the first tree is a prefix of the second (RFC 6962 §2.1.2).

    Empty when the sizes are equal or the old tree is empty.

    Raises:
        InputError: not 0 <= old <= new.
    """
    if not 0 <= old <= new:
        raise InputError(f"is {old}, expected 0 to {new}", "old")
    if old in (0, new):
        return []
    low, high = 0, new
    ranges = []
    while old != high:
        middle = low + _split(high - low)
        if old <= middle:
            ranges.append((middle, high))
            high = middle
        else:
            ranges.append((low, middle))
            low = middle
    if low:
        ranges.append((low, high))
    return [_range_root(first, last, read) for first, last in reversed(ranges)]


def verify_consistency(
    old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Check that one tree extends another (RFC 9162 §2.1.4.2).

    Raises:
        ProofError: it is not proved.
    """
    _check_hashes([old_root, new_root, *proof])
    if not 0 <= old <= new <= MAX_SIZE:
        raise ProofError(f"a tree of {new} leaves cannot extend one of {old}")
    if old in (0, new):
        _check_trivial(old, new, old_root, new_root, proof)
        return
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not path:
        raise ProofError("consistency proof is empty")
    node, last = old - 1, new - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    first = second = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise ProofError("consistency proof is too long")
        if node & 1 or node == last:
            first = node_hash(sibling, first)
            second = node_hash(sibling, second)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            second = node_hash(second, sibling)
        node, last = node >> 1, last >> 1
    if last:
        raise ProofError("consistency proof is too short")
    if first != old_root or second != new_root:
        raise ProofError("consistency proof leads to other roots")


def multiproof(indexes: Iterable[int], size: int, read: Read) -> list[bytes]:
    """One proof for several leaves: the fewest hashes that fix the root.

    The hashes are those of the largest subtrees without a wanted leaf, in
    depth-first order from the left.

    Raises:
        InputError: no index, or one outside of the tree.
    """
    wanted = sorted(set(indexes))
    if not wanted or wanted[0] < 0 or wanted[-1] >= size:
        raise InputError(f"must name leaves from 0 to {size - 1}", "indexes")

    def walk(low: int, high: int, some: list[int]) -> Iterator[bytes]:
        if not some:
            yield _range_root(low, high, read)
        elif high - low > 1:
            middle = low + _split(high - low)
            yield from walk(low, middle, [at for at in some if at < middle])
            yield from walk(middle, high, [at for at in some if at >= middle])

    return list(walk(0, size, wanted))


def verify_multiproof(
    leaves: Mapping[int, bytes], size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Check several leaf hashes by index against one root.

    Raises:
        ProofError: they are not proved.
    """
    if set(map(len, (root, *leaves.values(), *proof))) != {HASH_BYTES}:
        raise ProofError(f"a hash is not {HASH_BYTES} bytes")
    wanted = sorted(leaves)
    if not wanted or wanted[0] < 0 or not wanted[-1] < size <= MAX_SIZE:
        raise ProofError(f"leaves are outside of a tree of {size}")
    rest = iter(proof)

    def walk(low: int, high: int, some: list[int]) -> bytes:
        if not some:
            found = next(rest, None)
            if found is None:
                raise ProofError("multiproof is too short")
            return found
        if high - low == 1:
            return leaves[low]
        middle = low + _split(high - low)
        left = walk(low, middle, [at for at in some if at < middle])
        return node_hash(left, walk(middle, high, [at for at in some if at >= middle]))

    computed = walk(0, size, wanted)
    if next(rest, None) is not None:
        raise ProofError("multiproof is too long")
    if computed != root:
        raise ProofError("multiproof leads to another root")


def _split(count: int) -> int:
    """Largest power of two below count (count > 1)."""
    return 1 << ((count - 1).bit_length() - 1)


def _range_root(low: int, high: int, read: Read) -> bytes:
    """Root of leaves [low, high); low is aligned as RFC 6962 splits are."""
    nodes = []
    while low < high:
        level = (high - low).bit_length() - 1
        nodes.append(read(level, low >> level))
        low += 1 << level
    current = nodes.pop()
    while nodes:
        current = node_hash(nodes.pop(), current)
    return current


def _check_size(size: int, available: int) -> None:
    if not 0 <= size <= available:
        raise InputError(f"is {size}, expected 0 to {available}", "size")


def _check_hashes(hashes: Sequence[bytes]) -> None:
    if len(hashes) > MAX_PROOF_HASHES + 2 or any(
        len(one) != HASH_BYTES for one in hashes
    ):
        raise ProofError(f"a proof is at most {MAX_PROOF_HASHES} hashes of 32 bytes")


def _check_trivial(
    old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Equal sizes need equal roots; everything extends the empty tree."""
    if proof:
        raise ProofError("consistency proof must be empty here")
    if old == new and old_root != new_root:
        raise ProofError("one tree size has two roots")
    if old == 0 and old_root != EMPTY_ROOT:
        raise ProofError("the empty tree has another root")
