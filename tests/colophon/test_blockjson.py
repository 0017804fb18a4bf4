"""JSON-RPC answers: each form of value, and answers that do not hash right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from colophon import blockjson
from colophon.errors import InputError, ProofError

RECORDED = json.loads((Path(__file__).parent / "vectors/block.json").read_text())
BLOCK, RECEIPT = RECORDED["block"], RECORDED["receipts"][1]
NUMBERS = {
    "difficulty",
    "number",
    "gasLimit",
    "gasUsed",
    "timestamp",
    "baseFeePerGas",
    "blobGasUsed",
    "excessBlobGas",
    "status",
    "cumulativeGasUsed",
    "type",
    "transactionIndex",
}


def as_a_library_has_it(value: Any, name: str = "") -> Any:
    """The same answer with numbers and bytes, as web3 libraries give it."""
    if isinstance(value, dict):
        return {key: as_a_library_has_it(one, key) for key, one in value.items()}
    if isinstance(value, list):
        return [as_a_library_has_it(one) for one in value]
    return int(value, 16) if name in NUMBERS else bytes.fromhex(value[2:])


def test_text_and_library_forms_encode_alike() -> None:
    assert blockjson.header_from_rpc(as_a_library_has_it(BLOCK)) == (
        blockjson.header_from_rpc(BLOCK)
    )
    assert blockjson.receipt_from_rpc(as_a_library_has_it(RECEIPT)) == (
        blockjson.receipt_from_rpc(RECEIPT)
    )


@pytest.mark.parametrize("name", ["receiptsRoot", "number", "timestamp", "hash"])
def test_a_header_that_does_not_hash_right_is_refused(name: str) -> None:
    changed = BLOCK[name][:-1] + ("1" if BLOCK[name][-1] == "0" else "0")
    with pytest.raises(ProofError, match="block hash"):
        blockjson.header_from_rpc({**BLOCK, name: changed})


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"hash": None}, "hash"),
        ({"parentHash": "ab"}, "parentHash"),
        ({"parentHash": "0xzz"}, "parentHash"),
        ({"number": "0xzz"}, "number"),
        ({"number": -1}, "number"),
        ({"number": 1.5}, "number"),
    ],
)
def test_a_malformed_header_field_is_named(change: dict[str, Any], field: str) -> None:
    with pytest.raises(InputError) as caught:
        blockjson.header_from_rpc({**BLOCK, **change})
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"status": None}, "status"),
        ({"logsBloom": 5}, "logsBloom"),
        ({"logs": [{"topics": [], "data": "0x"}]}, "logs/address"),
        ({"logs": [{"address": "0x", "topics": ["x"], "data": "0x"}]}, "logs/topics"),
    ],
)
def test_a_malformed_receipt_field_is_named(change: dict[str, Any], field: str) -> None:
    with pytest.raises(InputError) as caught:
        blockjson.receipt_from_rpc({**RECEIPT, **change})
    assert caught.value.field == field
