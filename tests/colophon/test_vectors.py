"""The committed vectors: what the code makes now is what they say."""

from __future__ import annotations

import json

import pytest

from colophon import entry, merkle, note, receipt, records, statement, tiles
from colophon.disclosure import Disclosure, verify_disclosure
from colophon.earnings import verify_committed
from colophon.keys import Ed25519Key
from colophon.note import NoteKey
from colophon.tlogproof import LogProof
from tests.colophon import build_vectors

MADE = build_vectors.vectors()


def load(name: str) -> dict:
    return json.loads((build_vectors.FOLDER / name).read_text())


@pytest.mark.parametrize("name", sorted(MADE))
def test_a_vector_file_is_what_the_code_makes(name: str) -> None:
    text = (build_vectors.FOLDER / name).read_text()
    assert text == build_vectors.text_of(MADE[name]), (
        "run tests/colophon/build_vectors.py"
    )


def test_every_kind_has_a_vector() -> None:
    kinds = set(load("statements.json")["records"])
    assert kinds == set(records.TYPES) == set(records.PARSERS) == set(entry.KINDS)


@pytest.mark.parametrize("kind", sorted(records.TYPES))
def test_a_record_vector_verifies(kind: str) -> None:
    data = load("statements.json")
    vector = data["records"][kind]
    envelope = statement.Envelope.from_json(vector["envelope"])
    assert envelope.digest.hex() == vector["digest"]
    for name in vector["signers"]:
        key = Ed25519Key.from_seed(bytes.fromhex(data["seeds"][name]))
        said = statement.verify(envelope, key.public_spki)
        assert said == vector["statement"]
        assert records.kind_of(said) == kind
        assert records.parse(said)


def test_the_disclosure_vectors_open_the_step_vector() -> None:
    said = load("statements.json")["records"]["step"]["statement"]
    for one in load("commitments.json"):
        disclosure = Disclosure.from_json(
            {key: one[key] for key in ("field", "salt", "value")}
        )
        verify_disclosure(said, disclosure)


def test_the_entry_vectors_open_with_their_salt() -> None:
    data, signed = load("entries.json"), load("statements.json")["records"]
    for kind, one in data["entries"].items():
        raw = one["entry"].encode()
        assert merkle.leaf_hash(raw).hex() == one["leaf"]
        envelope = statement.Envelope.from_json(signed[kind]["envelope"])
        if kind in entry.PUBLIC_KINDS:
            assert entry.parse_entry(raw).envelope == envelope
        else:
            entry.open_sealed(raw, bytes.fromhex(data["salt"]), envelope)


def test_the_tree_vectors_verify() -> None:
    data = load("merkle.json")
    roots = {int(size): bytes.fromhex(root) for size, root in data["roots"].items()}
    served = load("tiles.json")["tiles"]

    def fetch(tile: tiles.Tile) -> bytes:
        return bytes.fromhex(served[tile.path])

    read = tiles.tile_reader(fetch, 300)
    assert merkle.root_at(300, read) == roots[300]
    for one in data["inclusion"]:
        leaf = merkle.leaf_hash(b"entry %d" % one["index"])
        proof = [bytes.fromhex(text) for text in one["proof"]]
        merkle.verify_inclusion(
            leaf, one["index"], one["size"], proof, roots[one["size"]]
        )


def test_the_note_vectors_verify() -> None:
    data = load("notes.json")
    log, witness = map(NoteKey.from_vkey, (data["log_vkey"], data["witness_vkey"]))
    assert note.open_checkpoint(data["checkpoint"], log).size == 300
    opened = LogProof.from_text(data["proof"]).check(
        bytes.fromhex(data["leaf"]), log, [witness]
    )
    assert opened.signed_by(witness)


def test_the_balance_vector_verifies() -> None:
    data = load("balances.json")
    pay = data["pay"]
    verify_committed(
        [int(text, 16) for text in pay["words"]],
        pay["first"],
        [bytes.fromhex(text) for text in pay["proof"]],
        bytes.fromhex(data["committed"]),
    )


def test_the_receipt_vector_verifies() -> None:
    data = load("receipts.json")
    header = bytes.fromhex(data["header"])
    assert receipt.Header.from_rlp(header).hash.hex() == data["block_hash"]
    proof = [bytes.fromhex(text) for text in data["proof"]]
    found = receipt.verify_receipt(header, proof, data["tx_index"])
    (size, root), *_ = receipt.anchored(found.logs, bytes.fromhex(data["ledger"]))
    assert {"size": size, "root": root.hex()} == data["anchored"]
