"""The guardian stops what must not go through; nobody else's host can."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from chain import keys, read
from chain.models import Intent
from outbox.inline import drain
from outbox.models import Job
from tests.chain.actor import Actor

pytestmark = [pytest.mark.chain, pytest.mark.django_db]


@pytest.fixture
def quick(act: Actor) -> Actor:
    """A chain with a block each second, so that the command sees it final."""
    act.node.rpc("evm_setIntervalMining", 1)
    return act


def guardian(*words: str) -> str:
    out = StringIO()
    call_command("guardian", *words, stdout=out)
    return out.getvalue()


def committed(act: Actor, epoch: int) -> None:
    intent = act.send(
        act.want(
            "commit",
            epoch=epoch,
            size=0,
            logRoot=b"\0" * 32,
            earningsRoot=b"\1" * 32,
            spendRoot=b"\2" * 32,
            earned=0,
            count=0,
        )
    )
    act.wait(intent)


def test_a_pending_settlement_is_vetoed(quick: Actor, settings: Any) -> None:
    committed(quick, 1)
    said = guardian("veto", "1", "--reason", "wrong totals")
    assert "veto:1:0 is final in block" in said
    assert (read.epoch(), read.matures_at()) == (3, None)
    (intent,) = Intent.objects.filter(kind="veto")
    assert intent.sender == keys.role_address("guardian")


def test_only_what_is_pending_is_vetoed(act: Actor) -> None:
    with pytest.raises(CommandError, match="no settlement is"):
        guardian("veto", "1", "--reason", "x")
    committed(act, 1)
    with pytest.raises(CommandError, match="1 is"):
        guardian("veto", "2", "--reason", "x")
    act.node.rpc("evm_increaseTime", 60)
    act.mine()
    with pytest.raises(CommandError, match="was over at"):
        guardian("veto", "1", "--reason", "x")
    assert not Intent.objects.filter(kind="veto").exists()


def test_a_pause_stops_commits_until_the_admin_ends_it(quick: Actor) -> None:
    assert "pause:0 is final" in guardian("pause", "--reason", "keys leaked")
    assert read.paused()
    with pytest.raises(CommandError, match="paused already"):
        guardian("pause", "--reason", "again")
    assert "unpause:0 is final" in guardian("unpause", "--reason", "new keys")
    assert not read.paused()
    with pytest.raises(CommandError, match="not paused"):
        guardian("unpause", "--reason", "again")
    assert "pause:1 is final" in guardian("pause", "--reason", "once more")


def test_a_host_without_the_key_writes_nothing(act: Actor, settings: Any) -> None:
    address = keys.role_address("guardian")
    settings.CHAIN_ROLE_ADDRESSES = {"guardian": address}
    with pytest.raises(CommandError, match="not on this host"):
        guardian("pause", "--reason", "x")
    assert not Intent.objects.exists()


def test_a_worker_without_the_key_leaves_the_intent_to_the_guardian(
    act: Actor, settings: Any
) -> None:
    """Its job waits; once the guardian has signed, anybody may send the bytes."""
    address = keys.role_address("guardian")
    intent = act.want("pause")
    settings.CHAIN_ROLE_ADDRESSES = {"guardian": address}
    assert drain(kinds=["chain.send"]) == 0
    job = Job.objects.get(kind="chain.send")
    assert (job.parked_at, job.attempts) == (None, 0)
    settings.CHAIN_ROLE_ADDRESSES = {}
    act.send(intent)
    act.finish(intent)
    assert intent.state == "final"


def test_what_is_not_final_in_time_is_told(act: Actor) -> None:
    act.hold_blocks()
    with pytest.raises(CommandError, match="pause:0 is broadcast"):
        guardian("--wait", "0.1", "pause", "--reason", "x")


def test_a_reason_is_wanted(act: Actor) -> None:
    with pytest.raises(CommandError, match="--reason"):
        guardian("pause")
