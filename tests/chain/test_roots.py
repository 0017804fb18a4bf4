"""Python and the contract compute equal roots: what one commits, the other pays."""

from __future__ import annotations

import random
from typing import Any

import pytest
from eth_abi import encode

from chain.anvil import Anvil, AnvilError
from chain.contracts import address_of
from chain.keys import role_address
from chain.models import Network
from colophon.digest import keccak256
from colophon.earnings import EarningsTree, word

pytestmark = [pytest.mark.chain, pytest.mark.django_db]

SEED = 20261123
ROUNDS = 24
LARGEST_TREE = 150
EARNED = 10**12


class Ledger:
    """The contract, called as its settler through an unlocked node."""

    def __init__(self, node: Anvil) -> None:
        self.node = node
        self.address = address_of("ColophonLedger")
        self.settler = role_address("settler")
        node.rpc("anvil_impersonateAccount", self.settler)
        node.rpc("anvil_setBalance", self.settler, hex(10**20))

    def call(self, signature: str, kinds: list[str], values: list[Any]) -> str:
        data = keccak256(signature.encode())[:4] + encode(kinds, values)
        asked = {"from": self.settler, "to": self.address, "data": "0x" + data.hex()}
        answer = self.node.rpc("eth_call", asked, "latest")
        assert isinstance(answer, str)
        return answer

    def send(self, signature: str, kinds: list[str], values: list[Any]) -> None:
        data = keccak256(signature.encode())[:4] + encode(kinds, values)
        asked = {"from": self.settler, "to": self.address, "data": "0x" + data.hex()}
        tx = self.node.rpc("eth_sendTransaction", asked)
        self.node.rpc("anvil_mine", 1)
        receipt: Any = self.node.rpc("eth_getTransactionReceipt", tx)
        assert receipt["status"] == "0x1"

    def epoch(self) -> int:
        return int(self.call("epoch()", [], []), 16)

    def commit(self, earnings: bytes, spend: bytes) -> None:
        self.node.rpc("evm_increaseTime", 60)
        self.send(
            "commit(uint32,uint64,bytes32,bytes32,bytes32,uint64,uint32)",
            ["uint32", "uint64", "bytes32", "bytes32", "bytes32", "uint64", "uint32"],
            [self.epoch(), 0, bytes(32), earnings, spend, EARNED, 1],
        )
        self.node.rpc("evm_increaseTime", 60)
        self.node.rpc("anvil_mine", 1)

    def pay(self, first: int, words: list[int], proof: list[bytes]) -> None:
        self.call(
            "pay(uint256,uint256[],bytes32[])",
            ["uint256", "uint256[]", "bytes32[]"],
            [first, words, proof],
        )


@pytest.fixture
def ledger(live: Network, node: Anvil) -> Ledger:
    """The ledger with a deposit that covers everything."""
    made = Ledger(node)
    token = address_of("Token")
    for to, signature, kinds, values in (
        (
            token,
            "mint(address,uint256)",
            ["address", "uint256"],
            [made.settler, EARNED],
        ),
        (
            token,
            "approve(address,uint256)",
            ["address", "uint256"],
            [made.address, EARNED],
        ),
        (
            made.address,
            "deposit(address,uint256,bytes32)",
            ["address", "uint256", "bytes32"],
            [made.settler, EARNED, bytes(32)],
        ),
    ):
        data = keccak256(signature.encode())[:4] + encode(kinds, values)
        node.rpc(
            "eth_sendTransaction",
            {"from": made.settler, "to": to, "data": "0x" + data.hex()},
        )
        node.rpc("anvil_mine", 1)
    return made


def test_every_aligned_batch_of_random_trees_is_paid_and_no_other(
    ledger: Ledger,
) -> None:
    chance = random.Random(SEED)
    for _ in range(ROUNDS):
        words = [
            word(chance.randrange(1, 10**6), chance.randbytes(20))
            if chance.random() < 0.9
            else 0
            for _ in range(chance.randrange(1, LARGEST_TREE))
        ]
        spend = chance.randbytes(32)
        tree = EarningsTree(words)
        ledger.commit(tree.root, spend)
        k = chance.randrange(0, min(tree.height, 6) + 1)
        first = chance.randrange(0, 1 << (tree.height - k)) << k
        part = tree.subtree_words(first, k)
        proof = [*tree.subtree_proof(first, k), spend]

        ledger.pay(first, part, proof)

        part[chance.randrange(len(part))] ^= 1 << chance.randrange(0, 224)
        with pytest.raises(AnvilError):
            ledger.pay(first, part, proof)
