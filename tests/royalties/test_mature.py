"""A settlement's state: what the chain's final events say, whatever our intents did."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from chain.halt import resume
from chain.models import Event, Intent, Network
from chain.outcome import end
from chain.read import FinalBlock
from outbox.claims import Claim
from outbox.models import Job
from royalties import tasks
from royalties.mature import follow_epoch, mark_failed, mature_due
from royalties.models import Increment, Payout, Settlement
from royalties.push import push_payouts
from royalties.statement import figures
from royalties.verify import verify
from tests.cast import party_of
from tests.factories import logged
from tests.royalties import factories
from tests.royalties.factories import build_settlement

State = Settlement.State


@pytest.fixture
def sold(ada: User, mia: User, ben: User) -> Any:
    """A license with uses of it; Mia has a wallet."""
    asset = factories.model_asset(party_of(ada), party_of(mia))
    row = factories.license_of(asset, party_of(ben))
    factories.used(row, 1_000)
    factories.wallet_of(party_of(mia), 1)
    return row


@pytest.fixture
def built(sold: Any) -> Settlement:
    """A settlement whose commit is queued."""
    return factories.settled()


def final(*, ahead: timedelta = timedelta(days=3), number: int = 0) -> FinalBlock:
    return FinalBlock(number, timezone.now() + ahead)


def failed(settlement: Settlement, state: str = "reverted") -> Settlement:
    """The commit's intent ends without effect, and its job tells the settlement."""
    assert settlement.intent is not None
    with transaction.atomic():
        intent = Intent.objects.select_for_update().get(pk=settlement.intent.pk)
        end(intent, Intent.State(state), error="would revert: LedgerPaused()")
    return ended(settlement)


def ended(settlement: Settlement) -> Settlement:
    """The job of a commit's end."""
    assert settlement.intent is not None
    job = Job.objects.get(key=f"then:{settlement.intent.key}:failed")
    claim = Claim.take(job)
    assert claim is not None
    tasks.settlement_committed(claim)
    settlement.refresh_from_db()
    return settlement


def holds() -> bool:
    return not [one.invariant.id for one in verify(node=False) if one.findings]


# ---------------------------------------------------------------- a commit that fails


@pytest.mark.parametrize("state", ["reverted", "canceled"])
def test_a_commit_that_fails_is_sent_again_for_the_same_epoch(
    built: Settlement, mia: User, state: str
) -> None:
    roots = (bytes(built.earnings_root), bytes(built.spend_root), built.earned_units)
    assert failed(built, state).state == "failed"
    again = build_settlement(epoch=1)
    assert again is not None
    assert (again.pk, again.state) == (built.pk, "built")
    assert (
        bytes(again.earnings_root),
        bytes(again.spend_root),
        again.earned_units,
    ) == roots
    keys = Intent.objects.filter(kind="commit").order_by("pk")
    assert list(keys.values_list("key", flat=True)) == ["commit:1:0", "commit:1:1"]
    assert Increment.objects.count() == 1
    factories.paid(factories.matured(again))
    mine = figures(party_of(mia).holder)
    assert mine["paid"] == mine["lifetime"] > 0
    assert holds()


def test_a_second_build_does_not_send_a_second_commit(built: Settlement) -> None:
    failed(built)
    assert build_settlement(epoch=1) is not None
    assert build_settlement(epoch=1) is None
    assert Intent.objects.filter(kind="commit").count() == 2


def test_late_news_of_an_old_commit_do_not_fail_the_new_one(built: Settlement) -> None:
    old = built.intent
    assert old is not None
    failed(built)
    build_settlement(epoch=1)
    assert mark_failed(settlement_pk=built.pk, intent_pk=old.pk).state == "built"


def test_a_failed_commit_of_an_epoch_that_is_over_settles_in_the_next(
    built: Settlement,
) -> None:
    """The guardian's veto of a stranger's commit uses two numbers up."""
    failed(built)
    second = factories.settled(epoch=3)
    assert second.pk != built.pk
    assert second.earned_units == built.earned_units
    factories.matured(second)
    assert holds()


