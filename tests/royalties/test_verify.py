"""The ledger's invariants: each one holds, and each one notices what breaks it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import User
from chain.models import Event, Intent, Network
from colophon.cloudevent import parse_event
from marketplace.models import License
from outbox.claims import Claim
from outbox.enqueue import enqueue
from royalties import tasks
from royalties.models import (
    Accrual,
    Leaf,
    Payout,
    Settlement,
    Tally,
    UsageBatch,
    UsageEvent,
)
from royalties.receive import receive
from royalties.record import record_batch
from royalties.verify import INVARIANTS, first_broken, verify
from tests.cast import party_of
from tests.factories import logged as all_logged
from tests.royalties import factories

Told = factories.Told


@pytest.fixture
def told(ada: User, mia: User, ben: User) -> Told:
    """Two settlements, the first paid, the second under way."""
    found = factories.story(party_of(ada), party_of(mia), party_of(ben))
    factories.used(found.license, 700)
    factories.committed(factories.settled())
    return found


def broken() -> list[str]:
    return [one.invariant.id for one in verify(node=False) if one.findings]


def test_a_true_ledger_holds(told: Told) -> None:
    assert broken() == []
    assert first_broken(quick=True) == ""


def test_an_empty_ledger_holds(db: None) -> None:
    assert broken() == []


def test_batches_that_are_counted_in_another_order_than_they_came_hold(
    told: Told,
) -> None:
    """Two workers: the second batch is counted first."""
    bodies = [factories.use_body(told.license, quantity) for quantity in (10, 20)]
    late, early = (
        receive(uses=[parse_event(one)], party=told.license.buyer)[0].row.batch_id
        for one in bodies
    )
    record_batch(batch_pk=early)
    record_batch(batch_pk=late)
    assert broken() == []


def add_a_unit_to_a_part(told: Told) -> None:
    row = Accrual.objects.order_by("pk").first()
    Accrual.objects.filter(pk=row.pk).update(units=F("units") + 1)


def move_a_unit_between_parts(told: Told) -> None:
    one, two = Accrual.objects.order_by("pk")[:2]
    Accrual.objects.filter(pk=one.pk).update(units=F("units") + 1)
    Accrual.objects.filter(pk=two.pk).update(units=F("units") - 1)


def change_the_frozen_shares(told: Told) -> None:
    shares = told.license.shares
    shares[0]["ppm"] -= 1
    shares[1]["ppm"] += 1
    License.objects.filter(pk=told.license.pk).update(shares=shares)


def change_the_price_after_the_sale(told: Told) -> None:
    License.objects.filter(pk=told.license.pk).update(price_units=F("price_units") + 1)


def charge_beyond_the_deposit(told: Told) -> None:
    License.objects.filter(pk=told.license.pk).update(deposit_units=1_000)


def open_what_was_closed(told: Told) -> None:
    Tally.objects.update(closed_units=F("closed_units") - 1)


def change_a_reported_body(told: Told) -> None:
    event = UsageEvent.objects.order_by("pk").first()
    event.body["source"] = "https://elsewhere.example"
    UsageEvent.objects.filter(pk=event.pk).update(body=event.body)


def change_a_reported_quantity(told: Told) -> None:
    UsageEvent.objects.filter(position=0).update(quantity=F("quantity") + 1)


def lose_an_event(told: Told) -> None:
    UsageEvent.objects.order_by("pk").first().delete()


def uncount_an_event(told: Told) -> None:
    row = UsageEvent.objects.order_by("pk").first()
    UsageEvent.objects.filter(pk=row.pk).update(state="quarantined")


def drop_the_log_entry_of_a_batch(told: Told) -> None:
    UsageBatch.objects.update(entry=None)


def count_uses_that_nobody_reported(told: Told) -> None:
    Tally.objects.update(quantity=F("quantity") + 1_000)


def close_uses_that_no_checkpoint_covers(told: Told) -> None:
    Settlement.objects.filter(epoch=1).update(log_size=1)


def close_another_number_of_events(told: Told) -> None:
    Settlement.objects.filter(epoch=1).update(count=F("count") + 1)


def lower_a_leaf(told: Told) -> None:
    newest = Settlement.objects.get(epoch=2)
    leaf = newest.leaves.filter(tree="earnings").first()
    Leaf.objects.filter(pk=leaf.pk).update(cumulative_units=1)


def move_units_between_leaves(told: Told) -> None:
    one, two = Leaf.objects.filter(settlement__epoch=1, tree="earnings")[:2]
    Leaf.objects.filter(pk=one.pk).update(cumulative_units=F("cumulative_units") + 1)
    Leaf.objects.filter(pk=two.pk).update(cumulative_units=F("cumulative_units") - 1)


def say_that_more_was_earned(told: Told) -> None:
    Settlement.objects.filter(epoch=2).update(earned_units=F("earned_units") + 1)


def say_that_more_was_earned_once(told: Told) -> None:
    Settlement.objects.filter(epoch=1).update(earned_units=F("earned_units") + 1)


def change_a_root(told: Told) -> None:
    Settlement.objects.filter(epoch=1).update(earnings_root=b"\1" * 32)


def ask_the_chain_for_another_root(told: Told) -> None:
    intent = Settlement.objects.get(epoch=1).intent
    intent.args["spendRoot"] = "0x" + "00" * 32
    intent.save()


def pay_somebody_without_a_leaf(told: Told) -> None:
    Payout.objects.update(holder=party_of(User.objects.get(name="Ben")).holder)


def pay_more_than_was_earned(told: Told) -> None:
    Payout.objects.update(units=F("units") * 100)


def pay_without_a_transaction(told: Told) -> None:
    Event.objects.filter(name="Paid").delete()


def forget_a_payment(told: Told) -> None:
    Payout.objects.update(state="sending")


def lose_a_deposit(told: Told) -> None:
    Event.objects.filter(name="Deposited").delete()


def give_back_what_was_charged(told: Told) -> None:
    account = told.license.account
    args = {"account": account, "amount": "12000000"}
    factories.event_row("Refunded", args, b"all of it")


TAMPERS: dict[Callable[[Told], None], str] = {
    add_a_unit_to_a_part: "sums",
    move_a_unit_between_parts: "parts",
    change_the_frozen_shares: "parts",
    change_the_price_after_the_sale: "shares",
    charge_beyond_the_deposit: "shares",
    open_what_was_closed: "closed",
    change_a_reported_body: "events",
    change_a_reported_quantity: "events",
    lose_an_event: "events",
    uncount_an_event: "tallies",
    drop_the_log_entry_of_a_batch: "events",
    count_uses_that_nobody_reported: "tallies",
    close_uses_that_no_checkpoint_covers: "increments",
    close_another_number_of_events: "increments",
    lower_a_leaf: "leaves",
    move_units_between_leaves: "leaves",
    say_that_more_was_earned: "totals",
    say_that_more_was_earned_once: "totals",
    change_a_root: "roots",
    ask_the_chain_for_another_root: "roots",
    pay_somebody_without_a_leaf: "covered",
    pay_more_than_was_earned: "covered",
    pay_without_a_transaction: "logged",
    forget_a_payment: "logged",
    lose_a_deposit: "funds",
    give_back_what_was_charged: "funds",
}
QUICK: dict[Callable[[Told], None], str] = {
    add_a_unit_to_a_part: "sums",
    charge_beyond_the_deposit: "deposits",
    open_what_was_closed: "closed",
    lower_a_leaf: "falls",
    say_that_more_was_earned: "newest",
    give_back_what_was_charged: "refunds",
}


def undone(tamper: Callable[[Told], None], told: Told, ask: Callable[[], str]) -> str:
    """What the ledger says of a change, which is taken back afterwards."""
    with transaction.atomic():
        tamper(told)
        said = ask()
        transaction.set_rollback(True)
    return said


def test_the_first_broken_invariant_is_named(told: Told) -> None:
    found = {
        tamper.__name__: undone(tamper, told, lambda: next(iter(broken()), "none"))
        for tamper in TAMPERS
    }
    assert found == {tamper.__name__: first for tamper, first in TAMPERS.items()}
    assert broken() == []


def test_what_is_asked_before_each_settlement_is_quick_and_notices(
    told: Told, django_assert_max_num_queries: Any
) -> None:
    def ask() -> str:
        with django_assert_max_num_queries(12):
            return first_broken(quick=True).partition(":")[0]

    found = {tamper.__name__: undone(tamper, told, ask) for tamper in QUICK}
    assert found == {tamper.__name__: first for tamper, first in QUICK.items()}


def test_every_invariant_is_broken_by_some_test() -> None:
    wanted = {one.id for one in INVARIANTS if not one.node}
    assert {*TAMPERS.values(), *QUICK.values()} == wanted


def test_the_command_ends_with_the_first_violation(told: Told) -> None:
    out, err = StringIO(), StringIO()
    call_command("verify_ledger", "--no-node", stdout=out, stderr=err)
    assert "VIOLATED" not in out.getvalue()
    lower_a_leaf(told)
    with pytest.raises(CommandError, match="first violated invariant: leaves: "):
        call_command("verify_ledger", "--no-node", stdout=out, stderr=err)
    assert "the leaf of hol_" in err.getvalue()


def test_a_node_that_is_down_is_an_answer_and_no_violation(told: Told) -> None:
    last = list(verify())[-1]
    assert last.invariant.id == "chain"
    assert last.why
    assert not last.findings


def test_settling_stops_when_the_ledger_does_not_hold(told: Told) -> None:
    Settlement.objects.filter(epoch=2).update(
        state=Settlement.State.MATURED,
        matures_at=timezone.now() - timedelta(days=1),
    )
    factories.used(told.license, 900)
    all_logged()
    add_a_unit_to_a_part(told)
    with transaction.atomic():
        job = enqueue("settle.build", key="settle.build:test")
    claim = Claim.take(job)
    assert claim is not None
    tasks.build_settlement(claim)
    network = Network.objects.get()
    assert network.halted_reason.startswith("the ledger does not hold: sums: ")
    assert Settlement.objects.count() == 2
    assert Intent.objects.filter(kind="commit").count() == 2
