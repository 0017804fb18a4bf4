"""Reading: money from a wallet through a settlement to a holder, and back in words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data

from chain import read
from chain.errors import ArgsError, NotDeployedError, RpcDownError
from chain.models import Event
from colophon.earnings import EarningsTree, word
from colophon.errors import SignatureError
from tests.chain.actor import Actor, fresh_address
from tests.chain.proxy import Proxy

pytestmark = [pytest.mark.chain, pytest.mark.django_db]

# PUSH32 magic ‖ 28 zeros, PUSH0, MSTORE, PUSH1 32, PUSH0, RETURN
SAYS_YES = "0x7f" + "1626ba7e" + "00" * 28 + "5f5260205ff3"
SAYS_NO = "0x5f5f5260205ff3"
REVERTS = "0x5f5ffd"


def typed(account: str, units: int, ref: bytes) -> dict[str, Any]:
    fields = "from:address to:address value:uint256 validAfter:uint256 "
    fields += "validBefore:uint256 nonce:bytes32"
    domain = "name:string version:string chainId:uint256 verifyingContract:address"
    return {
        "types": {
            "EIP712Domain": _fields(domain),
            "ReceiveWithAuthorization": _fields(fields),
        },
        "primaryType": "ReceiveWithAuthorization",
        "domain": read.token_domain(),
        "message": {
            "from": account,
            "to": read.address_of("ColophonLedger"),
            "value": str(units),
            "validAfter": "0",
            "validBefore": str(2**40),
            "nonce": "0x" + ref.hex(),
        },
    }


def _fields(text: str) -> list[dict[str, str]]:
    pairs = [part.split(":") for part in text.split()]
    return [{"name": name, "type": kind} for name, kind in pairs]


def deposit(act: Actor, wallet: Any, units: int, ref: bytes) -> Any:
    data = typed(wallet.address, units, ref)
    signed = wallet.sign_message(encode_typed_data(full_message=data))
    signature = signed.signature.to_0x_hex()
    assert read.signer_of_typed_data(data, signature) == wallet.address
    intent = act.want(
        "deposit",
        account=wallet.address,
        amount=units,
        ref=ref,
        validAfter=0,
        validBefore=2**40,
        v=signed.v,
        r=signed.r.to_bytes(32, "big"),
        s=signed.s.to_bytes(32, "big"),
    )
    act.send(intent)
    act.finish(intent)
    assert intent.state == "final", intent.error
    return intent


def test_money_goes_from_a_wallet_to_a_holder(act: Actor) -> None:
    wallet = Account.create()
    fund = act.send(act.want("fund", to=wallet.address, amount=50))
    act.finish(fund)
    assert read.balance_of(wallet.address) == 50
    assert read.account_of(wallet.address) is None
    ref = b"\7" * 32
    assert not read.authorization_used(wallet.address, ref)
    deposit(act, wallet, 40, ref)
    assert read.authorization_used(wallet.address, ref)
    state = read.account_of(wallet.address.lower())
    assert state is not None
    assert (state.index, state.deposited_units, state.frozen_at) == (0, 40, None)
    assert read.account_indexes([wallet.address]) == {wallet.address.lower(): 0}
    act.follow()
    event = Event.objects.get(name="Deposited")
    assert event.args["ref"] == "0x" + ref.hex()
    assert read.account_indexes([wallet.address, fresh_address()]) == {
        wallet.address.lower(): 0
    }

    holders = [fresh_address(), fresh_address()]
    earnings = EarningsTree(
        [
            word(units, bytes.fromhex(h[2:]))
            for h, units in zip(holders, (25, 5), strict=True)
        ]
    )
    spend = EarningsTree([word(30, bytes.fromhex(wallet.address[2:]))])
    assert read.epoch() == 1
    commit = act.want(
        "commit",
        epoch=1,
        size=0,
        logRoot=b"\0" * 32,
        earningsRoot=earnings.root,
        spendRoot=spend.root,
        earned=30,
        count=1,
    )
    act.send(commit)
    act.finish(commit)
    assert (commit.state, read.epoch()) == ("final", 2)
    ripe = read.matures_at()
    assert ripe is not None
    act.node.rpc("evm_setNextBlockTimestamp", int(ripe.timestamp()) + 1)
    act.mine()
    assert read.chain_time() > ripe
    pay = act.want(
        "pay",
        firstIndex=0,
        words=earnings.subtree_words(0, 1),
        proof=[*earnings.subtree_proof(0, 1), spend.root],
    )
    act.send(pay)
    act.finish(pay)
    assert pay.state == "final", pay.error
    assert read.claimed([0, 1, 2]) == {0: 25, 1: 5, 2: 0}
    assert [read.balance_of(holder) for holder in holders] == [25, 5]
    assert read.totals() == {
        "deposited": 40,
        "refunded": 0,
        "earned_active": 0,
        "earned_pending": 30,
        "paid": 30,
    }
    assert read.redirects([0, 1]) == {}
    assert read.redirect_nonces([0]) == {0: 0}
    assert read.roots()[1] != b"\0" * 32


def test_facts_need_no_node(act: Actor, proxy: Proxy) -> None:
    proxy.status = 503
    facts = read.facts()
    assert facts is not None
    assert (facts.chain_id, facts.public, facts.halted_reason) == (31337, False, "")
    assert set(facts.code_hashes) == {"ColophonLedger", "ColophonAsset", "Token"}
    with pytest.raises(RpcDownError):
        read.size()


@pytest.mark.django_db
def test_before_deployment_there_is_nothing_to_read(chain_settings: Any) -> None:
    assert read.facts() is None
    with pytest.raises(NotDeployedError, match="deploy_contracts"):
        read.epoch()


def test_block_times_are_aware(act: Actor) -> None:
    assert read.block_time(0).tzinfo is UTC
    assert abs((read.chain_time() - datetime.now(UTC)).total_seconds()) < 3600
    assert (read.size(), read.paused(), read.matures_at()) == (0, False, None)


def test_a_certificate_has_its_owner(act: Actor) -> None:
    digest = b"\5" * 32
    owner = read.checksum(fresh_address())
    assert read.owner_of_certificate(digest) is None
    intent = act.want(
        "mint",
        to=[owner],
        contentDigests=[digest],
        logIndexes=[0],
        assetIds=[b"\6" * 16],
        assetCids=["x"],
    )
    act.send(intent)
    act.finish(intent)
    assert read.owner_of_certificate(digest) == owner


@pytest.mark.parametrize(
    ("code", "valid"), [(SAYS_YES, True), (SAYS_NO, False), (REVERTS, False)]
)
def test_a_contract_wallet_decides_on_its_signature(
    act: Actor, code: str, valid: bool
) -> None:
    wallet = fresh_address()
    assert not read.is_valid_signature(wallet, b"\1" * 32, b"sig")
    act.node.rpc("anvil_setCode", wallet, code)
    assert read.is_contract(wallet)
    assert read.is_valid_signature(wallet, b"\1" * 32, b"sig") is valid


def test_a_bad_signature_is_told(live: Any) -> None:
    data = typed(fresh_address(), 1, b"\1" * 32)
    for bad in ("0x12", "nothex", b"\0" * 65, "0x" + "ff" * 65):
        with pytest.raises(SignatureError):
            read.signer_of_typed_data(data, bad)
    with pytest.raises(ArgsError):
        read.balance_of("0x12")
