"""Following logs: once each, announced when final, taken back with their blocks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chain import faults, follow, reconcile
from chain.errors import RpcBehindError
from chain.events import announce
from chain.gateway import connect
from chain.models import Block, Event, Intent, Network
from log.models import Checkpoint
from outbox.models import Job
from tests.chain.actor import Actor, Crash, crash
from tests.chain.proxy import Proxy

pytestmark = [pytest.mark.chain, pytest.mark.django_db]

Make = Callable[[int], Checkpoint]
NAME = "ColophonLedger.Anchored"


@pytest.fixture(autouse=True)
def table(chain_settings: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    from config import jobs

    events = {
        NAME: "test.event",
        f"{NAME}@removed": "test.event",
        "chain.reorged": "test.event",
    }
    monkeypatch.setattr(jobs, "EVENTS", events)
    return events


def anchored(act: Actor, make: Make, size: int) -> Intent:
    make(size)
    intent = act.send(act.want("anchor", f"anchor:{size}"))
    act.wait(intent)
    return intent


def events() -> list[Event]:
    return list(Event.objects.filter(name="Anchored").order_by("id"))


def jobs() -> list[str]:
    found = Job.objects.filter(key__startswith="event:").order_by("id")
    return [job.key.split(":", 2)[2] for job in found]


def test_a_log_becomes_one_row_however_often_it_is_read(
    act: Actor, checkpoint: Make
) -> None:
    act.follow()  # the roles that deployment set
    intent = anchored(act, checkpoint, 3)
    assert act.follow() == 1
    assert act.follow() == 0
    (event,) = events()
    assert event.args == {"size": "3", "root": "0x" + "00" * 31 + "03"}
    assert event.tx_hash == intent.newest_attempt().tx_hash
    assert event.mined_at.tzinfo is not None
    act.mine()
    act.follow()
    assert len(events()) == 1


def test_an_event_is_announced_once_and_only_when_final(
    act: Actor, checkpoint: Make
) -> None:
    anchored(act, checkpoint, 3)
    act.follow()
    act.mine(1)
    act.follow()
    assert jobs() == []
    act.mine(1)
    for _ in range(3):
        act.follow()
    assert jobs() == ["0:0"]
    assert Job.objects.get(kind="test.event").payload == {"event": events()[0].pk}


def test_a_block_that_leaves_takes_its_events_along(
    act: Actor, checkpoint: Make
) -> None:
    intent = anchored(act, checkpoint, 3)
    act.follow()
    act.hold_blocks()
    act.node.rpc("anvil_reorg", 1, [])
    act.mine(1)
    act.follow()
    (event,) = events()
    assert event.removed_at is not None
    assert jobs() == []
    act.confirm(intent)
    act.mine(3)
    act.follow()
    first, second = events()
    assert (first.removed_at is None, second.removed_at is None) == (False, True)
    assert first.tx_hash == second.tx_hash
    assert jobs() == ["0:0"]
    assert Network.objects.get().halted_at is None


def test_a_shorter_chain_is_noticed_before_it_grows(
    act: Actor, checkpoint: Make
) -> None:
    anchored(act, checkpoint, 3)
    act.mine(1)
    act.follow()
    high = Network.objects.get().followed_block
    act.hold_blocks()
    act.node.rpc("anvil_rollback", 2)
    act.follow()
    assert Network.objects.get().followed_block == high - 2
    assert events()[0].removed_at is not None
    assert not Block.objects.filter(number__gt=high - 2).exists()


def test_a_reorganization_deeper_than_finality_pulls_the_brake(
    act: Actor, checkpoint: Make
) -> None:
    intent = anchored(act, checkpoint, 3)
    act.finish(intent)
    act.follow()
    assert (intent.state, jobs()) == ("final", ["0:0"])
    act.node.rpc("anvil_reorg", 3, [])
    act.follow()
    network = Network.objects.get()
    assert network.halted_at is not None
    assert "was final" in network.halted_reason
    assert len(jobs()) == 2
    findings = reconcile.reconcile()
    assert any("is gone" in finding for finding in findings)
    intent.refresh_from_db()
    assert intent.state == "reorged"
    assert Job.objects.filter(key__startswith="reorged:").count() == 1
    act.confirm(intent)
    act.finish(intent)
    act.follow()
    assert intent.state == "final"
    assert intent.attempts.count() == 1
    assert len(act.then_jobs(intent)) == 1
    assert len(jobs()) == 3  # announced anew after it was taken back


def test_settling_waits_while_the_brake_is_on(act: Actor) -> None:
    from chain.errors import Later
    from chain.halt import halt, resume

    halt("a test")
    commit = act.want(
        "commit",
        epoch=1,
        size=0,
        logRoot=b"\0" * 32,
        earningsRoot=b"\1" * 32,
        spendRoot=b"\2" * 32,
        earned=0,
        count=0,
    )
    with pytest.raises(Later, match="halted"):
        act.send(commit)
    other = act.send(act.want())
    assert other.state == "broadcast"
    assert resume()
    act.send(commit)
    assert commit.state == "broadcast"


def test_a_chain_that_moves_while_it_is_read_is_read_again(
    act: Actor, checkpoint: Make, proxy: Proxy
) -> None:
    anchored(act, checkpoint, 3)

    def move(result: Any, _: Any) -> Any:
        act.hold_blocks()
        act.node.rpc("anvil_reorg", 1, [])
        return result

    proxy.rewrites["eth_getLogs"] = move
    with pytest.raises(RpcBehindError):
        follow.follow()
    assert events() == []


def test_a_log_of_the_new_branch_is_not_missed(
    act: Actor, checkpoint: Make, proxy: Proxy
) -> None:
    checkpoint(3)
    intent = act.want("anchor")
    faults.hook("after_sign", crash)
    with pytest.raises(Crash):
        act.send(intent)
    faults.hook("after_sign", None)
    intent.refresh_from_db()
    raw = "0x" + bytes(intent.newest_attempt().raw).hex()
    act.follow()
    act.mine(1)

    def move(result: Any, _: Any) -> Any:
        proxy.rewrites.clear()
        act.node.rpc("anvil_reorg", 1, [[raw, 0]])
        return result

    proxy.rewrites["eth_getLogs"] = move
    with pytest.raises(RpcBehindError):
        follow.follow()
    act.follow()
    assert [event.tx_hash for event in events()] == [intent.newest_attempt().tx_hash]


def test_an_event_whose_block_just_left_is_not_announced(
    act: Actor, checkpoint: Make
) -> None:
    anchored(act, checkpoint, 3)
    act.follow()
    act.mine(2)
    act.hold_blocks()
    act.node.rpc("anvil_reorg", 3, [])
    announce(connect(), Network.objects.get())
    assert (events()[0].safe_at, events()[0].final_at, jobs()) == (None, None, [])


def test_a_hidden_log_is_found_by_the_reconciler(
    act: Actor, checkpoint: Make, proxy: Proxy
) -> None:
    intent = anchored(act, checkpoint, 3)
    proxy.rewrites["eth_getLogs"] = lambda *_: []
    act.finish(intent)
    act.follow()
    assert events() == []
    assert any("left no log" in finding for finding in reconcile.reconcile())
    proxy.rewrites.clear()
    assert any("had no row" in finding for finding in reconcile.reconcile())
    act.follow()
    assert (len(events()), jobs()) == (1, ["0:0"])
    assert reconcile.reconcile() == []


def test_a_log_of_one_node_alone_is_not_announced_where_two_are_set(
    act: Actor, checkpoint: Make, proxy: Proxy, settings: Any
) -> None:
    intent = anchored(act, checkpoint, 3)
    act.finish(intent)
    settings.CHAIN_RPC_URLS = [act.node.url, proxy.url]
    proxy.rewrites["eth_getLogs"] = lambda *_: []
    act.follow()
    assert (len(events()), jobs()) == (1, [])
    proxy.rewrites.clear()
    act.follow()
    assert jobs() == ["0:0"]


def test_two_events_of_one_transaction_are_two_jobs(
    act: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    from config import jobs as table

    monkeypatch.setattr(table, "EVENTS", {"ColophonAsset.Certified": "test.event"})
    intent = act.send(
        act.want(
            "mint",
            to=["0x" + "ab" * 20] * 2,
            contentDigests=[b"\1" * 32, b"\2" * 32],
            logIndexes=[1, 2],
            assetIds=[b"\3" * 16, b"\4" * 16],
            assetCids=["one", "two"],
        )
    )
    act.finish(intent)
    act.follow()
    assert len(jobs()) == 2
    assert Event.objects.filter(name="Transfer").count() == 2


def test_all_is_well_has_no_findings(act: Actor, checkpoint: Make) -> None:
    intent = anchored(act, checkpoint, 3)
    act.finish(intent)
    act.follow()
    assert reconcile.reconcile() == []
    network = Network.objects.get()
    assert (network.findings, network.checked_at is None) == ([], False)


def test_other_waiting_times_than_the_contracts_are_a_finding(
    act: Actor, checkpoint: Make, settings: Any
) -> None:
    act.finish(anchored(act, checkpoint, 3))
    act.follow()
    was = settings.REFUND_DELAY_SECONDS
    settings.REFUND_DELAY_SECONDS = was + 5
    (finding,) = reconcile.reconcile()
    assert f"COLOPHON_REFUND_DELAY is {was + 5} s" in finding
    assert f"the contract waits {was} s" in finding


def test_an_intent_that_waits_for_a_person_is_a_finding(act: Actor) -> None:
    intent = act.want()
    Intent.objects.filter(pk=intent.pk).update(state="needs_human", error="a test")
    act.follow()
    assert reconcile.reconcile() == [f"{intent.key} is needs_human: a test"]


def test_a_chain_that_stands_still_is_a_finding(act: Actor, settings: Any) -> None:
    act.follow()
    settings.CHAIN_MAX_HEAD_AGE_SECONDS = 60
    now = act.node.rpc("eth_getBlockByNumber", "latest", False)
    later = int(now["timestamp"], 16) + 3600  # type: ignore[index]
    act.node.rpc("evm_setNextBlockTimestamp", later)
    act.mine()
    (finding,) = reconcile.reconcile()
    assert "ahead of our clock" in finding
