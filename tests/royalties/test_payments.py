"""Payments: batches of aligned leaves, and rows that say what the chain says."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Holder, User
from chain.models import Event, Intent, Network
from chain.read import NOBODY
from colophon.digest import sha256
from colophon.earnings import combined_root, verify_committed
from outbox.errors import Retry
from outbox.models import Job
from royalties.ask import Answer, ask_payout
from royalties.models import Increment, Leaf, Payout
from royalties.paid import (
    apply_payment,
    cover,
    release,
    reverse,
    reverse_sent,
    silent,
)
from royalties.push import BATCH, push_payouts
from royalties.statement import figures
from royalties.verify import verify
from tests.cast import party_of
from tests.factories import logged
from tests.royalties import factories
from tests.royalties.factories import build_settlement


@pytest.fixture
def sold(ada: User, mia: User, ben: User) -> Any:
    """A license with uses of it; nobody has a wallet yet."""
    asset = factories.model_asset(party_of(ada), party_of(mia))
    row = factories.license_of(asset, party_of(ben))
    factories.used(row, 1_000)
    return row


def chain_says(name: str, holder: Holder, units: int, tx: str, account: str) -> Any:
    """A final log about one holder."""
    assert holder.position is not None
    args = {"index": str(holder.position), "account": account, "amount": str(units)}
    return factories.event_row(name, args, tx.encode(), holder.position)


def test_a_payment_proves_its_words_under_the_committed_root(
    sold: Any, mia: User, ada: User
) -> None:
    factories.wallet_of(party_of(mia), 1)
    settlement = factories.matured(factories.settled())
    made = push_payouts(settlement=settlement, claimed={}, threshold_units=1)
    assert [row.holder for row in made] == [party_of(mia).holder]
    intent = Intent.objects.get(kind="pay")
    root = combined_root(bytes(settlement.earnings_root), bytes(settlement.spend_root))
    words = [int(one) for one in intent.args["words"]]
    proof = [bytes.fromhex(one[2:]) for one in intent.args["proof"]]
    verify_committed(words, int(intent.args["firstIndex"]), proof, root)


def test_below_the_threshold_nobody_is_paid_unasked(
    sold: Any, mia: User, settings: Any
) -> None:
    settings.PAYOUT_THRESHOLD_UNITS = 1_000_000
    factories.wallet_of(party_of(mia), 1)
    settlement = factories.matured(factories.settled())  # 12 % of $2.60
    assert push_payouts(settlement=settlement, claimed={}) == []
    assert push_payouts(settlement=settlement, claimed={}, threshold_units=1)


def test_a_second_push_of_the_same_settlement_sends_nothing(
    sold: Any, mia: User
) -> None:
    factories.wallet_of(party_of(mia), 1)
    settlement = factories.matured(factories.settled())
    assert len(push_payouts(settlement=settlement, claimed={}, threshold_units=1)) == 1
    assert push_payouts(settlement=settlement, claimed={}, threshold_units=1) == []
    assert Intent.objects.filter(kind="pay").count() == 1


def test_what_was_claimed_before_is_not_sent_again(sold: Any, mia: User) -> None:
    holder = factories.wallet_of(party_of(mia), 1)
    settlement = factories.matured(factories.settled())
    leaf = factories.leaf_of(settlement, holder)
    claimed = {leaf.position: leaf.cumulative_units}
    assert push_payouts(settlement=settlement, claimed=claimed, threshold_units=1) == []


def test_a_late_push_of_an_older_settlement_takes_nothing_back(
    ada: User, mia: User, ben: User
) -> None:
    """Mia was paid from a newer one, whose payment to Ada did not go through."""
    factories.wallet_of(party_of(mia), 1)
    factories.wallet_of(party_of(ada))
    told = factories.license_of(
        factories.model_asset(party_of(ada), party_of(mia)), party_of(ben)
    )
    factories.used(told, 1_000)
    old = factories.matured(factories.settled())
    mine = factories.leaf_of(old, party_of(mia).holder)
    newer = {mine.position: mine.cumulative_units + 70}
    made = push_payouts(settlement=old, claimed=newer, threshold_units=1)
    assert [row.holder for row in made] == [party_of(ada).holder]


def test_whoever_asks_is_paid_and_only_their_batch(
    sold: Any, mia: User, ada: User
) -> None:
    """Holders in another batch of 64 are not paid because one asked."""
    mine = factories.wallet_of(party_of(mia), 1)
    hers = factories.wallet_of(party_of(ada), 2)
    Holder.objects.filter(pk=mine.pk).update(position=3)
    Holder.objects.filter(pk=hers.pk).update(position=BATCH + 3)
    settlement = factories.matured(factories.settled())
    mine.refresh_from_db()
    made = push_payouts(
        settlement=settlement, claimed={}, threshold_units=1, holder_pk=mine.pk
    )
    assert [row.holder_id for row in made] == [mine.pk]
    rest = push_payouts(settlement=settlement, claimed={}, threshold_units=1)
    assert [row.holder_id for row in rest] == [hers.pk]
    firsts = {one.args["firstIndex"] for one in Intent.objects.filter(kind="pay")}
    assert firsts == {"0", str(BATCH)}


def test_one_batch_pays_all_its_holders_with_one_transaction(
    sold: Any, mia: User, ada: User
) -> None:
    factories.wallet_of(party_of(mia), 1)
    factories.wallet_of(party_of(ada), 2)
    settlement = factories.matured(factories.settled())
    made = push_payouts(settlement=settlement, claimed={}, threshold_units=1)
    assert len(made) == 2
    assert len({row.intent_id for row in made}) == 1


def test_a_paid_log_makes_the_row_paid_once(sold: Any, mia: User) -> None:
    holder = factories.wallet_of(party_of(mia), 1)
    settlement = factories.matured(factories.settled())
    factories.paid(settlement)
    row = Payout.objects.get(holder=holder)
    assert (row.state, row.units) == ("paid", figures(holder)["lifetime"])
    assert row.paid_at is not None
    log = factories.event_row("Noise", {}, b"x")
    log.name, log.tx_hash = "Paid", row.tx_hash
    log.args = {
        "index": str(row.holder.position),
        "account": row.account,
        "amount": "999",
    }
    apply_payment(event=log)
    row.refresh_from_db()
    assert row.units == figures(holder)["lifetime"]


def test_an_unpaid_log_blocks_the_row_and_asking_sends_it_again(
    sold: Any, mia: User
) -> None:
    holder = factories.wallet_of(party_of(mia), 1)
    settlement = factories.matured(factories.settled())
    (row,) = push_payouts(settlement=settlement, claimed={}, threshold_units=1)
    tx = "0x" + sha256(b"first").hex()
    Intent.objects.filter(pk=row.intent_id).update(state="final", tx_hash=tx)
    holder.refresh_from_db()
    apply_payment(event=chain_says("Unpaid", holder, row.units, "first", row.account))
    row.refresh_from_db()
    assert row.state == "blocked"
    assert figures(holder)["available"] == row.units
    assert ask_payout(holder) is Answer.ASKED
    again = push_payouts(
        settlement=settlement, claimed={}, threshold_units=1, holder_pk=holder.pk
    )
    assert [one.pk for one in again] == [row.pk]
    row.refresh_from_db()
    assert row.state == "sending"
    assert Intent.objects.filter(kind="pay").count() == 2


def test_a_failed_pay_frees_its_payouts(sold: Any, mia: User) -> None:
    factories.wallet_of(party_of(mia), 1)
    settlement = factories.matured(factories.settled())
    (row,) = push_payouts(settlement=settlement, claimed={}, threshold_units=1)
    assert row.intent_id is not None
    release(intent_pk=row.intent_id)
    row.refresh_from_db()
    assert row.state == "blocked"


def test_a_payment_by_a_stranger_gets_a_row_of_its_own(sold: Any, mia: User) -> None:
    holder = factories.wallet_of(party_of(mia), 1)
    settlement = factories.matured(factories.settled())
    holder.refresh_from_db()
    leaf = factories.leaf_of(settlement, holder)
    log = chain_says("Paid", holder, leaf.cumulative_units, "stranger", leaf.account)
    apply_payment(event=log)
    row = Payout.objects.get(holder=holder)
    assert (row.state, row.intent, row.settlement) == ("paid", None, settlement)
    assert [one.findings for one in verify(node=False) if one.findings] == []


def test_a_stranger_who_pays_before_we_know_it_matured_is_not_lost(
    sold: Any, mia: User
) -> None:
    """The chain's clock may be ahead of our row: the newer root was paid."""
    holder = factories.wallet_of(party_of(mia), 1)
    factories.paid(factories.matured(factories.settled()))
    first = figures(holder)["paid"]
    factories.used(sold, 5_000)
    second = factories.committed(factories.settled())
    holder.refresh_from_db()
    leaf = factories.leaf_of(second, holder)
    units = leaf.cumulative_units - first
    apply_payment(event=chain_says("Paid", holder, units, "early", leaf.account))
    assert figures(holder)["paid"] == leaf.cumulative_units
    assert Payout.objects.get(settlement=second).units == units


