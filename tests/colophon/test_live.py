"""Asking the world: a real chain by JSON-RPC, and the site's newest standing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pytest

from chain.anvil import Anvil, free_port
from colophon import blockjson, live
from colophon.authority import Authorities
from colophon.checks import Code, Result
from colophon.client import Client, Rpc
from colophon.digest import keccak256
from colophon.errors import CouldNotCheck, InputError
from colophon.evidence import Bundle, ChainProof
from colophon.receipt import ANCHORED, build_receipt_proof
from colophon.report import LiveItem, Outcome, Report
from colophon.trust import Chain, Trust
from colophon.verify import verify, with_live
from tests.colophon.bundles import (
    CHAIN_ID,
    CREDENTIAL,
    FILE,
    Story,
    at,
    authorities,
    trust_of,
)
from tests.colophon.sites import Site, site

# The smallest ledger: log Anchored(size, root) from calldata root ‖ size.
RUNTIME = (
    bytes.fromhex("602060006000376020357f") + ANCHORED + bytes.fromhex("60206000a200")
)
INIT = bytes.fromhex(f"60{len(RUNTIME):02x}600c60003960{len(RUNTIME):02x}6000f3")


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Authorities:
    return authorities(tmp_path_factory.mktemp("pki"))


@dataclass
class OnChain:
    """A bundle whose anchor is in a block of a running chain."""

    node: Anvil
    bundle: Bundle
    trust: Trust
    before: str

    def ask(self, url: str = "") -> LiveItem:
        with Client() as client:
            rpc = Rpc(client, url or self.node.url)
            (item,) = live.ask_chain(rpc, self.bundle, self.trust)
            return item


def send(node: Anvil, **fields: str) -> dict[str, Any]:
    (sender, *_) = node.rpc("eth_accounts")
    tx = node.rpc("eth_sendTransaction", {"from": sender, **fields})
    for _ in range(1200):
        found: dict[str, Any] | None = node.rpc("eth_getTransactionReceipt", tx)
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("the transaction was not mined in a minute")


@pytest.fixture
def on_chain(pki: Authorities) -> Iterator[OnChain]:
    with Anvil.start() as node:
        ledger = send(node, data="0x" + (INIT + RUNTIME).hex())["contractAddress"]
        before = node.rpc("evm_snapshot")

        def anchor(size: int, root: bytes, _moment: datetime) -> ChainProof:
            data = root + size.to_bytes(32, "big")
            receipt = send(node, to=ledger, data="0x" + data.hex())
            block = node.rpc("eth_getBlockByHash", receipt["blockHash"], False)
            encoded = blockjson.receipt_from_rpc(receipt)
            _, nodes = build_receipt_proof([encoded], 0)
            header = blockjson.header_from_rpc(block)
            return ChainProof(CHAIN_ID, ledger, header, tuple(nodes), 0)

        chain = Chain(CHAIN_ID, ledger, keccak256(RUNTIME), public=False, name="anvil")
        trust = replace(trust_of(pki), chains=(chain,))
        bundle = Story(pki, anchor_with=anchor, trust=trust).tell()
        yield OnChain(node, bundle, trust, before)


@pytest.mark.chain
def test_a_real_anchor_is_found_on_its_chain(on_chain: OnChain) -> None:
    report = verify(FILE, CREDENTIAL, on_chain.bundle, on_chain.trust, as_of=at(60))
    assert report.check(10).result is Result.PASSED
    item = on_chain.ask()
    assert (item.result, item.code) == (Result.PASSED, Code.NONE)
    assert "is on anvil, 0 blocks deep" in item.words
    assert with_live(report, [item]).exit_code == 0


@pytest.mark.chain
def test_a_block_that_left_the_chain_is_found(on_chain: OnChain) -> None:
    on_chain.node.rpc("evm_revert", on_chain.before)
    on_chain.node.rpc("anvil_mine", "0x5")
    item = on_chain.ask()
    assert (item.result, item.code) == (Result.FAILED, Code.MISMATCH)
    report = verify(FILE, CREDENTIAL, on_chain.bundle, on_chain.trust, as_of=at(60))
    assert report.outcome is Outcome.GENUINE
    assert with_live(report, [item]).exit_code == 1


@pytest.mark.chain
def test_another_contract_at_the_address_is_found(on_chain: OnChain) -> None:
    address = on_chain.trust.chains[0].ledger
    on_chain.node.rpc("anvil_setCode", address, "0x00")
    item = on_chain.ask()
    assert (item.result, item.code) == (Result.FAILED, Code.MISMATCH)
    assert "not the one that you trust" in item.words


@pytest.mark.chain
def test_a_node_of_another_chain_says_nothing(on_chain: OnChain) -> None:
    with Anvil.start(chain_id=99) as other:
        item = on_chain.ask(other.url)
    assert (item.result, item.code) == (Result.NOT_CHECKED, Code.UNREADABLE)
    assert "chain 99" in item.words


@pytest.mark.chain
def test_an_unreachable_node_is_could_not_check(on_chain: OnChain) -> None:
    item = on_chain.ask(f"http://127.0.0.1:{free_port()}")
    assert (item.result, item.code) == (Result.NOT_CHECKED, Code.UNREADABLE)
    report = verify(FILE, CREDENTIAL, on_chain.bundle, on_chain.trust, as_of=at(60))
    assert with_live(report, [item]).exit_code == 11


# --- the site


@pytest.fixture
def shop() -> Iterator[Site]:
    with site() as found:
        yield found


def ask_site(shop: Site, pki: Authorities, bundle: Bundle) -> tuple[Report, LiveItem]:
    trust = replace(trust_of(pki), site=shop.url)
    report = verify(FILE, CREDENTIAL, bundle, trust, as_of=at(60))
    with Client() as client:
        (item,) = live.ask_site(client, bundle, trust, now=at(60))
    return report, item


def page(shop: Site, bundle: Bundle) -> None:
    path = f"/api/v1/evidence?sha256={FILE.sha256.hex()}"
    shop.pages[path] = bundle.to_bytes()


def test_the_newest_standing_is_asked_for(shop: Site, pki: Authorities) -> None:
    bundle = Story(pki).tell()
    page(shop, bundle)
    _, item = ask_site(shop, pki, bundle)
    assert item.result is Result.PASSED
    assert "active" in item.words


def test_a_suspension_at_the_site_is_said(shop: Site, pki: Authorities) -> None:
    page(shop, Story(pki, stated="suspended").tell())
    report, item = ask_site(shop, pki, Story(pki).tell())
    assert (item.result, item.code) == (Result.FAILED, Code.OBJECTION)
    assert "suspended today" in item.words
    assert with_live(report, [item]).exit_code == 0


def test_a_site_that_forgot_the_work_is_said(shop: Site, pki: Authorities) -> None:
    _, item = ask_site(shop, pki, Story(pki).tell())
    assert (item.result, item.code) == (Result.FAILED, Code.OBJECTION)


def test_a_site_that_answers_nonsense_is_could_not_check(
    shop: Site, pki: Authorities
) -> None:
    shop.pages[f"/api/v1/evidence?sha256={FILE.sha256.hex()}"] = b"hello"
    _, item = ask_site(shop, pki, Story(pki).tell())
    assert (item.result, item.code) == (Result.NOT_CHECKED, Code.UNREADABLE)


def test_a_forged_answer_is_not_believed(shop: Site, pki: Authorities) -> None:
    """Whoever answers for the site still needs the platform's keys."""
    bundle = Story(pki).tell()
    seal = bundle.of("seal")[0]
    page(shop, replace(bundle, records=(replace(seal, salt=bytes(32)),)))
    _, item = ask_site(shop, pki, bundle)
    assert (item.result, item.code) == (Result.NOT_CHECKED, Code.UNREADABLE)


# --- the client's limits


def test_redirects_are_not_followed(shop: Site) -> None:
    shop.pages["/a"] = b""
    shop.status["/a"] = 302
    with Client() as client, pytest.raises(CouldNotCheck, match="answered 302"):
        client.get(f"{shop.url}/a", limit=10, what="evidence")
    assert shop.asked == ["/a"]


def test_a_large_answer_is_cut_off(shop: Site) -> None:
    shop.pages["/a"] = bytes(1001)
    with Client() as client:
        with pytest.raises(CouldNotCheck, match="over 1000 bytes"):
            client.get(f"{shop.url}/a", limit=1000, what="evidence")
        assert client.get(f"{shop.url}/a", limit=1001, what="evidence") is not None


@pytest.mark.parametrize("url", ["ftp://x", "file:///etc/passwd", "x"])
def test_only_http_is_spoken(url: str) -> None:
    with Client() as client, pytest.raises(InputError) as caught:
        client.get(url, limit=1, what="evidence")
    assert caught.value.field == "url"
