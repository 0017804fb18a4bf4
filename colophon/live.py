"""What is asked of the world while verifying: the chain, and the newest standing.

Each answer is a line of its own beside the recorded report, which it never changes.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from colophon.checks import Code, Result
from colophon.client import Client, Rpc, fetch_bundle
from colophon.digest import keccak256
from colophon.errors import ColophonError, CouldNotCheck
from colophon.evidence import Bundle, ChainProof
from colophon.filematch import CredentialFacts
from colophon.policy import Standing
from colophon.receipt import Header
from colophon.report import LiveItem, Outcome, Report
from colophon.trust import Chain, Trust
from colophon.verify import verify
from colophon.weigh import sealed_digests

_OBJECTIONS = (Standing.CONTESTED, Standing.SUSPENDED, Standing.SUPERSEDED)


def ask_chain(rpc: Rpc, bundle: Bundle, trust: Trust) -> list[LiveItem]:
    """Whether the anchors' blocks are on the chain, under the known contract.

    Args:
        rpc: a node that you chose.
        bundle: its anchors are looked up by block hash.
        trust: names chain, address and code of the ledger.
    """
    if not bundle.anchors:
        return [_skipped("chain", "The evidence holds no anchor on a chain.")]
    found = []
    for proof in bundle.anchors.values():
        try:
            found.append(_ask_anchor(rpc, proof, trust))
        except CouldNotCheck as error:
            found.append(_skipped("chain", f"Not checked: {error}.", Code.UNREADABLE))
        except ColophonError as error:
            words = f"The chain's receipt does not hold: {error}."
            found.append(_failed("chain", words, Code.MISMATCH))
    return found


def _ask_anchor(rpc: Rpc, proof: ChainProof, trust: Trust) -> LiveItem:
    chain = trust.chain(proof.chain_id, proof.ledger)
    if chain is None:
        return _skipped("chain", f"Chain {proof.chain_id} is not one that you trust.")
    if odd := _odd_node(rpc, chain):
        return _skipped("chain", odd, Code.UNREADABLE)
    header = Header.from_rlp(proof.header)
    block = rpc.call("eth_getBlockByHash", ["0x" + header.hash.hex(), False])
    detail = (f"block 0x{header.hash.hex()}",)
    if not isinstance(block, dict):
        words = f"The chain has no such block: the anchor in {header.number} is gone."
        return _failed("chain", words, Code.MISMATCH, *detail)
    # A node may keep blocks that are no longer on the chain: ask by number too.
    same = rpc.call("eth_getBlockByNumber", [hex(header.number), False])
    if not isinstance(same, dict) or same.get("hash") != block.get("hash"):
        words = f"Another block took the place of {header.number} on the chain."
        return _failed("chain", words, Code.MISMATCH, *detail)
    code = _bytes(rpc.call("eth_getCode", [chain.ledger, "latest"]))
    if keccak256(code) != chain.code_hash:
        words = f"The contract at {chain.ledger} is not the one that you trust."
        return _failed("chain", words, Code.MISMATCH, *detail)
    depth = _number(rpc.call("eth_blockNumber", [])) - header.number
    words = f"Its block {header.number} is on {chain.name}, {depth} blocks deep."
    return LiveItem("chain", Result.PASSED, words, Code.NONE, detail)


def _odd_node(rpc: Rpc, chain: Chain) -> str:
    """Why this node cannot answer for the chain; "" when it can."""
    there = _number(rpc.call("eth_chainId", []))
    if there != chain.chain_id:
        return f"The node is of chain {there}, the anchor is on {chain.chain_id}."
    return ""


def ask_site(
    client: Client, bundle: Bundle, trust: Trust, *, now: datetime
) -> list[LiveItem]:
    """Whether the site has a newer standing than the bundle at hand.

    Args:
        client: to ask the site that the trust file names.
        bundle: the bundle at hand.
        trust: judges what the site answers, like any bundle.
        now: the present moment.
    """
    try:
        file = sealed_digests(bundle)
        data = fetch_bundle(client, trust.site, file.sha256)
        if data is None:
            words = f"{trust.site} has no record of this work any more."
            return [_failed("standing", words, Code.OBJECTION)]
        newest = Bundle.from_bytes(data)
        recorded = CredentialFacts.from_json(newest.credential)
        fresh = verify(file, recorded, newest, trust, as_of=now)
    except (ColophonError, CouldNotCheck) as error:
        return [_skipped("standing", f"Not checked: {error}.", Code.UNREADABLE)]
    return [_standing_item(fresh)]


def _standing_item(fresh: Report) -> LiveItem:
    """The site's newest answer, in one line."""
    if fresh.verdict is None or fresh.outcome is not Outcome.GENUINE:
        # Says nothing about the file: whoever answers may not be the site.
        words = f"The site's newest evidence does not hold: {fresh.summary}"
        return _skipped("standing", words, Code.UNREADABLE)
    standing, word = fresh.verdict.standing, fresh.verdict.word
    detail = (f"badge {word}", *fresh.verdict.verified_levels)
    if standing in _OBJECTIONS:
        words = f"The record of this work is {standing} today."
        return _failed("standing", words, Code.OBJECTION, *detail)
    words = f"Today's standing is {standing}; the badge says {word}."
    return LiveItem("standing", Result.PASSED, words, Code.NONE, detail)


def _failed(name: str, words: str, code: Code, *detail: str) -> LiveItem:
    return LiveItem(name, Result.FAILED, words, code, detail)


def _skipped(name: str, words: str, code: Code = Code.MISSING) -> LiveItem:
    return LiveItem(name, Result.NOT_CHECKED, words, code)


def _number(value: Any) -> int:
    try:
        return int(value, 16)
    except (TypeError, ValueError) as error:
        raise CouldNotCheck("chain", "the node answered no number") from error


def _bytes(value: Any) -> bytes:
    try:
        return bytes.fromhex(str(value).removeprefix("0x"))
    except ValueError as error:
        raise CouldNotCheck("chain", "the node answered no code") from error