def test_more_uses_after_a_failed_commit_come_with_the_next_settlement(
    sold: Any, built: Settlement
) -> None:
    failed(built)
    factories.used(sold, 500)
    logged()
    again = build_settlement(epoch=1)
    assert again is not None
    assert again.earned_units == built.earned_units
    factories.matured(again)
    second = factories.settled()
    assert second.earned_units == built.earned_units + 500 * 600
    assert second.count == 1
    assert holds()


# --------------------------------------------------------------- the event decides


def test_a_commit_by_another_sender_counts_and_ours_is_dropped(
    built: Settlement,
) -> None:
    factories.commit_log(built)
    row = factories.followed(1)
    assert row is not None
    assert row.state == "committed"
    intent = Intent.objects.get(kind="commit")
    assert intent.state == "canceled"
    assert ended(built).state == "committed", (
        "the end of our own commit says nothing any more"
    )


def test_a_commit_that_we_called_failed_counts_when_it_is_there(
    built: Settlement,
) -> None:
    failed(built)
    factories.commit_log(built)
    row = factories.followed(1)
    assert row is not None
    assert row.state == "committed"
    assert build_settlement(epoch=2) is None, "it is open"


def test_the_window_is_the_contracts_and_not_a_setting(
    built: Settlement, settings: Any
) -> None:
    settings.CHALLENGE_WINDOW_SECONDS = 5
    log = factories.commit_log(built)
    row = follow_epoch(epoch=1, window=timedelta(hours=7))
    assert row is not None
    assert row.committed_at == log.mined_at
    assert row.matures_at == log.mined_at + timedelta(hours=7)


@pytest.mark.parametrize("what", ["earningsRoot", "spendRoot", "earned"])
def test_a_commit_of_something_else_for_our_epoch_halts(
    built: Settlement, what: str
) -> None:
    other = "1" if what == "earned" else "0x" + "ee" * 32
    factories.commit_log(built, **{what: other})
    row = factories.followed(1)
    assert row is not None
    assert row.state == "built"
    reason = Network.objects.get().halted_reason
    assert reason.startswith("epoch 1 was committed with roots that are not ours")
    assert mature_due(final=final()) == 0
    assert Intent.objects.get(kind="commit").state == "canceled", "it cannot apply"
    assert ended(built).state == "failed"
    assert build_settlement(epoch=2) is None, "halted"
    resume()
    second = factories.settled(epoch=2)
    assert second.earned_units == built.earned_units


def test_a_commit_of_an_epoch_that_we_never_built_halts(built: Settlement) -> None:
    factories.commit_log(built, epoch="7")
    assert factories.followed(7) is None
    assert "epoch 7 was committed" in Network.objects.get().halted_reason


def test_a_commit_that_is_not_final_yet_commits_nothing(built: Settlement) -> None:
    log = factories.commit_log(built)
    Event.objects.filter(pk=log.pk).update(final_at=None)
    row = factories.followed(1)
    assert row is not None
    assert row.state == "built"


def test_a_commit_that_left_the_chain_is_waited_for_again(built: Settlement) -> None:
    factories.matured(built)
    made = push_payouts(settlement=built, claimed={}, threshold_units=1)
    log = Event.objects.get(name="Committed")
    Event.objects.filter(pk=log.pk).update(removed_at=timezone.now())
    row = factories.followed(1)
    assert row is not None
    assert (row.state, row.matures_at) == ("built", None)
    assert Payout.objects.get(pk=made[0].pk).state == "blocked"
    Event.objects.filter(pk=log.pk).update(
        removed_at=None, mined_at=log.mined_at + timedelta(seconds=9)
    )
    factories.followed(1)
    assert mature_due(final=final()) == 1
    jobs = Job.objects.filter(kind="payouts.push", payload__settlement=built.pk)
    assert jobs.count() == 2, "each time it matures it is pushed"