def test_a_strangers_transaction_that_pays_by_two_roots_counts_in_full(
    sold: Any, mia: User
) -> None:
    """Else what was paid already would be shown as available for ever."""
    holder = factories.wallet_of(party_of(mia), 1)
    first = factories.matured(factories.settled())
    factories.used(sold, 5_000)
    second = factories.matured(factories.settled())
    holder.refresh_from_db()
    old, new = (factories.leaf_of(one, holder) for one in (first, second))
    parts = (old.cumulative_units, new.cumulative_units - old.cumulative_units)
    logs = [
        factories.event_row(
            "Paid",
            {
                "index": str(holder.position),
                "account": old.account,
                "amount": str(units),
            },
            b"both",
            at,
        )
        for at, units in enumerate(parts)
    ]
    for log in (*logs, *logs):
        apply_payment(event=log)
    assert figures(holder)["paid"] == new.cumulative_units
    assert figures(holder)["available"] == 0
    assert [one.findings for one in verify(node=False) if one.findings] == []


def test_a_blocked_row_of_an_older_settlement_does_not_take_a_newer_payment(
    sold: Any, mia: User
) -> None:
    holder = factories.wallet_of(party_of(mia), 1)
    first = factories.matured(factories.settled())
    (row,) = push_payouts(settlement=first, claimed={}, threshold_units=1)
    release(intent_pk=row.intent_id or 0)
    factories.used(sold, 5_000)
    second = factories.matured(factories.settled())
    holder.refresh_from_db()
    leaf = factories.leaf_of(second, holder)
    log = chain_says("Paid", holder, leaf.cumulative_units, "newer", leaf.account)
    apply_payment(event=log)
    row.refresh_from_db()
    assert row.state == "blocked"
    paid = Payout.objects.get(settlement=second)
    assert paid.units == leaf.cumulative_units


