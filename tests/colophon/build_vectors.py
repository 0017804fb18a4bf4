"""Write the test vectors: run it when a format changes, and look at the diff.

Everything is fixed (seeds, ids, times), so the same code writes the same bytes.
``block.json`` is a recording of a real node and is only read here.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from colophon import blockjson, entry, merkle, note, receipt, units
from colophon.earnings import EarningsTree, combined_root, word
from colophon.note import COSIGNATURE, Checkpoint, NoteKey
from colophon.tiles import Tile, entry_bundle, new_tiles, tile_bytes
from colophon.tlogproof import LogProof
from tests.colophon import examples
from tests.colophon.examples import KEYS, LOG_KEY, NOON, ORIGIN, SEEDS

FOLDER = Path(__file__).parent / "vectors"
BLOCK = FOLDER / "block.json"
SALT = bytes(range(32))
WITNESS = "witness.example/w1"


def vectors() -> dict[str, Any]:
    """File name -> content."""
    return {
        "balances.json": _balances(),
        "commitments.json": _commitments(),
        "entries.json": _entries(),
        "merkle.json": _merkle(),
        "notes.json": _notes(),
        "receipts.json": _receipts(),
        "splits.json": _splits(),
        "statements.json": _statements(),
        "tiles.json": _tiles(),
    }


def text_of(content: Any) -> str:
    """How a vector file is written."""
    return json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _hexes(some: Any) -> list[str]:
    return [one.hex() for one in some]


def _statements() -> Any:
    seeds = {name: seed.hex() for name, seed in SEEDS.items()}
    signed = examples.envelopes()
    return {
        "seeds": seeds,
        "records": {
            kind: {
                "statement": said,
                "signers": list(names),
                "envelope": signed[kind].to_json(),
                "digest": signed[kind].digest.hex(),
            }
            for kind, (said, names) in examples.statements().items()
        },
    }


def _commitments() -> Any:
    return [
        one.to_json() | one.commit() for one in (examples.PROMPT, examples.GUIDANCE)
    ]


def _entries() -> Any:
    signed = examples.envelopes()
    made = {
        kind: entry.public_entry(kind, signed[kind])
        if kind in entry.PUBLIC_KINDS
        else entry.sealed_entry(kind, SALT, signed[kind])
        for kind in entry.KINDS
    }
    return {
        "salt": SALT.hex(),
        "entries": {
            kind: {"entry": data.decode(), "leaf": entry.entry_leaf(data).hex()}
            for kind, data in made.items()
        },
    }


def _leaves(count: int) -> list[bytes]:
    return [merkle.leaf_hash(b"entry %d" % at) for at in range(count)]


def _merkle() -> Any:
    tree = merkle.Tree(_leaves(300))
    sizes = (0, 1, 2, 3, 7, 8, 9, 255, 256, 257, 300)
    cases = ((0, 1), (0, 2), (2, 3), (6, 7), (255, 257), (256, 257), (299, 300))
    pairs = ((0, 5), (1, 2), (3, 7), (8, 9), (6, 300), (256, 300), (300, 300))
    several = [0, 3, 4, 200, 299]
    return {
        "leaves": "leaf i is SHA-256(0x00 ‖ 'entry i')",
        "roots": {str(size): tree.root(size).hex() for size in sizes},
        "inclusion": [
            {
                "index": index,
                "size": size,
                "proof": _hexes(tree.inclusion_proof(index, size)),
            }
            for index, size in cases
        ],
        "consistency": [
            {"old": old, "new": new, "proof": _hexes(tree.consistency_proof(old, new))}
            for old, new in pairs
        ],
        "multiproof": {
            "indexes": several,
            "size": 300,
            "proof": _hexes(merkle.multiproof(several, 300, tree.read)),
        },
    }


def _tiles() -> Any:
    tree = merkle.Tree(_leaves(300))
    entries = [b"entry %d" % at for at in range(256, 300)]
    return {
        "size": 300,
        "tiles": {
            tile.path: tile_bytes(tile, tree.read).hex() for tile in new_tiles(0, 300)
        },
        "bundle": {
            "path": Tile(0, 1, 44).entries_path,
            "data": entry_bundle(entries).hex(),
        },
    }


def _notes() -> Any:
    tree = merkle.Tree(_leaves(300))
    body = Checkpoint(ORIGIN, 300, tree.root()).to_body()
    signed = note.sign_note(body, ORIGIN, KEYS["log"])
    cosigned = note.cosign(signed, WITNESS, KEYS["mia"], NOON)
    proof = LogProof(7, tuple(tree.inclusion_proof(7)), cosigned)
    return {
        "log_vkey": LOG_KEY.vkey,
        "witness_vkey": NoteKey.of_signer(WITNESS, KEYS["mia"], COSIGNATURE).vkey,
        "checkpoint": signed,
        "cosigned": cosigned,
        "proof": proof.to_text(),
        "leaf": tree.read(0, 7).hex(),
    }


def _balances() -> Any:
    addresses = [bytes([at + 1]) * 20 for at in range(5)]
    words = [word(1_000_000 * at, one) for at, one in enumerate(addresses)]
    one, two = EarningsTree(words), EarningsTree(words[:1])
    return {
        "words": [f"{value:064x}" for value in words],
        "roots": {
            str(count): EarningsTree(words[:count]).root.hex() for count in range(6)
        },
        "earnings_root": one.root.hex(),
        "spend_root": two.root.hex(),
        "committed": combined_root(one.root, two.root).hex(),
        "pay": {
            "first": 2,
            "words": [f"{value:064x}" for value in one.subtree_words(2, 1)],
            "proof": _hexes([*one.subtree_proof(2, 1), two.root]),
        },
    }


def _splits() -> Any:
    thirds = [["c", 333_334], ["a", 333_333], ["b", 333_333]]
    cases = (
        (0, thirds),
        (1, thirds),
        (2, thirds),
        (10, thirds),
        (1, [["b", 500_000], ["a", 500_000]]),
        (40_000_000, [["p", 50_000], ["s", 20_000], ["k", 930_000]]),
        (999_999, [["p", 50_000], ["s", 20_000], ["k", 930_000]]),
    )
    return [
        {
            "amount_units": amount,
            "shares": shares,
            "parts": units.split_ppm(amount, [(who, ppm) for who, ppm in shares]),
        }
        for amount, shares in cases
    ]


def _receipts() -> Any:
    recorded = json.loads(BLOCK.read_text())
    header = blockjson.header_from_rpc(recorded["block"])
    encoded = [blockjson.receipt_from_rpc(one) for one in recorded["receipts"]]
    root, proof = receipt.build_receipt_proof(encoded, 17)
    ledger = recorded["receipts"][17]["logs"][0]["address"]
    return {
        "header": header.hex(),
        "block_hash": receipt.Header.from_rlp(header).hash.hex(),
        "receipts_root": root.hex(),
        "tx_index": 17,
        "proof": _hexes(proof),
        "ledger": ledger.removeprefix("0x"),
        "anchored": {"size": 117, "root": "11" * 32},
    }


if __name__ == "__main__":
    for name, content in vectors().items():
        (FOLDER / name).write_text(text_of(content))
