"""Sending: crashes, doubles and races between an intent and its one effect."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from chain import faults, reconcile, send, tasks
from chain.errors import (
    ArgsError,
    InsufficientFundsError,
    KeyReusedError,
    Later,
    RpcBusyError,
    RpcDownError,
)
from chain.identity import forget
from chain.intend import intend
from chain.keys import role_address, signer_for
from chain.models import Account, Attempt, Intent, Network
from outbox.inline import drain
from outbox.models import Job
from tests.chain.actor import Actor, Crash, crash, fresh_address
from tests.chain.proxy import Proxy

pytestmark = [pytest.mark.chain, pytest.mark.django_db]


def test_an_intent_is_sent_mined_and_final(act: Actor) -> None:
    intent = act.want()
    assert intent.state == "queued"
    act.send(intent)
    assert (intent.state, intent.nonce) == ("broadcast", 0)
    act.finish(intent)
    act.assert_once(intent)
    assert act.then_jobs(intent) == [{"n": 1, "intent": intent.pk}]


def test_the_job_of_an_intent_sends_it(act: Actor) -> None:
    intent = act.want()
    assert drain(kinds=["chain.send"]) == 1
    act.finish(intent)
    act.assert_once(intent)


def test_intending_twice_with_one_key_is_one_intent(act: Actor) -> None:
    args = {"to": fresh_address(), "amount": 7}
    first = act.want("fund", "k", **args)
    assert act.want("fund", "k", to=args["to"], amount="7") == first
    assert Job.objects.filter(kind="chain.send").count() == 1
    with pytest.raises(KeyReusedError):
        act.want("fund", "k", to=args["to"], amount=8)


def test_wrong_arguments_name_their_field(live: Any) -> None:
    with transaction.atomic(), pytest.raises(ArgsError) as caught:
        intend("fund", {"to": "0x12", "amount": 7}, key="k")
    assert caught.value.field == "to"
    assert not Intent.objects.exists()


@pytest.mark.parametrize("point", ["before_sign", "after_sign", "after_send"])
def test_a_crash_at_any_step_has_one_effect(act: Actor, point: str) -> None:
    intent = act.want()
    faults.hook(point, crash)
    with pytest.raises(Crash):
        send.send(intent.pk)
    faults.hook(point, None)
    intent.refresh_from_db()
    assert intent.state == ("queued" if point == "before_sign" else "signed")
    act.send(intent)
    act.finish(intent)
    act.assert_once(intent)
    assert intent.attempts.count() == 1
    assert act.nonce() == 1


def test_what_was_signed_is_sent_by_the_confirmer_too(act: Actor) -> None:
    intent = act.want()
    faults.hook("after_sign", crash)
    with pytest.raises(Crash):
        send.send(intent.pk)
    faults.hook("after_sign", None)
    act.confirm(intent)
    assert intent.state == "broadcast"
    act.finish(intent)
    act.assert_once(intent)


@pytest.mark.django_db(transaction=True)
def test_a_killed_process_has_one_effect(act: Actor, settings: Any) -> None:
    if connection.vendor == "postgresql":
        url = "postgres://{USER}@{HOST}:{PORT}/{NAME}".format(
            **connection.settings_dict
        )
    else:
        url = f"sqlite:///{connection.settings_dict['NAME']}"
    intent = act.want()
    script = (
        f"import django; django.setup(); from chain import send;send.send({intent.pk})"
    )
    died = subprocess.run(
        [sys.executable, "-c", script],
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATABASE_URL": url,
            "COLOPHON_RPC_URLS": settings.CHAIN_RPC_URLS[0],
            "COLOPHON_KEYS": str(settings.KEYS_DIR),
            "COLOPHON_CRASH_AT": "after_send",
        },
        check=False,
        timeout=60,
    )
    assert died.returncode == faults.CRASH_STATUS
    intent.refresh_from_db()
    assert intent.state == "signed"
    act.send(intent)
    act.finish(intent)
    act.assert_once(intent)


def test_a_delivered_twice_job_has_one_effect(act: Actor) -> None:
    intent = act.want()
    act.send(intent)
    act.send(intent)
    act.finish(intent)
    act.send(intent)
    act.confirm(intent)
    act.assert_once(intent)
    assert Attempt.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_workers_race_and_every_intent_has_its_own_nonce(act: Actor) -> None:
    intents = [act.want() for _ in range(6)]
    start = threading.Barrier(3)
    errors: list[BaseException] = []

    def work() -> None:
        try:
            start.wait(10)
            for intent in intents:
                send.send(intent.pk)
        except BaseException as error:  # noqa: BLE001 - told to the test
            errors.append(error)
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert errors == []
    act.finish(*intents)
    for intent in intents:
        act.assert_once(intent)
    assert sorted(i.nonce for i in intents) == [0, 1, 2, 3, 4, 5]
    assert Attempt.objects.count() == 6


def test_an_answer_that_was_lost_has_one_effect(act: Actor, proxy: Proxy) -> None:
    intent = act.want()
    proxy.deaf = {"eth_sendRawTransaction"}
    with pytest.raises(RpcDownError):
        act.send(intent)
    assert proxy.seen["eth_sendRawTransaction"] == 1  # a send is never retried inside
    proxy.deaf = set()
    act.send(intent)
    act.finish(intent)
    act.assert_once(intent)
    assert intent.attempts.count() == 1


def test_a_node_that_is_down_changes_nothing(act: Actor, proxy: Proxy) -> None:
    intent = act.want()
    proxy.status = 503
    with pytest.raises(RpcDownError):
        act.send(intent)
    assert drain(kinds=["chain.send"]) == 0
    job = Job.objects.get(kind="chain.send")
    assert (job.attempts, job.parked_at) == (0, None)
    assert not Attempt.objects.exists()
    proxy.status = None
    act.send(intent)
    proxy.status = 503
    with pytest.raises(RpcDownError):
        act.confirm()
    proxy.status = None
    act.finish(intent)
    act.assert_once(intent)


def test_a_busy_node_is_left_in_peace_for_a_while(act: Actor, proxy: Proxy) -> None:
    intent = act.want()
    proxy.status = 429
    with pytest.raises(RpcBusyError) as caught:
        act.send(intent)
    assert caught.value.after_seconds >= 5
    proxy.status = None
    act.send(intent)
    act.finish(intent)
    act.assert_once(intent)


def test_the_next_node_is_asked_when_the_first_is_down(
    act: Actor, proxy: Proxy, settings: Any
) -> None:
    settings.CHAIN_RPC_URLS = [proxy.url, act.node.url]
    proxy.status = 503
    intent = act.want()
    act.send(intent)
    act.wait(intent)
    assert act.effect(intent) == 7


def test_nothing_is_signed_for_another_chain(act: Actor, proxy: Proxy) -> None:
    intent = act.want()
    proxy.rewrites["eth_chainId"] = lambda *_: "0x1"
    forget()
    with pytest.raises(Later, match="31337"):
        act.send(intent)
    assert not Attempt.objects.exists()
    proxy.rewrites.clear()
    act.send(intent)
    act.finish(intent)
    act.assert_once(intent)


def test_a_fee_above_the_cap_is_waited_out_by_the_job(
    act: Actor, settings: Any
) -> None:
    settings.CHAIN_MAX_FEE_GWEI = 0.000_000_1
    intent = act.want()
    assert drain(kinds=["chain.send"]) == 0
    _waits_unparked(intent, "above the cap")
    settings.CHAIN_MAX_FEE_GWEI = 200.0
    _goes_on(act, intent)


def test_a_node_of_another_chain_is_waited_out_by_the_job(
    act: Actor, proxy: Proxy
) -> None:
    intent = act.want()
    proxy.rewrites["eth_chainId"] = lambda *_: "0x1"
    forget()
    assert drain(kinds=["chain.send"]) == 0
    _waits_unparked(intent, "this database belongs to chain 31337")
    (finding,) = reconcile.reconcile()
    assert "serves chain 1" in finding
    assert Network.objects.get().findings == [finding]
    for turn in (tasks.confirm, tasks.follow, tasks.reconcile):
        turn(no_claim)  # waits for its next turn, and parks nothing
    proxy.rewrites.clear()
    _goes_on(act, intent)


def test_contracts_that_are_not_deployed_yet_are_waited_for_by_the_job(
    act: Actor,
) -> None:
    intent = act.want()
    network = Network.objects.get()
    Network.objects.all().delete()
    assert drain(kinds=["chain.send"]) == 0
    _waits_unparked(intent, "deploy_contracts")
    network.save(force_insert=True)
    _goes_on(act, intent)


no_claim: Any = None


def _waits_unparked(intent: Intent, why: str) -> None:
    """The job waits, uncounted, and the intent says why."""
    job = Job.objects.get(kind="chain.send")
    assert (job.parked_at, job.attempts, job.done_at) == (None, 0, None)
    intent.refresh_from_db()
    assert intent.state == "queued"
    assert why in intent.error


def _goes_on(act: Actor, intent: Intent) -> None:
    """Once it is cured."""
    assert drain(kinds=["chain.send"], ahead=timedelta(minutes=1)) == 1
    act.finish(intent)
    act.assert_once(intent)
    assert intent.error == ""


def test_a_refusal_of_known_bytes_counts_as_sent(act: Actor, proxy: Proxy) -> None:
    intent = act.want()
    act.node.rpc("evm_setAutomine", False)
    faults.hook("after_send", crash)
    with pytest.raises(Crash):
        act.send(intent)
    faults.hook("after_send", None)
    proxy.refuses["eth_sendRawTransaction"] = "already known"
    act.send(intent)
    assert intent.state == "broadcast"
    assert intent.newest_attempt().answer == "already known"
    act.mine(1)
    act.finish(intent)
    act.assert_once(intent)


def test_an_empty_account_waits_to_be_funded(act: Actor) -> None:
    relayer = role_address("relayer")
    act.node.rpc("anvil_setBalance", relayer, "0x0")
    intent = act.want()
    with pytest.raises(InsufficientFundsError):
        act.send(intent)
    act.node.rpc("anvil_setBalance", relayer, hex(10**18))
    act.send(intent)
    act.finish(intent)
    act.assert_once(intent)


def test_an_account_emptied_after_signing_waits_too(act: Actor) -> None:
    relayer = role_address("relayer")
    intent = act.want()
    faults.hook("after_sign", lambda: act.node.rpc("anvil_setBalance", relayer, "0x0"))
    with pytest.raises(InsufficientFundsError):
        act.send(intent)
    faults.hook("after_sign", None)
    intent.refresh_from_db()
    assert "nsufficient" in intent.error
    act.node.rpc("anvil_setBalance", relayer, hex(10**18))
    act.send(intent)
    act.finish(intent)
    act.assert_once(intent)


def test_a_call_that_would_revert_gets_no_nonce(act: Actor) -> None:
    digest = "0x" + "11" * 32
    args: dict[str, Any] = {
        "to": [fresh_address()],
        "contentDigests": [digest],
        "logIndexes": [1],
        "assetIds": ["0x" + "22" * 16],
        "assetCids": ["bafkrei"],
    }
    first = act.send(act.want("mint", **args))
    act.finish(first)
    second = act.want("mint", **args)
    for _ in range(2):
        with pytest.raises(Later, match="AlreadyMinted"):
            act.send(second)
    act.send(second)
    assert (first.state, second.state) == ("final", "reverted")
    assert "AlreadyMinted(tokenId=" in second.error
    assert (second.nonce, second.attempts.count()) == (None, 0)
    assert act.then_jobs(second)[0]["failed"] is True
    third = act.send(act.want("refresh", tokenId=int(digest, 16)))
    act.finish(third)
    assert (third.state, third.nonce) == ("final", 1)


def test_a_restored_database_never_reuses_a_nonce(act: Actor) -> None:
    first = act.send(act.want())
    act.finish(first)
    Account.objects.update(next_nonce=0)
    second = act.send(act.want())
    act.finish(second)
    assert second.nonce == 1
    act.assert_once(second)


def test_a_new_key_waits_for_the_old_ones_transactions(
    act: Actor, settings: Any
) -> None:
    old = settings.KEYS_DIR / "chain-relayer"
    kept = old.read_bytes()
    act.hold_blocks()
    first = act.send(act.want())
    old.unlink()
    try:
        address = role_address("relayer")
        act.node.rpc("anvil_setBalance", address, hex(10**18))
        second = act.want()
        with pytest.raises(Later, match="come first"):
            act.send(second)
        act.mine(3)
        act.confirm(first)
        act.assert_once(first)
        act.send(second)
        act.mine(3)
        act.confirm(second)
        act.assert_once(second)
        assert (second.sender, second.nonce) == (address, 0)
    finally:
        old.write_bytes(kept)


def test_one_commit_goes_at_a_time(act: Actor) -> None:
    args = {
        "size": 0,
        "logRoot": b"\0" * 32,
        "earningsRoot": b"\1" * 32,
        "spendRoot": b"\2" * 32,
        "earned": 0,
        "count": 0,
    }
    act.hold_blocks()
    first = act.send(act.want("commit", epoch=1, **args))
    second = act.want("commit", "commit:again", epoch=1, **args)
    with pytest.raises(Later, match="one commit goes at a time"):
        act.send(second)
    act.mine(3)
    act.confirm(first)
    assert first.state == "final"
    with pytest.raises(Later, match="WrongEpoch"):
        act.send(second)
    assert act.nonce("settler") == 1


def test_the_signer_of_a_role_signs_only_its_calls(live: Any) -> None:
    assert signer_for("anchorer").calls.isdisjoint(signer_for("relayer").calls)
