"""What is in a data set, and what is not: one root, and proofs that leave the rest out.

The items of a data set are the SHA-256 digests of its files, each once, in ascending
order; the root is the RFC 6962 root over them. A digest is in the set when an inclusion
proof leads to the root. It is not when two neighbors are proved between which it would
stand, or the first or the last where it would stand outside of them.

Format, normative: docs/dataset-format.md.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self

from colophon.digest import canonical, from_hex, sha256
from colophon.errors import InputError, ProofError
from colophon.fields import Fields, load_json
from colophon.merkle import Tree, leaf_hash, verify_inclusion

VERSION = 1
DIGEST_BYTES = 32
MAX_ITEMS = 10_000_000
MAX_BYTES = 64 * 1024
MAX_PATH = 64


@dataclass(frozen=True)
class Dataset:
    """The public description of a data set; its digest is what is registered."""

    name: str
    version: str
    count: int
    root: bytes

    @property
    def digest(self) -> bytes:
        """SHA-256 of the description's canonical form."""
        return sha256(self.to_bytes())

    def to_bytes(self) -> bytes:
        """The description file."""
        return canonical(
            {
                "v": VERSION,
                "name": self.name,
                "version": self.version,
                "count": self.count,
                "root": self.root.hex(),
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read a description file.

        Raises:
            InputError: names the field that is wrong; or the bytes are not the
                canonical form, whose digest is registered.
        """
        fields = Fields(load_json(data, max_bytes=MAX_BYTES))
        fields.integer("v", VERSION, VERSION)
        found = cls(
            name=fields.text("name"),
            version=fields.text("version"),
            count=fields.integer("count", 1, MAX_ITEMS),
            root=fields.hexadecimal("root", DIGEST_BYTES),
        )
        fields.close()
        if found.to_bytes() != data:
            raise InputError("is not in canonical form (RFC 8785)", "dataset")
        return found


@dataclass(frozen=True)
class Neighbor:
    """An item, its place, and the path from it to the root."""

    index: int
    item: bytes
    path: tuple[bytes, ...]


@dataclass(frozen=True)
class ItemProof:
    """That a digest is in a data set (one neighbor: itself), or is not."""

    dataset: bytes
    item: bytes
    neighbors: tuple[Neighbor, ...]

    @property
    def is_member(self) -> bool:
        """What the proof claims."""
        return any(one.item == self.item for one in self.neighbors)

    def to_json(self) -> dict[str, Any]:
        """The proof file's content."""
        return {
            "v": VERSION,
            "dataset": self.dataset.hex(),
            "item": self.item.hex(),
            "neighbors": [
                {
                    "index": one.index,
                    "item": one.item.hex(),
                    "path": [node.hex() for node in one.path],
                }
                for one in self.neighbors
            ],
        }

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read a proof file.

        Raises:
            InputError: names the field that is wrong.
        """
        fields = Fields(load_json(data, max_bytes=MAX_BYTES))
        fields.integer("v", VERSION, VERSION)
        found = cls(
            dataset=fields.hexadecimal("dataset", DIGEST_BYTES),
            item=fields.hexadecimal("item", DIGEST_BYTES),
            neighbors=tuple(_neighbor(one) for one in fields.objects("neighbors")),
        )
        fields.close()
        return found


def _neighbor(fields: Fields) -> Neighbor:
    found = Neighbor(
        index=fields.integer("index", 0, MAX_ITEMS - 1),
        item=fields.hexadecimal("item", DIGEST_BYTES),
        path=tuple(
            from_hex(one, DIGEST_BYTES, fields.at("path"))
            for one in fields.items("path", limit=MAX_PATH)
        ),
    )
    fields.close()
    return found


class Items:
    """All items of a data set, which only its owner has to keep."""

    def __init__(self, digests: Iterable[bytes]) -> None:
        """Sort the digests; one that comes twice counts once.

        Raises:
            InputError: none, too many, or one that is no SHA-256.
        """
        self.digests: Sequence[bytes] = sorted(set(digests))
        if not self.digests:
            raise InputError("has no items", "dataset")
        if len(self.digests) > MAX_ITEMS:
            raise InputError(f"has over {MAX_ITEMS:,} items", "dataset")
        if any(len(one) != DIGEST_BYTES for one in self.digests):
            raise InputError("has an item that is no SHA-256", "dataset")
        self._tree = Tree(leaf_hash(one) for one in self.digests)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read an item file: the digests in ascending order, and nothing else.

        Raises:
            InputError: cut off, unordered, or with an item twice.
        """
        if len(data) % DIGEST_BYTES:
            raise InputError("is cut off: items have 32 bytes each", "items")
        found = [
            data[at : at + DIGEST_BYTES] for at in range(0, len(data), DIGEST_BYTES)
        ]
        if any(one >= other for one, other in itertools.pairwise(found)):
            raise InputError("is not in ascending order, each item once", "items")
        return cls(found)

    def to_bytes(self) -> bytes:
        """The item file."""
        return b"".join(self.digests)

    def describe(self, *, name: str, version: str) -> Dataset:
        """The description to publish and to register."""
        return Dataset(name, version, len(self.digests), self._tree.root())

    def prove(self, dataset: Dataset, item: bytes) -> ItemProof:
        """That a digest is in the set, or that it is not.

        Raises:
            InputError: these are not the items of that description.
        """
        if (len(self.digests), self._tree.root()) != (dataset.count, dataset.root):
            raise InputError("are not those of this data set", "items")
        at = bisect_left(self.digests, item)
        if at < len(self.digests) and self.digests[at] == item:
            places = [at]
        else:
            places = [one for one in (at - 1, at) if 0 <= one < len(self.digests)]
        near = tuple(self._neighbor(one) for one in places)
        return ItemProof(dataset.digest, item, near)

    def _neighbor(self, index: int) -> Neighbor:
        path = tuple(self._tree.inclusion_proof(index))
        return Neighbor(index, self.digests[index], path)


def check_proof(dataset: Dataset, proof: ItemProof, item: bytes) -> bool:
    """Check a proof about an item against a description.

    Returns:
        whether the item is in the data set.

    Raises:
        ProofError: it proves nothing; says why.
    """
    if proof.dataset != dataset.digest:
        raise ProofError("the proof is about another data set")
    if proof.item != item:
        raise ProofError("the proof is about another file")
    for one in proof.neighbors:
        leaf = leaf_hash(one.item)
        verify_inclusion(leaf, one.index, dataset.count, one.path, dataset.root)
    if proof.is_member:
        return True
    _check_gap(dataset, proof)
    return False


def _check_gap(dataset: Dataset, proof: ItemProof) -> None:
    """The item would stand where the neighbors leave no place."""
    near = proof.neighbors
    last = dataset.count - 1
    if len(near) == 1 and near[0].index == 0 and proof.item < near[0].item:
        return
    if len(near) == 1 and near[0].index == last and proof.item > near[0].item:
        return
    if (
        len(near) == 2  # noqa: PLR2004 - one on each side
        and near[1].index == near[0].index + 1
        and near[0].item < proof.item < near[1].item
    ):
        return
    raise ProofError("the neighbors do not show that the item is missing")
