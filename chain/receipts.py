"""Prove from a block header alone what a transaction did: for evidence bundles.

Everything is built from the node's JSON and checked before it is handed out: the
header hashes to the block hash, the receipts hash to the header's root, and the proof
holds by the same verifier that anybody runs offline (`colophon.receipt`).
"""

from __future__ import annotations

from typing import Any

from chain import contracts, identity
from chain.errors import RpcBehindError, RpcDownError
from chain.gateway import Gateway
from chain.kinds import LEDGER
from chain.models import Intent
from colophon.blockjson import header_from_rpc, receipt_from_rpc
from colophon.errors import InputError, ProofError
from colophon.evidence import ChainProof
from colophon.receipt import Header, build_receipt_proof, verify_receipt


def proof_of(transaction: str | Intent) -> dict[str, Any]:
    """The receipt proof of a mined transaction: the member `chain/<size>.json`.

    Args:
        transaction: a hash (0x hex), or an intent that is mined.

    Returns:
        {v, chain_id, ledger, header, proof, tx_index, tx_hash}, hex without 0x
        except address and hash (docs/evidence-format.md).

    Raises:
        RpcBehindError: the node does not have the transaction in a block.
        RpcDownError: no node answered, or what it answered does not prove itself.
    """
    tx_hash = transaction.tx_hash if isinstance(transaction, Intent) else transaction
    gateway, network = identity.checked()
    return ChainProof(
        chain_id=network.chain_id,
        ledger=contracts.address_of(LEDGER),
        **_proof(gateway, tx_hash),
        tx_hash=tx_hash,
    ).to_json()


def _proof(gateway: Gateway, tx_hash: str) -> dict[str, Any]:
    found = gateway.receipts([tx_hash]).get(tx_hash)
    if found is None:
        raise RpcBehindError(f"the node does not have {tx_hash} in a block")
    block, receipts = gateway.block_parts(found.block_number)
    try:
        header = header_from_rpc(block)
        encoded = [receipt_from_rpc(one) for one in receipts]
        _, nodes = build_receipt_proof(encoded, found.index)
        told = verify_receipt(header, nodes, found.index)
        mined_in = "0x" + Header.from_rlp(header).hash.hex()
    except (InputError, ProofError) as error:
        raise RpcDownError(f"the node's answer proves nothing: {error}") from error
    if (mined_in, told.succeeded) != (found.block_hash, found.succeeded):
        raise RpcDownError("the node's receipt is not the one in the block")
    return {"header": header, "nodes": tuple(nodes), "tx_index": found.index}