def test_a_log_about_nobody_makes_no_row(sold: Any, mia: User) -> None:
    settlement = factories.matured(factories.settled())
    holder = party_of(mia).holder
    leaf = factories.leaf_of(settlement, holder)
    assert leaf.account == NOBODY
    log = chain_says("Unpaid", holder, leaf.cumulative_units, "pay", NOBODY)
    assert apply_payment(event=log) is None
    assert not Payout.objects.exists()


def test_without_a_wallet_money_waits_and_a_new_wallet_settles_it(
    sold: Any, mia: User
) -> None:
    holder = party_of(mia).holder
    settlement = factories.matured(factories.settled())
    assert push_payouts(settlement=settlement, claimed={}, threshold_units=1) == []
    assert ask_payout(holder) is Answer.NO_WALLET
    assert figures(holder)["available"] > 0
    assert build_settlement(epoch=2) is None, "nothing is due"
    holder = factories.wallet_of(party_of(mia), 1)
    assert ask_payout(holder) is Answer.NEXT_SETTLEMENT
    second = factories.settled()
    assert (second.count, second.earned_units) == (0, settlement.earned_units)
    factories.matured(second)
    assert ask_payout(holder) is Answer.ASKED
    factories.paid(second)
    assert figures(holder)["available"] == 0
    assert build_settlement(epoch=3) is None, "nobody waits any more"


