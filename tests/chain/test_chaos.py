"""Random faults at random moments; afterwards every intent has one effect (I9-I11).

A failing round names its seed: run it again with
`pytest tests/chain/test_chaos.py -k "seed"` and that number in SEEDS.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from chain import confirm, faults, follow, reconcile, send
from chain.errors import ChainError
from chain.gateway import connect
from chain.models import Event, Intent
from tests.chain.actor import Actor, Crash, crash
from tests.chain.proxy import Proxy

pytestmark = [pytest.mark.chain, pytest.mark.django_db]

INTENTS = 6
STEPS = 50
SEEDS = (1, 2, 3)
LONG_SEEDS = range(100, 300)
FAULTS = ("after_sign", "after_send", "after_replace", "before_final", "before_sign")


class Round:
    """One round of faults."""

    def __init__(self, seed: int, act: Actor, proxy: Proxy, settings: Any) -> None:
        self.dice = random.Random(seed)
        self.act, self.proxy, self.settings = act, proxy, settings
        self.intents: list[Intent] = []

    def run(self) -> None:
        self.act.mine(5)  # no reorganization reaches the contracts
        self.act.hold_blocks()
        moves: list[Callable[[], object]] = [
            self.want, self.want, self.send, self.send, self.send,
            self.confirm, self.confirm, self.follow,
            self.mine, self.mine, self.mine,
            self.drop, self.reorg, self.crash, self.cut, self.down, self.spike,
            self.hurry, self.heal,
        ]  # fmt: skip
        for _ in range(STEPS):
            self.guarded(self.dice.choice(moves))
        self.settle()

    def guarded(self, move: Callable[[], object]) -> None:
        """What a worker survives: our errors and its own death."""
        try:
            move()
        except (ChainError, Crash):
            return

    def want(self) -> None:
        if len(self.intents) < INTENTS:
            self.intents.append(self.act.want())

    def send(self) -> None:
        if self.intents:
            send.send(self.dice.choice(self.intents).pk)

    def confirm(self) -> None:
        confirm.confirm()

    def follow(self) -> None:
        follow.follow()

    def mine(self) -> None:
        self.act.mine(self.dice.randint(1, 2))

    def drop(self) -> None:
        self.act.node.rpc("anvil_dropAllTransactions")

    def reorg(self) -> None:
        self.act.node.rpc("anvil_reorg", self.dice.randint(1, 2), [])

    def crash(self) -> None:
        faults.hook(self.dice.choice(FAULTS), crash)

    def cut(self) -> None:
        self.proxy.deaf = {"eth_sendRawTransaction"}

    def down(self) -> None:
        self.proxy.status = self.dice.choice([429, 500, 503])

    def spike(self) -> None:
        self.act.node.rpc("anvil_setNextBlockBaseFeePerGas", hex(30 * 10**9))

    def hurry(self) -> None:
        self.settings.CHAIN_STUCK_SECONDS = self.dice.choice([0, 3600])

    def heal(self) -> None:
        self.proxy.status, self.proxy.deaf = None, set()
        for name in FAULTS:
            faults.hook(name, None)

    def settle(self) -> None:
        """No more faults: everything ends."""
        self.heal()
        self.settings.CHAIN_STUCK_SECONDS = 3600
        for _ in range(12):
            for intent in self.intents:
                self.guarded(lambda pk=intent.pk: send.send(pk))  # type: ignore[misc]
            self.guarded(self.confirm)
            self.act.mine(2)
        self.confirm()
        self.follow()

    def check(self) -> None:
        for intent in self.intents:
            self.act.assert_once(intent)
        nonces = sorted(intent.nonce or 0 for intent in self.intents)
        assert nonces == list(range(len(self.intents)))
        assert self.act.nonce() == len(self.intents)
        rows = Event.objects.filter(removed_at__isnull=True)
        numbers = sorted({row.block_number for row in rows})
        blocks = connect().headers(numbers)
        hashes = {block.number: block.hash for block in blocks if block}
        assert all(hashes[row.block_number] == row.block_hash for row in rows)
        assert reconcile.reconcile() == []


@pytest.mark.parametrize("seed", SEEDS)
def test_faults_at_random_leave_one_effect_each(
    seed: int, act: Actor, proxy: Proxy, settings: Any
) -> None:
    game = Round(seed, act, proxy, settings)
    game.run()
    game.check()


@pytest.mark.long
@pytest.mark.parametrize("seed", LONG_SEEDS)
def test_many_faults_at_random_leave_one_effect_each(
    seed: int, act: Actor, proxy: Proxy, settings: Any
) -> None:
    game = Round(seed, act, proxy, settings)
    game.run()
    game.check()