def test_roots_of_another_sender_that_left_the_chain_are_sent_by_us(
    built: Settlement,
) -> None:
    """Our own commit was dropped as needless; it is needed after all."""
    factories.commit_log(built)
    factories.followed(1)
    Event.objects.filter(name="Committed").update(removed_at=timezone.now())
    row = factories.followed(1)
    assert row is not None
    assert row.state == "failed"
    again = build_settlement(epoch=1)
    assert again is not None
    assert again.intent is not None
    assert (again.pk, again.intent.key) == (built.pk, "commit:1:1")


# ------------------------------------------------------------------------------ veto


@pytest.mark.parametrize("order", [("Committed", "Vetoed"), ("Vetoed", "Committed")])
def test_a_veto_wins_in_whatever_order_its_jobs_run(
    built: Settlement, order: tuple[str, str]
) -> None:
    for name in order:
        if name == "Committed":
            factories.commit_log(built)
        else:
            factories.event_row("Vetoed", {"epoch": "1"}, b"veto")
        factories.followed(1)
    built.refresh_from_db()
    assert built.state == "vetoed"
    assert mature_due(final=final()) == 0


def test_a_veto_takes_back_what_we_called_matured(built: Settlement, mia: User) -> None:
    """What was paid stays paid; what is on its way is free; the totals come again."""
    first = factories.matured(built)
    (sending,) = push_payouts(settlement=first, claimed={}, threshold_units=1)
    vetoed = factories.vetoed(first)
    assert vetoed.state == "vetoed"
    sending.refresh_from_db()
    assert sending.state == "blocked"
    second = factories.settled(epoch=3)
    assert second.earned_units == first.earned_units
    assert bytes(second.earnings_root) == bytes(first.earnings_root)
    factories.paid(factories.matured(second))
    mine = figures(party_of(mia).holder)
    assert mine["paid"] == mine["lifetime"] > 0
    assert Increment.objects.count() == 1
    assert holds()


def test_a_veto_loses_no_payment(sold: Any, built: Settlement, mia: User) -> None:
    factories.paid(factories.matured(built))
    before = figures(party_of(mia).holder)["paid"]
    factories.used(sold, 2_000)
    factories.vetoed(factories.matured(factories.settled()))
    assert figures(party_of(mia).holder)["paid"] == before > 0
    factories.paid(factories.matured(factories.settled(epoch=4)))
    mine = figures(party_of(mia).holder)
    assert mine["paid"] == mine["lifetime"]
    assert holds()


def test_a_veto_that_left_the_chain_does_not_count(built: Settlement) -> None:
    factories.vetoed(factories.committed(built))
    Event.objects.filter(name="Vetoed").update(removed_at=timezone.now())
    row = factories.followed(1)
    assert row is not None
    assert row.state == "committed"


# ------------------------------------------------------------------------- maturing


def test_the_clock_is_the_newest_final_block(built: Settlement) -> None:
    row = factories.committed(built, days_ago=0)
    assert row.matures_at is not None
    early = FinalBlock(0, row.matures_at - timedelta(seconds=1))
    assert mature_due(final=early) == 0
    assert mature_due(final=FinalBlock(0, row.matures_at)) == 1
    assert mature_due(final=FinalBlock(0, row.matures_at)) == 0, "once"


def test_nothing_matures_before_the_final_block_was_read(built: Settlement) -> None:
    """A veto may be in a block that the follower has not seen."""
    factories.committed(built)
    assert mature_due(final=final(number=200)) == 0
    Network.objects.update(followed_block=200)
    assert mature_due(final=final(number=200)) == 1


def test_a_veto_that_was_read_and_not_handled_yet_is_waited_for(
    built: Settlement,
) -> None:
    factories.committed(built)
    factories.event_row("Vetoed", {"epoch": "1"}, b"veto")
    assert mature_due(final=final()) == 0
    built.refresh_from_db()
    assert built.state == "committed"