def test_asking_twice_is_one_job(sold: Any, mia: User) -> None:
    holder = factories.wallet_of(party_of(mia), 1)
    assert ask_payout(holder) is Answer.NOTHING_YET
    factories.matured(factories.settled())
    assert ask_payout(holder) is ask_payout(holder) is Answer.ASKED
    jobs = Job.objects.filter(kind="payouts.push", payload__holder=holder.pk)
    assert jobs.count() == 1


def test_a_vetoed_settlement_is_committed_anew_with_the_same_totals(
    sold: Any, mia: User
) -> None:
    first = factories.committed(factories.settled())
    factories.vetoed(first)
    second = factories.settled(epoch=3)
    assert second.earned_units == first.earned_units
    assert bytes(second.earnings_root) == bytes(first.earnings_root)
    assert second.intent != first.intent
    assert Increment.objects.count() == 1
    factories.matured(second)
    assert [one.findings for one in verify(node=False) if one.findings] == []


def test_leaves_keep_their_place_for_ever(sold: Any, mia: User, ada: User) -> None:
    first = factories.matured(factories.settled())
    factories.used(sold, 300)
    logged()
    second = factories.matured(factories.settled())
    places = [
        dict(
            one.leaves.filter(tree=Leaf.Tree.EARNINGS).values_list("holder", "position")
        )
        for one in (first, second)
    ]
    assert places[0] == places[1]


# ------------------------------------------------------------------ another wallet


def test_a_changed_wallet_moves_what_is_owed_to_it(sold: Any, mia: User) -> None:
    holder = factories.wallet_of(party_of(mia), 1)
    first = factories.matured(factories.settled())
    holder = factories.wallet_of(party_of(mia), 2)
    assert push_payouts(settlement=first, claimed={}, threshold_units=1) == []
    assert ask_payout(holder) is Answer.NEXT_SETTLEMENT
    second = factories.settled()
    assert (second.count, second.earned_units) == (0, first.earned_units)
    assert factories.leaf_of(second, holder).account == factories.ADDRESSES[2]
    factories.matured(second)
    factories.paid(second)
    assert figures(holder)["available"] == 0
    assert Payout.objects.get(holder=holder).account == factories.ADDRESSES[2]
    assert build_settlement(epoch=3) is None, "nobody waits any more"


def test_a_changed_wallet_of_somebody_who_is_owed_nothing_waits(
    sold: Any, mia: User
) -> None:
    factories.wallet_of(party_of(mia), 1)
    factories.paid(factories.matured(factories.settled()))
    factories.wallet_of(party_of(mia), 2)
    assert build_settlement(epoch=2) is None


def test_money_is_not_sent_to_a_wallet_that_was_taken_away(
    sold: Any, mia: User
) -> None:
    holder = factories.wallet_of(party_of(mia), 1)
    factories.matured(factories.settled())
    Holder.objects.filter(pk=holder.pk).update(payout_address="")
    second = factories.settled()
    assert factories.leaf_of(second, holder).account == NOBODY


# ------------------------------------------------------- taken back, and covered


def gone(log: Event) -> Event:
    """The chain took a log back."""
    log.removed_at = timezone.now()
    log.save()
    return log


def test_a_payment_that_left_the_chain_is_owed_again(sold: Any, mia: User) -> None:
    holder = factories.wallet_of(party_of(mia), 1)
    settlement = factories.matured(factories.settled())
    (row,) = factories.paid(settlement)
    log = gone(Event.objects.get(name="Paid"))
    assert reverse(event=log) == 1
    assert reverse(event=log) == 0, "once"
    row.refresh_from_db()
    assert (row.state, row.paid_at) == ("reversed", None)
    assert figures(holder)["available"] == row.units
    assert [one.findings for one in verify(node=False) if one.findings] == []
    assert ask_payout(holder) is Answer.ASKED
    again = push_payouts(settlement=settlement, claimed={}, threshold_units=1)
    assert [one.pk for one in again] == [row.pk]


