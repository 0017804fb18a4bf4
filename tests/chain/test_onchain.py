"""A statement held against a real chain: a lying export is refused by its own line."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from eth_abi import encode

from chain.anvil import Anvil
from chain.keys import role_address
from colophon import cli, trust
from colophon.authority import Authorities
from colophon.client import Client, Rpc
from colophon.digest import keccak256
from colophon.earnings import word
from colophon.hops import Hops
from colophon.onchain import Told, ask_ledger
from colophon.statement_check import check_statement
from colophon.statement_file import load_statement
from colophon.trust import Chain, Trust
from tests.chain.test_roots import Ledger, ledger  # noqa: F401 - a fixture
from tests.colophon import ledgers
from tests.colophon.bundles import authorities, trust_of

pytestmark = [pytest.mark.chain, pytest.mark.django_db]

Json = dict[str, Any]
COMMIT = "commit(uint32,uint64,bytes32,bytes32,bytes32,uint64,uint32)"
KINDS = ["uint32", "uint64", "bytes32", "bytes32", "bytes32", "uint64", "uint32"]


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Authorities:
    return authorities(tmp_path_factory.mktemp("pki"))


@dataclass
class Settled:
    """A statement whose settlements and payment are on the chain."""

    node: Anvil
    contract: Ledger
    made: ledgers.Ledger
    trust: Trust
    said: Json

    def ask(self, said: Json, given: Trust | None = None, url: str = "") -> Hops:
        """What the chain says to a statement."""
        told = load_statement(json.dumps(said))
        settled = [part.settled for part in told.parts]
        hops = Hops()
        with Client() as client:
            ask_ledger(
                Rpc(client, url or self.node.url).call,
                given or self.trust,
                Told(settled, told.payouts, told.position),
                hops,
            )
        return hops


def sent(contract: Ledger, by: str, signature: str, kinds: Any, values: Any) -> str:
    """Hash of a mined call by an unlocked account."""
    node = contract.node
    node.rpc("anvil_impersonateAccount", by)
    node.rpc("anvil_setBalance", by, hex(10**20))
    data = keccak256(signature.encode())[:4] + encode(kinds, values)
    call = {"from": by, "to": contract.address, "data": "0x" + data.hex()}
    tx = str(node.rpc("eth_sendTransaction", call))
    node.rpc("anvil_mine", 1)
    receipt: Any = node.rpc("eth_getTransactionReceipt", tx)
    assert receipt["status"] == "0x1"
    return tx


def later(node: Anvil, seconds: int = 60) -> None:
    node.rpc("evm_increaseTime", seconds)
    node.rpc("anvil_mine", 1)


def committed(contract: Ledger, one: Json) -> str:
    roots = [bytes.fromhex(one[key]) for key in ("earnings_root", "spend_root")]
    earned, count = int(one["earned_units"]), one["count"]
    values = [one["epoch"], one["log_size"], bytes(32), *roots, earned, count]
    return sent(contract, contract.settler, COMMIT, KINDS, values)


@pytest.fixture
def settled(ledger: Ledger, node: Anvil, pki: Authorities) -> Settled:  # noqa: F811
    made = ledgers.ledger(pki)
    said = made.statement()
    for one in said["settlements"]:
        one["tx_hash"] = committed(ledger, one)
        later(node)
    last, (payout,) = said["settlements"][-1], said["payouts"]
    leaf = last["leaf"]
    account = bytes.fromhex(leaf["account"][2:])
    proof = [bytes.fromhex(node) for node in [*leaf["proof"], last["spend_root"]]]
    value = word(int(leaf["cumulative_units"]), account)
    payout["tx_hash"] = sent(
        ledger,
        ledger.settler,
        "pay(uint256,uint256[],bytes32[])",
        ["uint256", "uint256[]", "bytes32[]"],
        [leaf["position"], [value], proof],
    )
    code = bytes.fromhex(str(node.rpc("eth_getCode", ledger.address, "latest"))[2:])
    chain = Chain(
        chain_id=int(str(node.rpc("eth_chainId")), 16),
        ledger=ledger.address.lower(),
        code_hash=keccak256(code),
        public=False,
        name="anvil",
    )
    known = trust_of(pki)  # its chain has the story's anchors, and no contract here
    trusted = replace(known, chains=(*known.chains, chain))
    return Settled(node, ledger, made, trusted, said)


def test_roots_and_payments_that_are_on_the_chain_pass(settled: Settled) -> None:
    hops = settled.ask(settled.said)
    assert [hop.words for hop in hops.wrong] == []
    assert hops.exit_code == 0
    words = [hop.words for hop in hops.found]
    assert "settlement 1" in words[0]
    assert "settlement 2" in words[1]
    assert "payment" in words[2]


def _root(said: Json) -> None:
    said["settlements"][0]["earnings_root"] = "ab" * 32


def _spend(said: Json) -> None:
    said["settlements"][1]["spend_root"] = "ab" * 32


def _earned(said: Json) -> None:
    said["settlements"][0]["earned_units"] = "1"


def _size(said: Json) -> None:
    said["settlements"][0]["log_size"] += 1


def _count(said: Json) -> None:
    said["settlements"][0]["count"] += 1


def _never(said: Json) -> None:
    """A settlement that nobody committed, under the transaction of another."""
    said["settlements"].insert(0, {**said["settlements"][1], "epoch": 9})


def _vetoed(said: Json) -> None:
    said["settlements"][1]["state"] = "vetoed"


def _amount(said: Json) -> None:
    said["payouts"][0]["units"] = str(int(said["payouts"][0]["units"]) + 1)


def _account(said: Json) -> None:
    said["payouts"][0]["account"] = "0x" + "ee" * 20


def _unpaid(said: Json) -> None:
    said["payouts"][0]["tx_hash"] = "0x" + "ee" * 32


def _twice(said: Json) -> None:
    said["payouts"].append(dict(said["payouts"][0]))


def _somebody(said: Json) -> None:
    said["holder"]["position"] = 2


@pytest.mark.parametrize(
    ("lie", "words"),
    [
        (_root, "settlement 1 is another one"),
        (_spend, "settlement 2 is another one"),
        (_earned, "settlement 1 is another one"),
        (_size, "settlement 1 is another one"),
        (_count, "settlement 1 is another one"),
        (_never, "no commit of settlement 9"),
        (_vetoed, "was not vetoed"),
        (_amount, "no payment of"),
        (_account, "no payment of"),
        (_unpaid, "no payment of"),
        (_twice, "no payment of"),
        (_somebody, "no payment of"),
    ],
)
def test_a_lying_export_is_refused(
    settled: Settled, lie: Callable[[Json], None], words: str
) -> None:
    said = copy.deepcopy(settled.said)
    lie(said)
    hops = settled.ask(said)
    assert hops.exit_code == 1
    assert words in hops.wrong[0].words


def test_a_settlement_that_was_vetoed_is_not_matured(settled: Settled) -> None:
    said, contract = settled.said, settled.contract
    third = {**copy.deepcopy(said["settlements"][1]), "epoch": 3, "state": "matured"}
    third["tx_hash"] = committed(contract, third)
    said["settlements"].append(third)
    assert settled.ask(said).exit_code == 0
    sent(contract, role_address("guardian"), "veto(uint32)", ["uint32"], [3])
    hops = settled.ask(said)
    assert hops.exit_code == 1
    assert "Settlement 3 was vetoed" in hops.wrong[0].words
    third["state"] = "vetoed"
    assert settled.ask(said).exit_code == 0


def test_a_payment_that_is_left_out_is_told_and_no_lie(settled: Settled) -> None:
    said = {**settled.said, "payouts": []}
    hops = settled.ask(said)
    assert hops.exit_code == 0
    assert "this file does not list" in hops.found[-1].words


def test_the_wrong_chain_the_wrong_code_and_nobody(settled: Settled) -> None:
    chain = settled.trust.chains[-1]
    elsewhere = replace(settled.trust, chains=(replace(chain, chain_id=1),))
    hops = settled.ask(settled.said, elsewhere)
    assert (hops.exit_code, hops.wrong) == (11, [])
    assert "trust file names 1" in hops.found[0].words
    other = replace(settled.trust, chains=(replace(chain, code_hash=bytes(32)),))
    assert settled.ask(settled.said, other).exit_code == 1
    closed = settled.ask(settled.said, url="http://127.0.0.1:9")
    assert (closed.exit_code, closed.wrong) == (11, [])


@pytest.fixture
def desk(
    settled: Settled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., int]:
    """The command line with this trust file and this node."""
    monkeypatch.setenv("COLOPHON_HOME", str(tmp_path / "home"))
    trust.save(settled.trust, tmp_path / "trust.json")

    def call(command: list[str], said: Json, url: str = "") -> int:
        file = tmp_path / "said.json"
        file.write_text(json.dumps(said), encoding="utf-8")
        usual = ["--trust", tmp_path / "trust.json", "--rpc", url or settled.node.url]
        return cli.main([str(one) for one in [*command, file, *usual]])

    return call


def test_statement_check_asks_the_chain(
    settled: Settled, desk: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    check = ["statement", "check"]
    assert desk(check, settled.said) == 0
    assert "The chain has the roots of settlement 2" in capsys.readouterr().out
    assert desk(check, settled.said, "http://127.0.0.1:9") == 11
    # Consistent in itself, and signed: only the chain knows better.
    unpaid = copy.deepcopy(settled.said)
    _unpaid(unpaid)
    told = load_statement(json.dumps(unpaid))
    assert check_statement(told, settled.trust).exit_code == 0
    assert desk(check, unpaid) == 1


@pytest.mark.parametrize("tx_hash", ["", "0x" + "ee" * 32, None])
def test_the_roots_count_whoever_sent_them(
    settled: Settled, tx_hash: str | None
) -> None:
    first, second = settled.said["settlements"]
    first["tx_hash"] = second["tx_hash"] if tx_hash is None else tx_hash
    assert settled.ask(settled.said).exit_code == 0


def test_trace_asks_the_chain(settled: Settled, desk: Callable[..., int]) -> None:
    told = settled.made.trace()
    told["settlement"]["tx_hash"] = settled.said["settlements"][-1]["tx_hash"]
    told["payout"]["tx_hash"] = settled.said["payouts"][0]["tx_hash"]
    assert desk(["trace"], told) == 0
    told["payout"]["tx_hash"] = told["settlement"]["tx_hash"]
    assert desk(["trace"], told) == 1
