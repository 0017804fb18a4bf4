"""Measure the gas of every call of the ledger on a real node.

    .venv/bin/python bench/gas/run.py           prints the table
    .venv/bin/python bench/gas/run.py --write   writes docs/benchmarks-gas.md too

Numbers are `gasUsed` of mined transactions, so the 21,000 of the transaction and its
calldata are in. "First" means that the holder (or account) had nothing before, "next"
is the steady state. The tree has 1,024 holders, the token is TestUSD without a proxy.
Each payment of the steady state uses the newest root while it is still pending but
matured, which is what a settlement does and costs more than the active root.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from web3 import Web3

from bench.gas.node import HARDFORK, anvil, deploy, mine, person, skip
from bench.gas.report import Row, table, write
from colophon.earnings import EarningsTree, combined_root, word

WINDOW = 60
DELAY = 120
HOLDERS = 1024
DEPOSIT_UNITS = 40_000_000_000
BATCHES = ((64, 0), (16, 64), (4, 128), (1, 132))


@dataclass
class Bench:
    """One chain with its contracts, and what was measured on it."""

    web3: Web3
    rows: list[Row] = field(default_factory=list)
    epoch: int = 1
    size: int = 1
    spend: bytes = b""

    def __post_init__(self) -> None:
        accounts = [str(one) for one in self.web3.eth.accounts]
        self.operator, self.guardian, self.buyer = accounts[:3]
        self.usd = deploy(self.web3, "TestUSD")
        roles = [self.operator, self.operator, self.operator, self.guardian]
        self.ledger = deploy(
            self.web3, "ColophonLedger", self.usd.address, *roles, WINDOW, DELAY
        )
        uris = ("https://colophon.example/assets/", "https://colophon.example/c")
        people = [self.operator] * 2
        self.asset = deploy(
            self.web3, "ColophonAsset", *people, *uris, self.operator, 250
        )

    def note(self, name: str, call: Any, sender: str, *, per: int = 1) -> None:
        """Send a call and keep what it used."""
        receipt = mine(self.web3, call, sender)
        self.rows.append(Row(name, receipt["gasUsed"], per))

    def commit(self, name: str, each_units: int, *, grows: bool = True) -> EarningsTree:
        """Commit earnings of `each_units` for every holder and wait out the window."""
        tree = EarningsTree(
            [word(each_units, holder(index)) for index in range(HOLDERS)]
        )
        self.spend = EarningsTree([word(each_units * HOLDERS, bytes(20))]).root
        self.size += 1000 if grows else 0
        call = self.ledger.functions.commit(
            self.epoch,
            self.size,
            Web3.keccak(text=f"log {self.size}"),
            tree.root,
            self.spend,
            each_units * HOLDERS,
            100_000,
        )
        self.note(name, call, self.operator)
        stored = self.ledger.functions.pendingRoot().call()
        if stored != combined_root(tree.root, self.spend):
            raise SystemExit("the contract's root is not Python's")
        self.epoch += 1
        skip(self.web3, WINDOW)
        return tree

    def pay(self, name: str, tree: EarningsTree, count: int, first: int) -> None:
        """Pay `count` holders from `first` on."""
        height = count.bit_length() - 1
        proof = [*tree.subtree_proof(first, height), self.spend]
        words = tree.subtree_words(first, height)
        call = self.ledger.functions.pay(first, words, proof)
        self.note(name, call, self.buyer, per=count)


def holder(index: int) -> bytes:
    """An address as any other: twenty bytes that are not zero."""
    return Web3.keccak(index.to_bytes(4, "big"))[:20]


def deposits(bench: Bench) -> None:
    """Money in: by allowance, by permit and by authorization."""
    ada, ben, cy = person("ada"), person("ben"), person("cy")
    for one in (ada.address, ben.address, cy.address, bench.buyer):
        mine(bench.web3, bench.usd.functions.mint(one, 10**12), bench.operator)
    allow = bench.usd.functions.approve(bench.ledger.address, 2**255)
    mine(bench.web3, allow, bench.buyer)
    for turn in ("first", "next"):
        ref = Web3.keccak(text=f"order {turn}")
        call = bench.ledger.functions.deposit(bench.buyer, DEPOSIT_UNITS, ref)
        bench.note(f"deposit by allowance, {turn}", call, bench.buyer)
    for turn in ("first", "next"):
        call = authorized(bench, ada, Web3.keccak(text=f"ada {turn}"))
        bench.note(f"deposit with authorization, {turn}", call, bench.operator)
    for turn in ("first", "next"):
        call = permitted(bench, ben)
        bench.note(f"deposit with permit, {turn}", call, bench.operator)


def authorized(bench: Bench, payer: Any, ref: bytes) -> Any:
    """A deposit that the payer signed as ERC-3009."""
    fields = "from:address to:address value:uint256 validAfter:uint256"
    fields += " validBefore:uint256 nonce:bytes32"
    message = {
        "from": payer.address,
        "to": bench.ledger.address,
        "value": DEPOSIT_UNITS,
        "validAfter": 0,
        "validBefore": 2**40,
        "nonce": ref,
    }
    signed = sign(bench, payer, "ReceiveWithAuthorization", fields, message)
    return bench.ledger.functions.depositWithAuthorization(
        payer.address, DEPOSIT_UNITS, ref, 0, 2**40, *signed
    )


def permitted(bench: Bench, payer: Any) -> Any:
    """A deposit that the payer signed as ERC-2612."""
    fields = "owner:address spender:address value:uint256 nonce:uint256"
    fields += " deadline:uint256"
    message = {
        "owner": payer.address,
        "spender": bench.ledger.address,
        "value": DEPOSIT_UNITS,
        "nonce": bench.usd.functions.nonces(payer.address).call(),
        "deadline": 2**40,
    }
    signed = sign(bench, payer, "Permit", fields, message)
    return bench.ledger.functions.depositWithPermit(
        payer.address, DEPOSIT_UNITS, Web3.keccak(text="permit"), 2**40, *signed
    )


def sign(
    bench: Bench, signer: Any, kind: str, fields: str, message: dict[str, Any]
) -> tuple[int, bytes, bytes]:
    """v, r, s of typed data in the token's domain."""
    domain = {
        "name": "Test USD",
        "version": "1",
        "chainId": bench.web3.eth.chain_id,
        "verifyingContract": bench.usd.address,
    }
    pairs = [one.split(":") for one in fields.split()]
    types = {kind: [{"name": name, "type": text} for name, text in pairs]}
    done = signer.sign_typed_data(domain, types, message)
    return done.v, done.r.to_bytes(32, "big"), done.s.to_bytes(32, "big")