def test_a_payment_that_comes_back_is_paid_again(sold: Any, mia: User) -> None:
    """The same transaction in another block, also when another was sent meanwhile."""
    holder = factories.wallet_of(party_of(mia), 1)
    settlement = factories.matured(factories.settled())
    (row,) = factories.paid(settlement)
    first = gone(Event.objects.get(name="Paid"))
    reverse(event=first)
    push_payouts(settlement=settlement, claimed={}, threshold_units=1)
    again = Event.objects.get(pk=first.pk)
    again.pk, again.removed_at, again.block_hash = None, None, "0x" + "0c" * 32
    again.save()
    apply_payment(event=again)
    row.refresh_from_db()
    assert (row.state, row.tx_hash) == ("paid", first.tx_hash)
    assert figures(holder)["available"] == 0
    assert Payout.objects.count() == 1
    assert reverse(event=first) == 0, "late news of the first block change nothing"


def test_a_log_that_is_gone_pays_nobody(sold: Any, mia: User) -> None:
    holder = factories.wallet_of(party_of(mia), 1)
    settlement = factories.matured(factories.settled())
    push_payouts(settlement=settlement, claimed={}, threshold_units=1)
    holder.refresh_from_db()
    leaf = factories.leaf_of(settlement, holder)
    log = chain_says("Paid", holder, leaf.cumulative_units, "gone", leaf.account)
    assert apply_payment(event=gone(log)) is None
    assert Payout.objects.get().state == "sending"


def test_a_pay_that_was_final_and_left_is_owed_again(sold: Any, mia: User) -> None:
    factories.wallet_of(party_of(mia), 1)
    (row,) = factories.paid(factories.matured(factories.settled()))
    assert row.intent_id is not None
    assert reverse_sent(intent_pk=row.intent_id) == 0, "its log is still there"
    gone(Event.objects.get(name="Paid"))
    assert reverse_sent(intent_pk=row.intent_id) == 1


def sent(row: Payout, tx: str, block: int = 100) -> str:
    """The payout's transaction is final."""
    tx_hash = "0x" + sha256(tx.encode()).hex()
    Intent.objects.filter(pk=row.intent_id).update(
        state="final", tx_hash=tx_hash, block_number=block
    )
    Network.objects.update(followed_block=block)
    return tx_hash


def test_a_pay_that_moved_nothing_covers_its_payout(sold: Any, mia: User) -> None:
    """A newer settlement's pay was mined first and had moved this money, too."""
    holder = factories.wallet_of(party_of(mia), 1)
    settlement = factories.matured(factories.settled())
    (row,) = push_payouts(settlement=settlement, claimed={}, threshold_units=1)
    assert row.intent_id is not None
    sent(row, "late")
    holder.refresh_from_db()
    place = holder.position
    assert place is not None
    assert silent(row.intent_id) == [place]
    cover(intent_pk=row.intent_id, claimed={place: row.cumulative_units})
    row.refresh_from_db()
    assert row.state == "covered"
    assert push_payouts(settlement=settlement, claimed={}, threshold_units=1) == []


def test_a_pay_that_the_contract_does_not_know_of_is_sent_again(
    sold: Any, mia: User
) -> None:
    holder = factories.wallet_of(party_of(mia), 1)
    settlement = factories.matured(factories.settled())
    (row,) = push_payouts(settlement=settlement, claimed={}, threshold_units=1)
    holder.refresh_from_db()
    assert row.intent_id is not None
    assert holder.position is not None
    sent(row, "late")
    cover(intent_pk=row.intent_id, claimed={holder.position: 0})
    row.refresh_from_db()
    assert row.state == "blocked"


def test_a_payout_is_not_called_silent_before_its_logs_are_read(
    sold: Any, mia: User
) -> None:
    holder = factories.wallet_of(party_of(mia), 1)
    settlement = factories.matured(factories.settled())
    (row,) = push_payouts(settlement=settlement, claimed={}, threshold_units=1)
    assert row.intent_id is not None
    sent(row, "pay")
    Network.objects.update(followed_block=99)
    with pytest.raises(Retry, match="not read yet"):
        silent(row.intent_id)
    Network.objects.update(followed_block=100)
    holder.refresh_from_db()
    log = chain_says("Paid", holder, row.units, "pay", row.account)
    Event.objects.filter(pk=log.pk).update(final_at=None)
    with pytest.raises(Retry, match="not read yet"):
        silent(row.intent_id)
    Event.objects.filter(pk=log.pk).update(final_at=timezone.now())
    assert silent(row.intent_id) == []
