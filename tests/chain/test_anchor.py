"""Anchoring: the newest head, one at a time, never a stale one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chain.anchor import anchor, wanted
from chain.models import Intent
from log.models import Checkpoint
from outbox.claims import Retry
from tests.chain.actor import Actor

pytestmark = [pytest.mark.chain, pytest.mark.django_db]
Make = Callable[[int], Checkpoint]


def test_no_head_no_anchor(act: Actor) -> None:
    assert not wanted()
    assert anchor() is None
    with pytest.raises(Retry):
        act.send(act.want("anchor"))


def test_one_anchor_is_under_way_at_a_time(act: Actor, checkpoint: Make) -> None:
    checkpoint(3)
    first = anchor()
    assert first is not None
    checkpoint(5)
    assert anchor() is None
    act.send(first)
    assert first.args["size"] == "5"  # bound when signed, not when wanted
    checkpoint(8)
    assert anchor() is None
    act.finish(first)
    act.follow()
    second = anchor()
    assert second is not None
    act.send(second)
    act.finish(second)
    act.follow()
    assert second.args["size"] == "8"
    assert anchor() is None
    assert Intent.objects.filter(kind="anchor").count() == 2


def test_a_head_that_a_commit_anchored_needs_no_anchor(
    act: Actor, checkpoint: Make
) -> None:
    head = checkpoint(4)
    commit = act.want(
        "commit",
        epoch=1,
        size=4,
        logRoot=bytes(head.root),
        earningsRoot=b"\1" * 32,
        spendRoot=b"\2" * 32,
        earned=0,
        count=0,
    )
    act.send(commit)
    act.finish(commit)
    act.follow()
    assert commit.state == "final"
    assert anchor() is None


def test_an_anchor_that_failed_is_wanted_again(act: Actor, checkpoint: Make) -> None:
    checkpoint(3)
    first = anchor()
    assert first is not None
    Intent.objects.filter(pk=first.pk).update(state="canceled")
    second = anchor()
    assert second is not None
    assert second.key != first.key
