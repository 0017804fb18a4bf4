"""Settlements on a real chain: what its final events say becomes the rows' state."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from eth_account import Account

from accounts.models import User
from chain import intervene, read, reconcile
from chain.halt import resume
from chain.models import Event, Intent, Network
from config.jobs import EVENTS
from outbox.inline import drain
from royalties import tasks
from royalties.models import Payout, Settlement
from royalties.statement import figures
from royalties.verify import verify
from tests.cast import party_of
from tests.chain.actor import Actor, fresh_address
from tests.chain.test_read import deposit
from tests.royalties import factories
from tests.royalties.factories import build_settlement

pytestmark = [pytest.mark.chain, pytest.mark.django_db]

MONEY = (
    "settlement.committed",
    "settlement.follow",
    "payouts.push",
    "payouts.paid",
    "payouts.sent",
    "payouts.reversed",
    "intent.reorged",
)
SOON = timedelta(seconds=30)
FUNDS = 100_000_000


class Money(Actor):
    """The worker, for settlements."""

    def turn(self, blocks: int = 3) -> None:
        """What waits is sent, mined, final, read and handled."""
        for intent in Intent.objects.filter(state="queued").exclude(kind="fund"):
            self.send(intent)
            self.wait(intent)
        self.mine(blocks)
        self.settle()

    def settle(self) -> None:
        """What is final is read and handled."""
        for intent in Intent.objects.filter(state__in=Intent.UNDER_WAY):
            self.confirm(intent)
        self.follow()
        drain(kinds=MONEY, ahead=SOON)

    def wait_out(self) -> None:
        """The challenge window is over on the chain, for good."""
        ripe = read.matures_at()
        assert ripe is not None
        self.node.rpc("evm_setNextBlockTimestamp", int(ripe.timestamp()) + 1)
        self.mine(3)
        self.settle()
        self.mature()

    def mature(self) -> None:
        tasks.mature_settlements(FAKE)
        drain(kinds=MONEY, ahead=SOON)


FAKE: Any = None
"""No job: the verbs are called with no claim to hold."""


@pytest.fixture
def money(
    act: Actor, settings: Any, monkeypatch: pytest.MonkeyPatch, mia: User
) -> Money:
    """A ledger on the chain with funds, and Mia's wallet."""
    from config import jobs

    monkeypatch.setattr(jobs, "EVENTS", EVENTS)
    settings.PAYOUT_THRESHOLD_UNITS = 1
    wallet = Account.create()
    act.finish(act.send(act.want("fund", to=wallet.address, amount=FUNDS)))
    deposit(act, wallet, FUNDS, b"\7" * 32)
    made = Money(act.node)
    made.follow()
    holder = party_of(mia).holder
    holder.payout_address = read.checksum(fresh_address())
    holder.save()
    return made


@pytest.fixture
def built(money: Money, ada: User, mia: User, ben: User) -> Settlement:
    """A settlement over a license and its uses; the commit is queued."""
    asset = factories.model_asset(party_of(ada), party_of(mia))
    row = factories.license_of(asset, party_of(ben))
    factories.used(row, 1_000)
    made = factories.settled()
    # the license's own deposit is a row alone: it lies below every reorganization
    Event.objects.filter(block_number=100).update(block_number=1)
    return made


def state(row: Settlement) -> str:
    row.refresh_from_db()
    return row.state


def all_is_paid(mia: User) -> None:
    """Mia has on the chain what her lines say, and the ledger holds."""
    holder = party_of(mia).holder
    found = figures(holder)
    assert found["paid"] == found["lifetime"] > 0
    assert read.balance_of(holder.payout_address) == found["paid"]
    wrong = [str(one.findings) for one in verify(node=False) if one.findings]
    assert not [one for one in wrong if "deposited" not in one]


def test_a_settlement_is_committed_matured_and_paid_by_events(
    money: Money, built: Settlement, mia: User, settings: Any
) -> None:
    settings.CHALLENGE_WINDOW_SECONDS = 999  # a setting is not what the contract has
    money.turn()
    assert state(built) == "committed"
    assert built.matures_at == read.matures_at()
    money.mature()
    assert state(built) == "committed", "its window is open"
    money.wait_out()
    assert state(built) == "matured"
    money.turn()
    all_is_paid(mia)


