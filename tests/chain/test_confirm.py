"""Following: drops, stuck fees, replacements, reorganizations, reverts."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from chain import confirm, faults, intervene
from chain.errors import IntentStateError, RpcDownError
from chain.gateway import connect
from chain.keys import Transaction, role_address, signer_for
from chain.models import Attempt, Intent
from tests.chain.actor import Actor, Crash, crash, fresh_address
from tests.chain.proxy import Proxy

pytestmark = [pytest.mark.chain, pytest.mark.django_db]

HIGH_BASE_FEE = hex(200 * 10**9)


def drop(act: Actor, intent: Intent) -> None:
    act.node.rpc("anvil_dropTransaction", intent.newest_attempt().tx_hash)


def test_nothing_is_final_before_its_confirmations(act: Actor) -> None:
    intent = act.send(act.want())
    act.finish(intent, blocks=1)
    assert intent.state == "mined"
    assert intent.mined_at is not None
    assert act.then_jobs(intent) == []
    act.finish(intent, blocks=1)
    act.assert_once(intent)


def test_confirming_twice_changes_nothing(act: Actor) -> None:
    intent = act.send(act.want())
    act.finish(intent)
    before = Intent.objects.values().get(pk=intent.pk)
    assert confirm.confirm() == 0
    assert Intent.objects.values().get(pk=intent.pk) == before


def test_a_crash_before_finality_is_made_good(act: Actor) -> None:
    intent = act.send(act.want())
    act.wait(intent)
    act.mine(2)
    faults.hook("before_final", crash)
    with pytest.raises(Crash):
        confirm.confirm()
    faults.hook("before_final", None)
    act.confirm(intent)
    act.assert_once(intent)


def test_a_slower_confirmer_changes_nothing_after_the_end(act: Actor) -> None:
    intent = act.send(act.want())
    act.wait(intent)
    act.mine(2)
    ended: list[Any] = []

    def quicker() -> None:
        faults.hook("before_final", None)
        confirm.confirm()
        ended.append(Intent.objects.get(pk=intent.pk).final_at)

    faults.hook("before_final", quicker)
    act.confirm(intent)
    act.assert_once(intent)
    assert ended == [intent.final_at]


# --------------------------------------------------------------- dropped and stuck


def test_a_dropped_transaction_is_sent_again_with_the_same_bytes(act: Actor) -> None:
    act.hold_blocks()
    intent = act.send(act.want())
    drop(act, intent)
    act.confirm(intent)
    assert intent.state == "broadcast"
    act.mine(3)
    act.confirm(intent)
    act.assert_once(intent)
    assert intent.attempts.count() == 1


def test_a_transaction_behind_a_dropped_one_follows_it(act: Actor) -> None:
    act.hold_blocks()
    first, second = act.send(act.want()), act.send(act.want())
    drop(act, first)
    act.node.rpc("anvil_dropTransaction", second.newest_attempt().tx_hash)
    act.confirm(first, second)
    act.mine(3)
    act.confirm(first, second)
    for intent in (first, second):
        act.assert_once(intent)
        assert intent.attempts.count() == 1


def test_a_stuck_transaction_is_replaced_for_an_eighth_more(
    act: Actor, settings: Any
) -> None:
    act.hold_blocks()
    intent = act.send(act.want())
    settings.CHAIN_STUCK_SECONDS = 0
    act.confirm(intent)
    settings.CHAIN_STUCK_SECONDS = 3600
    assert intent.state == "replaced"
    old, new = intent.attempts.order_by("id")
    assert new.nonce == old.nonce
    assert new.max_fee_wei * 8 >= old.max_fee_wei * 9
    assert new.priority_fee_wei * 8 >= old.priority_fee_wei * 9
    act.mine(3)
    act.confirm(intent)
    act.assert_once(intent)
    assert intent.tx_hash == new.tx_hash


def test_a_receipt_of_the_replaced_transaction_settles_too(
    act: Actor, settings: Any
) -> None:
    act.hold_blocks()
    intent = act.send(act.want())
    settings.CHAIN_STUCK_SECONDS = 0
    act.confirm(intent)
    settings.CHAIN_STUCK_SECONDS = 3600
    old, new = intent.attempts.order_by("id")
    act.node.rpc("anvil_dropTransaction", new.tx_hash)
    connect().send_raw(bytes(old.raw))
    act.mine(3)
    act.confirm(intent)
    act.assert_once(intent)
    assert intent.tx_hash == old.tx_hash


def test_a_crash_after_a_replacement_was_stored_has_one_effect(
    act: Actor, settings: Any
) -> None:
    act.hold_blocks()
    intent = act.send(act.want())
    settings.CHAIN_STUCK_SECONDS = 0
    faults.hook("after_replace", crash)
    with pytest.raises(Crash):
        confirm.confirm()
    faults.hook("after_replace", None)
    settings.CHAIN_STUCK_SECONDS = 3600
    act.mine(3)
    act.confirm(intent)
    act.assert_once(intent)


@pytest.mark.django_db(transaction=True)
def test_two_confirmers_store_one_replacement(act: Actor, settings: Any) -> None:
    act.hold_blocks()
    intent = act.send(act.want())
    Attempt.objects.update(sent_at=timezone.now() - timedelta(hours=2))
    start = threading.Barrier(2)

    def work() -> None:
        try:
            start.wait(10)
            confirm.confirm()
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert intent.attempts.count() == 2
    act.mine(3)
    act.confirm(intent)
    act.assert_once(intent)


def test_only_the_first_in_line_is_replaced(act: Actor, settings: Any) -> None:
    act.hold_blocks()
    first, second = act.send(act.want()), act.send(act.want())
    settings.CHAIN_STUCK_SECONDS = 0
    act.confirm(first, second)
    assert (first.attempts.count(), second.attempts.count()) == (2, 1)


def test_a_base_fee_spike_is_followed_by_a_dearer_transaction(act: Actor) -> None:
    act.hold_blocks()
    intent = act.send(act.want())
    act.node.rpc("anvil_setNextBlockBaseFeePerGas", HIGH_BASE_FEE)
    act.mine()
    act.confirm(intent)
    assert intent.attempts.count() == 2
    assert intent.newest_attempt().max_fee_wei > int(HIGH_BASE_FEE, 16)
    act.mine(3)
    act.confirm(intent)
    act.assert_once(intent)


def test_the_fee_cap_is_kept_and_waited_out(act: Actor, settings: Any) -> None:
    act.hold_blocks()
    intent = act.send(act.want())
    settings.CHAIN_MAX_FEE_GWEI = 100.0
    act.node.rpc("anvil_setNextBlockBaseFeePerGas", HIGH_BASE_FEE)
    act.mine()
    act.confirm(intent)
    assert "above the cap" in intent.error
    assert intent.attempts.count() == 1
    settings.CHAIN_MAX_FEE_GWEI = 1000.0
    act.confirm(intent)
    act.mine(3)
    act.confirm(intent)
    act.assert_once(intent)


# ------------------------------------------------------------------- reorganizations


@pytest.mark.parametrize("depth", [1, 2])
def test_a_reorganized_transaction_is_sent_again(act: Actor, depth: int) -> None:
    intent = act.send(act.want())
    act.finish(intent, blocks=depth - 1)
    assert intent.state == "mined"
    act.hold_blocks()
    act.node.rpc("anvil_reorg", depth, [])
    act.confirm(intent)
    assert intent.state == "broadcast"
    assert "left block" in Intent.objects.get(pk=intent.pk).error
    act.mine(3)
    act.confirm(intent)
    act.assert_once(intent)
    assert intent.attempts.count() == 1


def test_a_deep_reorganization_before_finality_is_made_good(
    act: Actor, settings: Any
) -> None:
    settings.CHAIN_CONFIRMATIONS = 12
    intent = act.send(act.want())
    act.finish(intent, blocks=9)
    assert intent.state == "mined"
    act.hold_blocks()
    act.node.rpc("anvil_reorg", 10, [])
    act.confirm(intent)
    assert intent.state == "broadcast"
    act.mine(13)
    act.confirm(intent)
    act.assert_once(intent)


def test_the_chain_itself_says_what_is_safe_and_final(
    act: Actor, settings: Any
) -> None:
    settings.CHAIN_FINALITY_TAG = "finalized"
    intent = act.send(act.want())
    act.finish(intent, blocks=10)
    assert intent.state == "mined"
    act.node.rpc("anvil_mine", hex(30))  # anvil's safe is 32 blocks behind
    act.confirm(intent)
    assert intent.state == "confirmed"
    assert act.then_jobs(intent) == []
    act.node.rpc("anvil_mine", hex(40))
    act.confirm(intent)
    act.assert_once(intent)


def test_a_transaction_in_another_block_is_followed_there(act: Actor) -> None:
    intent = act.send(act.want())
    act.finish(intent, blocks=0)
    first_block = intent.block_hash
    raw = "0x" + bytes(intent.newest_attempt().raw).hex()
    act.node.rpc("anvil_reorg", 1, [[raw, 0]])
    act.confirm(intent)
    assert intent.state == "mined"
    assert intent.block_hash != first_block
    act.finish(intent)
    act.assert_once(intent)


def test_a_reorganization_of_many_keeps_order_and_effects(act: Actor) -> None:
    act.hold_blocks()
    intents = [act.send(act.want()) for _ in range(4)]
    act.finish_by_hand(*intents, blocks=2)
    assert {intent.state for intent in intents} == {"mined"}
    act.node.rpc("anvil_reorg", 2, [])
    act.confirm(*intents)
    act.finish_by_hand(*intents, blocks=3)
    for intent in intents:
        act.assert_once(intent)
    assert Attempt.objects.count() == 4


# ------------------------------------------------------- reverts and given-up nonces


def certificate(act: Actor, key: str, digest: int) -> Intent:
    return act.want(
        "mint",
        key,
        to=[fresh_address()],
        contentDigests=[digest.to_bytes(32, "big")],
        logIndexes=[1],
        assetIds=[b"\x22" * 16],
        assetCids=["bafkrei"],
    )


def test_a_transaction_that_reverts_is_not_sent_again(act: Actor) -> None:
    act.hold_blocks()
    first = act.send(certificate(act, "one", 77))
    second = act.send(certificate(act, "two", 77))
    act.mine()
    act.confirm(first, second)
    assert (second.state, second.succeeded) == ("mined", False)
    assert act.then_jobs(second) == []
    act.mine(2)
    act.confirm(first, second)
    assert (first.state, second.state) == ("final", "reverted")
    assert act.then_jobs(second)[0]["failed"] is True
    assert second.attempts.count() == 1


def test_running_out_of_gas_is_told(act: Actor, proxy: Proxy) -> None:
    proxy.rewrites["eth_estimateGas"] = lambda *_: hex(24_000)
    intent = act.send(act.want())
    act.finish(intent)
    assert intent.state == "reverted"
    assert "out of gas" in intent.error
    assert act.effect(intent) == 0


def test_a_canceled_intent_frees_its_nonce(act: Actor) -> None:
    act.hold_blocks()
    first, second = act.send(act.want()), act.send(act.want())
    intervene.cancel(first.key, by="test")
    act.confirm(first, second)
    act.mine(3)
    act.confirm(first, second)
    assert first.state == "canceled"
    assert act.effect(first) == 0
    assert act.then_jobs(first)[0]["failed"] is True
    act.assert_once(second)


def test_a_cancel_that_came_too_late_changes_nothing(act: Actor) -> None:
    act.hold_blocks()
    intent = act.send(act.want())
    intervene.cancel(intent.key, by="test")
    act.mine(3)
    act.confirm(intent)
    act.assert_once(intent)
    with pytest.raises(IntentStateError, match="too late"):
        intervene.cancel(intent.key, by="test")


def test_a_queued_intent_is_canceled_at_once(act: Actor) -> None:
    intent = act.want()
    intervene.cancel(intent.key, by="test")
    act.send(intent)
    assert intent.state == "canceled"
    assert not Attempt.objects.exists()


def test_bytes_no_node_takes_do_not_block_later_nonces(
    act: Actor, proxy: Proxy
) -> None:
    proxy.refuses["eth_sendRawTransaction"] = "intrinsic gas too low"
    poison = act.send(act.want())
    for _ in range(4):
        act.confirm(poison)
    assert poison.abandon == "needs_human"
    proxy.refuses.clear()
    second = act.send(act.want())
    act.confirm(poison, second)
    act.finish(poison, second)
    assert poison.state == "needs_human"
    assert act.effect(poison) == 0
    act.assert_once(second)
    intervene.requeue(poison.key, by="test")
    act.send(poison)
    act.finish(poison)
    act.assert_once(poison)


def test_a_foreign_use_of_the_key_needs_a_human(act: Actor) -> None:
    intent = act.want()
    faults.hook("after_sign", crash)
    with pytest.raises(Crash):
        act.send(intent)
    faults.hook("after_sign", None)
    signer = signer_for("relayer")
    foreign = Transaction(
        chain_id=31337,
        nonce=0,
        to=signer.address,
        data=b"",
        gas_limit=21_000,
        max_fee_wei=10**11,
        priority_fee_wei=10**9,
    )
    connect().send_raw(signer.sign(foreign).raw)
    act.mine(1)
    act.confirm(intent)
    assert intent.state == "signed"  # the nonce is used, but not for good
    act.mine(2)
    act.confirm(intent)
    assert intent.state == "needs_human"
    assert "somebody else has the key" in intent.error
    assert act.effect(intent) == 0
    intervene.requeue(intent.key, by="test")
    act.send(intent)
    act.finish(intent)
    act.assert_once(intent)
    assert intent.nonce == 1


# ------------------------------------------------------------------------ lying nodes


def test_a_receipt_of_a_block_that_is_not_there_is_not_believed(
    act: Actor, proxy: Proxy
) -> None:
    act.hold_blocks()
    intent = act.send(act.want())
    tx_hash = intent.newest_attempt().tx_hash

    def fake(result: Any, params: list[Any]) -> Any:
        return result or {
            "transactionHash": tx_hash,
            "blockNumber": "0x1",
            "blockHash": "0x" + "99" * 32,
            "transactionIndex": "0x0",
            "status": "0x1",
            "gasUsed": "0x5208",
        }

    proxy.rewrites["eth_getTransactionReceipt"] = fake
    act.mine(0)
    act.confirm(intent)
    assert intent.state == "broadcast"
    proxy.rewrites.clear()
    act.mine(3)
    act.confirm(intent)
    act.assert_once(intent)


def test_one_node_alone_makes_nothing_final_where_two_are_set(
    act: Actor, proxy: Proxy, settings: Any
) -> None:
    intent = act.send(act.want())
    act.wait(intent)
    act.mine(2)
    settings.CHAIN_RPC_URLS = [act.node.url, proxy.url]
    proxy.rewrites["eth_getTransactionReceipt"] = lambda *_: None
    act.confirm(intent)
    assert intent.state == "broadcast"
    assert "nodes have" in intent.error
    proxy.rewrites.clear()
    act.confirm(intent)
    act.assert_once(intent)


def test_a_frozen_node_makes_nothing_final(act: Actor, proxy: Proxy) -> None:
    intent = act.send(act.want())
    act.finish(intent, blocks=0)
    frozen = act.node.rpc("eth_getBlockByNumber", "latest", False)
    proxy.rewrites["eth_getBlockByNumber"] = lambda result, params: (
        frozen if params[0] == "latest" else result
    )
    act.mine(5)
    act.confirm(intent)
    assert intent.state == "mined"
    proxy.rewrites.clear()
    act.confirm(intent)
    act.assert_once(intent)


def test_garbage_from_a_node_is_a_node_that_is_down(act: Actor, proxy: Proxy) -> None:
    intent = act.send(act.want())
    act.wait(intent)
    proxy.rewrites["eth_getBlockByNumber"] = lambda *_: {"number": "zzz"}
    with pytest.raises(RpcDownError):
        confirm.confirm()
    proxy.rewrites.clear()
    act.finish(intent)
    act.assert_once(intent)


def test_senders_have_gas_money(act: Actor) -> None:
    for role in ("anchorer", "settler", "relayer", "minter", "guardian", "admin"):
        assert connect().balance_wei(role_address(role)) > 0
