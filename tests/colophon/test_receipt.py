"""Receipts from a header: a recorded block, mainnet's first header, forgeries."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colophon import blockjson, receipt, rlp, trie
from colophon.errors import InputError, ProofError
from colophon.receipt import Header, Log, Receipt

RECORDED = json.loads((Path(__file__).parent / "vectors/block.json").read_text())
BLOCK, RECEIPTS = RECORDED["block"], RECORDED["receipts"]
HEADER = blockjson.header_from_rpc(BLOCK)
ENCODED = [blockjson.receipt_from_rpc(one) for one in RECEIPTS]
LEDGER = bytes.fromhex(RECEIPTS[0]["logs"][0]["address"][2:])

# Header of Ethereum's block 0: fifteen fields, none of the later ones.
GENESIS = {
    "parentHash": "0x" + "00" * 32,
    "sha3Uncles": "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347",
    "miner": "0x" + "00" * 20,
    "stateRoot": "0xd7f8974fb5ac78d9ac099b9ad5018bedc2ce0a72dad1827a1709da30580f0544",
    "transactionsRoot": "0x" + trie.EMPTY_ROOT.hex(),
    "receiptsRoot": "0x" + trie.EMPTY_ROOT.hex(),
    "logsBloom": "0x" + "00" * 256,
    "difficulty": "0x400000000",
    "number": "0x0",
    "gasLimit": "0x1388",
    "gasUsed": "0x0",
    "timestamp": "0x0",
    "extraData": "0x11bbe8db4e347b4e8c937c1c8370e4b5ed33adb3db69cbdb7a38e1e50b1b82fa",
    "mixHash": "0x" + "00" * 32,
    "nonce": "0x0000000000000042",
    "hash": "0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3",
}


def header_over(root: bytes) -> bytes:
    """A header with a receipts' root of our own."""
    items = rlp.decode(HEADER)
    assert isinstance(items, list)
    return rlp.encode([*items[:5], root, *items[6:]])


def test_mainnets_first_header_hashes_to_its_known_hash() -> None:
    header = Header.from_rlp(blockjson.header_from_rpc(GENESIS))
    assert "0x" + header.hash.hex() == GENESIS["hash"]
    assert header.number == 0


def test_a_recorded_prague_header_hashes_to_its_block_hash() -> None:
    header = Header.from_rlp(HEADER)
    assert "0x" + header.hash.hex() == BLOCK["hash"]
    assert "0x" + header.parent_hash.hex() == BLOCK["parentHash"]
    assert header.number == int(BLOCK["number"], 16)
    assert header.mined_at == datetime.fromtimestamp(int(BLOCK["timestamp"], 16), UTC)


@pytest.mark.parametrize("index", range(len(RECEIPTS)))
def test_every_recorded_receipt_proves_its_anchor(index: int) -> None:
    root, proof = receipt.build_receipt_proof(ENCODED, index)
    assert root == Header.from_rlp(HEADER).receipts_root
    found = receipt.verify_receipt(HEADER, proof, index)
    assert found.succeeded
    assert found.kind == int(RECEIPTS[index]["type"], 16)
    assert receipt.anchored(found.logs, LEDGER) == [(100 + index, b"\x11" * 32)]


def test_the_anchor_of_another_contract_does_not_count() -> None:
    _, proof = receipt.build_receipt_proof(ENCODED, 3)
    found = receipt.verify_receipt(HEADER, proof, 3)
    assert receipt.anchored(found.logs, bytes(20)) == []


def test_a_proof_for_another_transaction_or_block_fails() -> None:
    _, proof = receipt.build_receipt_proof(ENCODED, 3)
    with pytest.raises(ProofError):
        receipt.verify_receipt(HEADER, proof, 4)
    with pytest.raises(ProofError):
        receipt.verify_receipt(header_over(bytes(32)), proof, 3)


def test_an_empty_block_proves_nothing() -> None:
    with pytest.raises(ProofError):
        receipt.verify_receipt(header_over(trie.EMPTY_ROOT), [b"\x80"], 0)