def test_a_commit_that_cannot_be_is_sent_again_and_pays_the_same(
    money: Money, built: Settlement, mia: User
) -> None:
    """The ledger is paused; somebody cancels; the pause ends; the next build goes."""
    earned = built.earned_units
    money.finish(money.send(money.want("pause")))
    intent = built.intent
    assert intent is not None
    with pytest.raises(Exception, match="LedgerPaused"):
        money.send(intent)
    intervene.cancel(intent.key, by="a test")
    drain(kinds=MONEY, ahead=SOON)
    assert state(built) == "failed"
    money.finish(money.send(money.want("unpause")))
    again = build_settlement(epoch=read.epoch())
    assert again is not None
    assert (again.pk, again.earned_units) == (built.pk, earned)
    money.turn()
    money.wait_out()
    money.turn()
    all_is_paid(mia)


def test_a_veto_after_our_clock_said_that_the_window_is_over(
    money: Money, built: Settlement, mia: User
) -> None:
    """The newest block is late, not the final one: the veto still counts."""
    money.turn()
    ripe = read.matures_at()
    assert ripe is not None
    veto = money.send(money.want("veto", epoch=1))
    money.wait(veto)
    money.node.rpc("evm_setNextBlockTimestamp", int(ripe.timestamp()) + 60)
    money.mine(1)
    assert read.chain_time() > ripe
    money.mature()
    assert state(built) == "committed", "no final block is past the window"
    money.mine(3)
    money.mature()
    assert state(built) == "committed", "the follower has not read that far"
    money.settle()
    assert state(built) == "vetoed"
    assert read.epoch() == 3
    again = build_settlement(epoch=3)
    assert again is not None
    assert again.earned_units == built.earned_units
    money.turn()
    money.wait_out()
    money.turn()
    all_is_paid(mia)


def test_our_roots_by_another_sender_count(
    money: Money, built: Settlement, mia: User
) -> None:
    intent = built.intent
    assert intent is not None
    other = money.send(money.want("commit", "by hand", **intent.args))
    money.finish(other)
    money.settle()
    assert state(built) == "committed"
    intent.refresh_from_db()
    assert intent.state == "canceled"
    money.wait_out()
    money.turn()
    all_is_paid(mia)


def test_other_roots_for_our_epoch_halt_settling(
    money: Money, built: Settlement
) -> None:
    intent = built.intent
    assert intent is not None
    args = {**intent.args, "earningsRoot": "0x" + "ee" * 32}
    money.finish(money.send(money.want("commit", "by a thief", **args)))
    money.settle()
    assert state(built) == "failed", "ours cannot apply any more"
    assert "not ours" in Network.objects.get().halted_reason


def test_a_payment_that_leaves_the_chain_is_reversed_and_comes_back(
    money: Money, built: Settlement, mia: User
) -> None:
    money.turn()
    money.wait_out()
    money.turn()
    all_is_paid(mia)
    holder = party_of(mia).holder
    paid = figures(holder)["paid"]
    money.hold_blocks()
    money.node.rpc("anvil_reorg", 4, [])
    money.follow()
    drain(kinds=MONEY, ahead=SOON)
    row = Payout.objects.get(holder=holder)
    assert row.state == "reversed"
    assert figures(holder)["available"] == paid
    assert "was final" in Network.objects.get().halted_reason
    reconcile.reconcile()
    money.mine(1)
    money.settle()  # sent again with the same bytes
    money.mine(4)
    money.settle()
    money.settle()
    row.refresh_from_db()
    assert row.state == "paid"
    assert Payout.objects.count() == 1
    assert resume()
    all_is_paid(mia)


def test_money_that_somebody_else_paid_first_covers_our_payout(
    money: Money, built: Settlement, mia: User
) -> None:
    """Our transaction is mined after a stranger's, and moves nothing."""
    money.turn()
    money.wait_out()
    ours = Intent.objects.get(kind="pay")
    theirs = money.want("pay", "by a stranger", **ours.args)
    money.finish(money.send(theirs))
    money.send(ours)
    money.finish(ours)
    money.settle()
    all_is_paid(mia)
    row = Payout.objects.get(holder=party_of(mia).holder)
    assert (row.state, row.tx_hash) == ("paid", theirs.tx_hash)


def test_the_job_builds_again_and_tells_when_settling_stands_still(
    money: Money, built: Settlement, caplog: pytest.LogCaptureFixture
) -> None:
    assert built.intent is not None
    intervene.cancel(built.intent.key, by="a test")
    drain(kinds=MONEY, ahead=SOON)
    Network.objects.update(halted_reason="a person looks")
    tasks.build_settlement(FAKE)
    assert state(built) == "failed"
    (line,) = [one for one in caplog.records if one.message == "settlement.overdue"]
    assert "the commit of settlement 1 failed: canceled" in vars(line)["why"]
    caplog.clear()
    Network.objects.update(halted_reason="")
    tasks.build_settlement(FAKE)
    assert state(built) == "built"
    assert "settlement.overdue" not in caplog.messages
