"""What the worker does, one call at a time, against the real chain."""

from __future__ import annotations

import itertools
import time
from typing import Any

from django.db import transaction

from chain import confirm, follow, read, send
from chain.anvil import Anvil
from chain.contracts import abi_of, address_of
from chain.gateway import connect
from chain.intend import intend
from chain.models import Intent
from outbox.models import Job

_addresses = itertools.count(0xA11CE << 64)


class Crash(BaseException):
    """Stands for the death of the process: nothing after it runs."""


def crash() -> None:
    """A hook for `chain.faults`."""
    raise Crash


def fresh_address() -> str:
    """An address nobody used before in this session."""
    return f"0x{next(_addresses):040x}"


class Actor:
    """Wants, sends, confirms."""

    def __init__(self, node: Anvil) -> None:
        self.node = node
        self._numbers = itertools.count(1)

    def want(self, kind: str = "fund", key: str = "", **args: Any) -> Intent:
        """An intent; by default the faucet pays 7 units to a fresh address."""
        number = next(self._numbers)
        if kind == "fund" and not args:
            args = {"to": fresh_address(), "amount": 7}
        with transaction.atomic():
            return intend(
                kind,
                args,
                key=key or f"{kind}:{number}",
                then=("test.then", {"n": number}),
            )

    def send(self, intent: Intent) -> Intent:
        send.send(intent.pk)
        intent.refresh_from_db()
        return intent

    def confirm(self, *intents: Intent) -> None:
        confirm.confirm()
        for intent in intents:
            intent.refresh_from_db()

    def finish(self, *intents: Intent, blocks: int = 2) -> None:
        """Waits for the blocks, adds confirmations, and confirms."""
        for intent in intents:
            self.wait(intent)
        self.mine(blocks)
        self.confirm(*intents)

    def finish_by_hand(self, *intents: Intent, blocks: int = 3) -> None:
        """Mines while automine is off, and confirms."""
        self.mine(blocks)
        self.confirm(*intents)

    def mine(self, blocks: int = 1) -> None:
        for _ in range(blocks):
            self.node.rpc("evm_mine")

    def hold_blocks(self) -> None:
        """From now on blocks come only by `mine`."""
        self.node.rpc("evm_setAutomine", False)

    def wait(self, intent: Intent) -> None:
        """Automine answers before it has mined: wait for the receipt."""
        hashes = [attempt.tx_hash for attempt in intent.attempts.all()]
        until = time.monotonic() + 60
        while time.monotonic() < until:
            if connect().receipts(hashes):
                return
            time.sleep(0.01)
        raise AssertionError(f"{intent} was not mined")

    def follow(self) -> int:
        return follow.follow()

    def effect(self, intent: Intent) -> int:
        """Units that the faucet's receiver has."""
        return read.balance_of(intent.args["to"])

    def then_jobs(self, intent: Intent) -> list[dict[str, Any]]:
        jobs = Job.objects.filter(key__startswith=f"then:{intent.key}")
        return [job.payload for job in jobs.order_by("id")]

    def assert_once(self, intent: Intent) -> None:
        """Final, one receipt among its attempts, one effect, one job (I9)."""
        intent.refresh_from_db()
        assert intent.state == Intent.State.FINAL, (intent.state, intent.error)
        hashes = [one.tx_hash for one in intent.attempts.filter(noop=False)]
        assert list(connect().receipts(hashes)) == [intent.tx_hash]
        assert self.effect(intent) == int(intent.args["amount"])
        assert len(self.then_jobs(intent)) == 1

    def nonce(self, role: str = "relayer") -> int:
        from chain.keys import role_address

        return connect().nonce(role_address(role))


def token_abi() -> tuple[str, list[dict[str, Any]]]:
    """Address and ABI of the test dollar."""
    return address_of("Token"), abi_of("Token")
