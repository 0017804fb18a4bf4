"""Receipt proofs from a real chain hold by the offline verifier alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chain import read, receipts
from chain.errors import RpcBehindError, RpcDownError
from colophon.digest import from_hex
from colophon.errors import InputError, ProofError
from colophon.evidence import ChainProof
from colophon.receipt import Header, anchored, verify_receipt
from log.models import Checkpoint
from tests.chain.actor import Actor
from tests.chain.proxy import Proxy

pytestmark = [pytest.mark.chain, pytest.mark.django_db]


@pytest.mark.parametrize("others", [0, 1, 20])
def test_an_anchor_is_proved_from_the_header_alone(
    act: Actor, checkpoint: Callable[[int], Checkpoint], others: int
) -> None:
    made = checkpoint(9)
    act.hold_blocks()
    for _ in range(others):
        act.send(act.want())
    intent = act.send(act.want("anchor"))
    act.mine(3)
    act.confirm(intent)
    assert intent.state == "final"
    proof = ChainProof.from_json(receipts.proof_of(intent))
    assert proof == ChainProof.from_json(receipts.proof_of(intent.tx_hash))
    told = verify_receipt(proof.header, proof.nodes, proof.tx_index)
    assert told.succeeded
    ledger = bytes.fromhex(read.address_of("ColophonLedger")[2:])
    assert anchored(told.logs, ledger) == [(9, bytes(made.root))]
    header = Header.from_rlp(proof.header)
    assert "0x" + header.hash.hex() == intent.block_hash
    assert header.mined_at == intent.mined_at
    assert (proof.chain_id, proof.ledger) == (31337, read.address_of("ColophonLedger"))


def test_a_changed_byte_breaks_the_proof(act: Actor) -> None:
    intent = act.send(act.want())
    act.finish(intent)
    proof = ChainProof.from_json(receipts.proof_of(intent))
    for at, node in enumerate(proof.nodes):
        for byte in (0, len(node) // 2, len(node) - 1):
            broken = bytearray(node)
            broken[byte] ^= 1
            nodes = [*proof.nodes[:at], bytes(broken), *proof.nodes[at + 1 :]]
            with pytest.raises((ProofError, InputError)):
                verify_receipt(proof.header, nodes, proof.tx_index)


def test_an_unmined_transaction_has_no_proof(act: Actor) -> None:
    act.hold_blocks()
    intent = act.send(act.want())
    with pytest.raises(RpcBehindError):
        receipts.proof_of(intent.newest_attempt().tx_hash)


@pytest.mark.parametrize("field", ["cumulativeGasUsed", "logsBloom", "status"])
def test_a_node_that_changes_a_receipt_is_found_out(
    act: Actor, proxy: Proxy, field: str
) -> None:
    intent = act.send(act.want())
    act.finish(intent)

    def change(result: list[dict[str, Any]], _: Any) -> Any:
        old = str(result[0][field])
        result[0][field] = old[:-1] + ("0" if old[-1] != "0" else "1")
        return result

    proxy.rewrites["eth_getBlockReceipts"] = change
    with pytest.raises(RpcDownError, match="proves nothing"):
        receipts.proof_of(intent)


def test_a_node_that_turns_success_into_failure_is_found_out(
    act: Actor, proxy: Proxy
) -> None:
    intent = act.send(act.want())
    act.finish(intent)
    proxy.rewrites["eth_getTransactionReceipt"] = lambda result, _: {
        **result,
        "status": "0x0",
    }
    with pytest.raises(RpcDownError, match="not the one in the block"):
        receipts.proof_of(intent)


def test_the_proof_names_hex_without_prefix(act: Actor) -> None:
    intent = act.send(act.want())
    act.finish(intent)
    told = receipts.proof_of(intent)
    assert from_hex(told["header"], None)
    assert all(from_hex(node, None) for node in told["proof"])
