"""Random turns of a chain: nothing is lost, nothing paid twice, and it goes on.

A failing round names its seed.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db.models import Sum
from django.utils import timezone

from accounts.models import Holder, User
from chain.models import Event, Intent, Network
from chain.read import FinalBlock
from colophon.digest import sha256
from marketplace.models import License
from royalties.mature import mark_failed, mature_due
from royalties.models import Increment, Leaf, Payout, Settlement
from royalties.paid import apply_payment, cover, reverse, silent
from royalties.push import push_payouts
from royalties.statement import figures
from royalties.verify import verify
from tests.cast import party_of
from tests.factories import logged
from tests.royalties import factories

STEPS = 25
SEEDS = range(1, 7)
LONG_SEEDS = range(100, 160)


class Round:
    """A chain of rows that keeps the contract's rules, and what happens on it."""

    def __init__(self, seed: int, sold: License, payee: Holder) -> None:
        self.dice = random.Random(seed)
        self.sold, self.payee = sold, payee
        self.epoch = 1
        self.pending: Settlement | None = None
        self.claimed = 0
        self.numbers = itertools.count(1)

    def run(self) -> None:
        acts: list[Callable[[], object]] = [
            self.use,
            self.build,
            self.fail,
            self.commit,
            self.veto,
            self.mature,
            self.push,
            self.pay,
            self.take_back_a_payment,
            self.take_back_a_commit,
            self.replay,
            self.change_wallet,
        ]
        self.use()
        for _ in range(STEPS):
            self.dice.choice(acts)()
            self.check()
        self.finish()

    def newest(self) -> Settlement | None:
        return Settlement.objects.order_by("-epoch").first()

    # -------------------------------------------------------------------- our side

    def use(self) -> None:
        factories.used(self.sold, self.dice.randrange(1, 2_000))
        logged()

    def build(self) -> None:
        factories.build_settlement(epoch=self.epoch)

    def fail(self) -> None:
        """Our commit is given up; the chain may have it or get it all the same."""
        row = self.newest()
        if row and row.intent_id:
            Intent.objects.filter(pk=row.intent_id).exclude(state="final").update(
                state="canceled"
            )
            mark_failed(settlement_pk=row.pk, intent_pk=row.intent_id)

    def mature(self) -> None:
        mature_due(final=FinalBlock(0, timezone.now() + timedelta(days=3)))

    def push(self) -> None:
        row = Settlement.objects.filter(state="matured").order_by("-epoch").first()
        if row:
            place = self.place()
            claimed = {} if place is None else {place: self.claimed}
            push_payouts(settlement=row, claimed=claimed, threshold_units=1)

    def replay(self) -> None:
        """A job runs again, late, or before its turn."""
        factories.followed(self.dice.randrange(1, self.epoch + 1))
        for log in Event.objects.filter(name="Paid"):
            apply_payment(event=log)

    def change_wallet(self) -> None:
        address = self.dice.choice(factories.ADDRESSES)
        Holder.objects.filter(pk=self.payee.pk).update(payout_address=address)

    # ------------------------------------------------------------------ the chain's

    def commit(self) -> None:
        """Roots of ours for the epoch that is due, by whomever."""
        row = Settlement.objects.filter(epoch=self.epoch).first()
        if row is None:
            return
        factories.commit_log(row, tx=self.tx())
        self.epoch, self.pending = self.epoch + 1, row
        factories.followed(row.epoch)

    def veto(self) -> None:
        """Until somebody was paid from it: then its window was over."""
        row = self.pending
        if row is None or row.payouts.filter(state="paid").exists():
            return
        factories.event_row("Vetoed", {"epoch": str(row.epoch)}, self.tx())
        self.epoch, self.pending = row.epoch + 2, None
        if self.dice.random() < 0.8:
            factories.followed(row.epoch)

    def pay(self) -> None:
        """What was pushed from the newest root is mined, or a stranger is quicker."""
        sending = Payout.objects.filter(state="sending").order_by("-settlement__epoch")
        row = sending.select_related("settlement").first()
        if row is None or row.settlement != self.pending:
            return
        leaf = factories.leaf_of(row.settlement, self.payee)
        tx, owed = self.tx(), leaf.cumulative_units - self.claimed
        mine = self.dice.random() < 0.7
        if mine:
            self.final(row, tx)
        if owed:
            args = {"index": str(leaf.position), "account": leaf.account}
            log = factories.event_row("Paid", {**args, "amount": str(owed)}, tx)
            self.claimed += owed
            apply_payment(event=log)
        if mine and row.intent_id and (places := silent(row.intent_id)):
            claimed = dict.fromkeys(places, self.claimed)
            cover(intent_pk=row.intent_id, claimed=claimed)

    def take_back_a_commit(self) -> None:
        """Another block has it again, or none has."""
        row = self.pending
        is_paid = row and row.payouts.filter(state="paid").exists()
        if row is None or row != self.newest() or is_paid:
            return
        logs = Event.objects.filter(name="Committed", args__epoch=str(row.epoch))
        log = logs.get(removed_at=None)
        logs.update(removed_at=timezone.now())
        factories.followed(row.epoch)
        if self.dice.random() < 0.5:
            self.epoch, self.pending = row.epoch, None
            return
        log.pk, log.block_hash = None, f"0x{next(self.numbers):064x}"
        log.save()
        factories.followed(row.epoch)

    def take_back_a_payment(self) -> None:
        """A deep reorganization, which the same transaction mostly survives."""
        log = Event.objects.filter(name="Paid", removed_at=None).order_by("-pk").first()
        if log is None:
            return
        Event.objects.filter(pk=log.pk).update(removed_at=timezone.now())
        reverse(event=log)
        assert figures(self.payee)["paid"] == self.claimed - int(log.args["amount"])
        again = Event.objects.get(pk=log.pk)
        again.pk, again.removed_at = None, None
        again.block_hash = f"0x{next(self.numbers):064x}"
        again.save()
        apply_payment(event=again)

    # ------------------------------------------------------------------- what holds

    def is_wanted(self, row: Settlement) -> bool:
        """Our side still sends it."""
        assert row.intent is not None
        return row.state == "built" and row.intent.state == "queued"

    def place(self) -> int | None:
        self.payee.refresh_from_db()
        return self.payee.position

    def tx(self) -> bytes:
        return f"tx {next(self.numbers)}".encode()

    def final(self, row: Payout, tx: bytes) -> None:
        Intent.objects.filter(pk=row.intent_id).update(
            state="final", tx_hash="0x" + sha256(tx).hex(), block_number=0
        )

    def check(self) -> None:
        """Rows say what the chain paid, and no total ever falls."""
        assert figures(self.payee)["paid"] == self.claimed
        assert [one.invariant.id for one in verify(node=False) if one.findings] == []
        assert Network.objects.get().halted_reason == ""

    def finish(self) -> None:
        """From wherever it is, honest turns settle and pay everything."""
        for _ in range(4):
            for row in Settlement.objects.all():
                factories.followed(row.epoch)
            self.build()
            newest = self.newest()
            if newest and newest.epoch == self.epoch and self.is_wanted(newest):
                self.commit()
            self.mature()
            self.push()
            while Payout.objects.filter(
                state="sending", settlement=self.pending
            ).exists():
                self.pay()
        self.check()
        earned = Increment.objects.aggregate(all=Sum("fee_units") + Sum("usage_units"))[
            "all"
        ]
        newest = Settlement.objects.filter(state="matured").order_by("-epoch").first()
        assert newest is not None
        assert newest.earned_units == earned
        leaf = newest.leaves.get(tree=Leaf.Tree.EARNINGS, holder=self.payee)
        assert self.claimed == leaf.cumulative_units
        assert figures(self.payee)["lifetime"] == self.claimed


def play(seed: int, ada: User, mia: User, ben: User) -> None:
    asset = factories.model_asset(party_of(ada), party_of(mia))
    sold = factories.license_of(asset, party_of(ben))
    Round(seed, sold, factories.wallet_of(party_of(mia), 1)).run()


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_happens_all_is_paid_once(
    ada: User, mia: User, ben: User, seed: int
) -> None:
    play(seed, ada, mia, ben)


@pytest.mark.long
@pytest.mark.parametrize("seed", LONG_SEEDS)
def test_whatever_happens_for_long(ada: User, mia: User, ben: User, seed: int) -> None:
    play(seed, ada, mia, ben)