@given(st.integers(1, 300), st.data())
def test_blocks_of_any_size_prove_their_receipts(
    count: int, data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, count - 1))
    bloom = bytes(256)
    some = [
        rlp.encode([b"\x01", rlp.int_bytes(at + 1), bloom, []]) for at in range(count)
    ]
    root, proof = receipt.build_receipt_proof(some, index)
    assert receipt.verify_receipt(header_over(root), proof, index).logs == ()


def test_a_failed_transaction_is_shown_as_failed() -> None:
    failed = rlp.encode([b"", b"\x01", bytes(256), []])
    assert not Receipt.from_bytes(failed).succeeded
    assert Receipt.from_bytes(b"\x02" + failed).kind == 2


LOG = [LEDGER, [receipt.ANCHORED, bytes(32)], bytes(32)]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80",
        b"\x02",
        b"\x90" + bytes(16),
        rlp.encode([]),
        rlp.encode([bytes(32), b"\1", bytes(256), []]),  # before Byzantium
        rlp.encode([b"\1", b"\0", bytes(256), []]),
        rlp.encode([b"\1", b"\1", bytes(255), []]),
        rlp.encode([b"\1", b"\1", bytes(256), b""]),
        rlp.encode([b"\1", b"\1", bytes(256), [LOG[:2]]]),
        rlp.encode([b"\1", b"\1", bytes(256), [[bytes(19), [], b""]]]),
        rlp.encode([b"\1", b"\1", bytes(256), [[LEDGER, [bytes(31)], b""]]]),
        rlp.encode([b"\1", b"\1", bytes(256), [[LEDGER, [bytes(32)] * 5, b""]]]),
        rlp.encode([b"\1", b"\1", bytes(256), [[LEDGER, [], [b""]]]]),
        rlp.encode([b"\1", b"\1", bytes(256), [], b""]),
    ],
)
def test_a_malformed_receipt_is_refused(data: bytes) -> None:
    with pytest.raises(InputError):
        Receipt.from_bytes(data)


@given(st.binary(max_size=60))
def test_any_bytes_are_no_header(data: bytes) -> None:
    with pytest.raises(InputError):
        Header.from_rlp(data)


@pytest.mark.parametrize(
    "change",
    [
        lambda items: items[:14],
        lambda items: items + [b""] * 20,
        lambda items: [items[0][:31], *items[1:]],
        lambda items: [*items[:8], b"\1" * 9, *items[9:]],
        lambda items: [*items[:8], b"\0\1", *items[9:]],
        lambda items: [*items[:11], [], *items[12:]],
        lambda items: [*items[:12], bytes(5_000), *items[13:]],
        lambda items: b"text",
    ],
)
def test_a_malformed_header_is_refused(change) -> None:  # noqa: ANN001
    with pytest.raises(InputError):
        Header.from_rlp(rlp.encode(change(rlp.decode(HEADER))))


def test_an_anchored_event_of_another_shape_fails() -> None:
    for log in (
        Log(LEDGER, (receipt.ANCHORED,), bytes(32)),
        Log(LEDGER, (receipt.ANCHORED, bytes(32), bytes(32)), bytes(32)),
        Log(LEDGER, (receipt.ANCHORED, bytes(32)), bytes(64)),
        Log(LEDGER, (receipt.ANCHORED, bytes(32)), bytes(31)),
        Log(LEDGER, (receipt.ANCHORED, b"\1" * 32), bytes(32)),
    ):
        with pytest.raises(ProofError):
            receipt.anchored([log], LEDGER)
    other = Log(LEDGER, (bytes(32),), b"")
    assert receipt.anchored([other, Log(LEDGER, (), b"")], LEDGER) == []


def test_an_index_outside_of_the_block_is_refused() -> None:
    for index in (-1, len(ENCODED)):
        with pytest.raises(InputError):
            receipt.build_receipt_proof(ENCODED, index)
    with pytest.raises(InputError):
        receipt.verify_receipt(HEADER, [], -1)