def settlements(bench: Bench) -> None:
    """Anchors, commits and payments, first and in the steady state."""
    for turn in ("first", "next"):
        root = Web3.keccak(text=f"root {bench.size}")
        call = bench.ledger.functions.anchor(bench.size, root)
        bench.note(f"anchor, {turn}", call, bench.operator)
        bench.size += 100_000
    tree = bench.commit("commit, first", 7_123_456)
    bench.pay("pay, the ledger's very first holder", tree, 1, 512)
    for count, first in BATCHES:
        bench.pay(f"pay {count}, first", tree, count, first)
    bench.commit("commit, second", 18_123_456)
    tree = bench.commit("commit, next", 25_678_901)
    for count, first in BATCHES:
        bench.pay(f"pay {count}, next", tree, count, first)
    bench.pay("pay 64 again, nothing owed", tree, 64, 0)
    bench.commit("commit, size already anchored", 25_678_901, grows=False)


def certificates(bench: Bench) -> None:
    """Certificates, one and fifty at a time."""
    for name, count in (("1, first", 1), ("1, next", 1), ("50, next", 50)):
        digests = [Web3.keccak(text=f"{name} {index}") for index in range(count)]
        call = bench.asset.functions.mintBatch(
            [bench.buyer] * count,
            digests,
            [10**6 + index for index in range(count)],
            [digest[:16] for digest in digests],
            ["bafkrei" + "a" * 52] * count,
        )
        bench.note(f"mint {name} of its owner", call, bench.operator, per=count)


def refunds(bench: Bench) -> None:
    """A request and the refund, by a tree of one leaf that names no account."""
    call = bench.ledger.functions.requestRefund()
    bench.note("request a refund", call, bench.buyer)
    skip(bench.web3, DELAY)
    tree = bench.commit("commit after a pause", 25_678_901)
    call = bench.ledger.functions.refund(
        bench.buyer, word(25_678_901 * HOLDERS, bytes(20)), [tree.root]
    )
    bench.note("refund", call, bench.buyer)


def main() -> int:
    """Measure, print, and write the page when asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="docs/benchmarks-gas.md")
    options = parser.parse_args()
    with anvil() as web3:
        bench = Bench(web3)
        deposits(bench)
        settlements(bench)
        refunds(bench)
        certificates(bench)
        version = web3.client_version
    print(f"{version}, {HARDFORK}\n")
    print(table(bench.rows))
    if options.write:
        write(bench.rows, version, HARDFORK)
    return 0


if __name__ == "__main__":
    sys.exit(main())
