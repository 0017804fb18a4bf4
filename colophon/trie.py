"""Ethereum's Merkle-Patricia trie: build one, prove a key, verify a proof.

Used for a block's receipts, whose keys are RLP indexes. Source: Ethereum Yellow
Paper, appendix D.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from colophon import rlp
from colophon.digest import keccak256
from colophon.errors import InputError, ProofError

HASH_BYTES = 32
MAX_PROOF_NODES = 64
EMPTY_ROOT = keccak256(rlp.encode(b""))
_BRANCH = 17
_PAIR = 2
_ODD = 1
_LEAF = 2
_Nibbles = tuple[int, ...]


class Trie:
    """A trie built once from all its pairs.

    Attributes:
        root: 32-byte root hash.
    """

    def __init__(self, pairs: Mapping[bytes, bytes]) -> None:
        if not all(pairs.values()):
            raise InputError("has an empty value, which a trie cannot hold", "pairs")
        self._nodes: dict[bytes, bytes] = {}
        items = sorted((_nibbles(key), value) for key, value in pairs.items())
        top = rlp.encode(self._node(items, 0) if items else b"")
        self.root = keccak256(top)
        self._nodes[self.root] = top

    def proof(self, key: bytes) -> list[bytes]:
        """RLP nodes from the root to the key's value.

        Raises:
            InputError: the key is not there.
        """
        path: list[bytes] = []

        def lookup(digest: bytes) -> bytes:
            path.append(self._nodes[digest])
            return path[-1]

        if _walk(self.root, key, lookup) is None:
            raise InputError(f"trie has no key {key.hex()}", "key")
        return path

    def _node(self, items: Sequence[tuple[_Nibbles, bytes]], depth: int) -> rlp.Item:
        """The node over items that agree in their first ``depth`` nibbles."""
        first, last = items[0][0], items[-1][0]
        if len(items) == 1:
            return [_pack(first[depth:], leaf=True), items[0][1]]
        shared = depth
        while shared < min(len(first), len(last)) and first[shared] == last[shared]:
            shared += 1
        if shared > depth:
            child = self._reference(self._node(items, shared))
            return [_pack(first[depth:shared], leaf=False), child]
        branch: list[rlp.Item] = [b""] * _BRANCH
        if len(first) == depth:
            branch[-1] = items[0][1]
            items = items[1:]
        for nibble in sorted({path[depth] for path, _ in items}):
            some = [one for one in items if one[0][depth] == nibble]
            branch[nibble] = self._reference(self._node(some, depth + 1))
        return branch

    def _reference(self, node: rlp.Item) -> rlp.Item:
        """A node inside of its parent: itself when small, else its hash."""
        encoded = rlp.encode(node)
        if len(encoded) < HASH_BYTES:
            return node
        digest = keccak256(encoded)
        self._nodes[digest] = encoded
        return digest


def verify(root: bytes, key: bytes, proof: Sequence[bytes]) -> bytes:
    """The value that a proof shows under a key.

    Args:
        root: trusted root hash.
        key: whole key.
        proof: RLP nodes from the root down, exactly those that are needed.

    Raises:
        ProofError: the proof does not show a value, or has other nodes.
    """
    if len(proof) > MAX_PROOF_NODES:
        raise ProofError(f"trie proof has over {MAX_PROOF_NODES} nodes")
    rest = iter(proof)

    def lookup(digest: bytes) -> bytes:
        node = next(rest, None)
        if node is None:
            raise ProofError("trie proof is too short")
        if keccak256(node) != digest:
            raise ProofError("trie proof has a node with another hash")
        return node

    try:
        value = _walk(root, key, lookup)
    except InputError as error:
        raise ProofError(f"trie proof is malformed: {error}") from error
    if next(rest, None) is not None:
        raise ProofError("trie proof is too long")
    if value is None:
        raise ProofError("trie proof shows that the key is absent")
    return value


def _walk(root: bytes, key: bytes, lookup: Callable[[bytes], bytes]) -> bytes | None:
    """The value of a key, or None when the trie shows that it has none."""
    path = _nibbles(key)
    node: rlp.Decoded = rlp.decode(lookup(root))
    while True:
        if not isinstance(node, list):
            if node:
                raise InputError("trie has a node that is no list")
            return None
        if len(node) == _BRANCH:
            if not path:
                return _value(node[-1])
            child, path = node[path[0]], path[1:]
        elif len(node) == _PAIR:
            shared, leaf = _unpack(_value(node[0]) or b"")
            if path[: len(shared)] != shared or (leaf and path != shared):
                return None
            if leaf:
                return _value(node[1])
            child, path = node[1], path[len(shared) :]
        else:
            raise InputError(f"trie has a node of {len(node)} items")
        if isinstance(child, bytes) and len(child) == HASH_BYTES:
            child = rlp.decode(lookup(child))
        node = child


def _value(item: rlp.Decoded) -> bytes | None:
    """Bytes of a value; None for the empty one."""
    if not isinstance(item, bytes):
        raise InputError("trie has a value that is no bytes")
    return item or None


def _nibbles(key: bytes) -> _Nibbles:
    return tuple(half for byte in key for half in (byte >> 4, byte & 15))


def _pack(path: _Nibbles, *, leaf: bool) -> bytes:
    """Hex-prefix encoding of a path."""
    odd = len(path) % 2
    flag = (_LEAF if leaf else 0) | (_ODD if odd else 0)
    full = (flag, *path) if odd else (flag, 0, *path)
    pairs = zip(full[::2], full[1::2], strict=True)
    return bytes(high << 4 | low for high, low in pairs)


def _unpack(packed: bytes) -> tuple[_Nibbles, bool]:
    """Path of a hex-prefix encoding, and whether it ends at a leaf."""
    full = _nibbles(packed)
    if not full or full[0] > (_LEAF | _ODD):
        raise InputError("trie has a malformed path")
    if full[0] & _ODD:
        return full[1:], bool(full[0] & _LEAF)
    if full[1]:
        raise InputError("trie has a malformed path")
    return full[2:], bool(full[0] & _LEAF)
