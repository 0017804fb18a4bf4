"""Deposits decide: whoever sent the money, the chain's log issues the license."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import User
from chain.models import Event, Intent
from colophon.digest import sha256
from colophon.errors import ColophonError
from log.models import Entry
from marketplace.errors import OrderError
from marketplace.issue import fail_order, issue_license, take_back_deposit, take_deposit
from marketplace.models import License, Order
from marketplace.order import authorize
from marketplace.tasks import deposit_gone, deposit_seen
from outbox.claims import Claim
from outbox.models import Job
from provenance.models import Asset
from tests import factories
from tests.cast import party_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def work(ada: User) -> Asset:
    return factories.published_asset(party_of(ada))


def deposited(
    order: Order, *, final: bool = True, tx: bytes = b"", **args: Any
) -> Event:
    """The ledger's log of a deposit; by default exactly what the order asks for."""
    now = timezone.now()
    number = Event.objects.count()
    return Event.objects.create(
        contract="ColophonLedger",
        name="Deposited",
        args={
            "account": order.account,
            "accountIndex": "0",
            "amount": str(order.amount_units),
            "ref": "0x" + bytes(order.ref).hex(),
            **args,
        },
        block_number=100 + number,
        block_hash="0x" + sha256(b"block %d" % number).hex(),
        tx_hash="0x" + sha256(tx or order.code.encode()).hex(),
        log_index=0,
        position=0,
        mined_at=now,
        safe_at=now,
        final_at=now if final else None,
    )


@pytest.mark.parametrize("state", Order.State.values)
def test_a_deposit_issues_whatever_state_the_order_is_in(
    work: Asset, ben: User, state: str
) -> None:
    """Front-run, permit or plain deposit: the money is there, so the license is."""
    order = factories.open_order(work, party_of(ben))
    Order.objects.update(state=state, failed_reason="it was used already")
    row = take_deposit(event=deposited(order))
    assert row is not None
    assert (row.order, row.state) == (order, "active")
    assert row.final_at is not None
    order.refresh_from_db()
    assert order.state == "paid"
    assert order.failed_reason == "" or state == "paid"


def test_a_deposit_and_our_own_news_issue_once_in_either_order(
    work: Asset, ben: User
) -> None:
    one, two = (factories.open_order(work, party_of(ben)) for _ in range(2))
    assert issue_license(order_pk=one.pk) == take_deposit(event=deposited(one))
    assert take_deposit(event=deposited(two)) == issue_license(order_pk=two.pk)
    fail_order(order_pk=two.pk, reason="somebody was quicker")
    two.refresh_from_db()
    assert (two.state, two.failed_reason) == ("paid", "")
    assert License.objects.count() == 2
    assert Entry.objects.filter(kind="license").count() == 2
    assert Job.objects.filter(kind="license.deliver").count() == 2


@pytest.mark.parametrize("change", [-1, 1])
def test_another_amount_issues_nothing_and_is_kept_in_mind(
    work: Asset, ben: User, change: int
) -> None:
    order = factories.open_order(work, party_of(ben))
    wrong = deposited(order, amount=str(order.amount_units + change))
    assert take_deposit(event=wrong) is None
    assert take_deposit(event=wrong) is None  # twice is once
    order.refresh_from_db()
    assert (order.state, order.received_units) == (
        "open",
        order.amount_units + change,
    )
    assert not License.objects.exists()
    assert take_deposit(event=deposited(order, tx=b"right")) is not None


def test_money_that_comes_twice_issues_once_and_is_told(work: Asset, ben: User) -> None:
    """The buyer sent it to the contract, and signed here as well."""
    order = factories.open_order(work, party_of(ben))
    first, second = deposited(order), deposited(order, tx=b"again")
    row = take_deposit(event=first)
    assert take_deposit(event=second) == row
    assert take_deposit(event=first) == row
    order.refresh_from_db()
    assert (order.state, order.received_units) == ("paid", order.amount_units)
    assert License.objects.count() == 1


def test_who_has_paid_is_not_asked_to_pay_again(work: Asset, ben: User) -> None:
    """The deposit is in a block that is not safe yet, so there is no license."""
    factories.network()
    order = factories.open_order(work, party_of(ben))
    deposited(order, final=False)
    Event.objects.update(safe_at=None)
    with pytest.raises(OrderError, match="on the chain already"):
        authorize(order=order, signature="0x" + "11" * 65)
    Event.objects.update(removed_at=timezone.now())
    with pytest.raises(ColophonError, match="signature"):
        authorize(order=order, signature="0x" + "11" * 65)
    assert not Intent.objects.exists()


def test_a_permit_under_a_foreign_reference_pays_for_nothing(
    work: Asset, ben: User
) -> None:
    """A permit does not sign `ref`: the account has to match as well."""
    order = factories.open_order(work, party_of(ben))
    foreign = deposited(order, account="0x" + "aB" * 20)
    assert take_deposit(event=foreign) is None
    order.refresh_from_db()
    assert (order.state, order.received_units) == ("open", 0)


def test_a_deposit_for_no_order_of_ours_is_passed_over(work: Asset, ben: User) -> None:
    order = factories.open_order(work, party_of(ben))
    assert take_deposit(event=deposited(order, ref="0x" + "00" * 32)) is None
    assert not License.objects.exists()


def test_a_safe_deposit_issues_and_becomes_final_later(work: Asset, ben: User) -> None:
    order = factories.open_order(work, party_of(ben))
    event = deposited(order, final=False)
    row = take_deposit(event=event)
    assert row is not None
    assert (row.state, row.final_at) == ("active", None)
    Event.objects.update(final_at=timezone.now())
    again = take_deposit(event=event)
    assert again == row
    assert again is not None
    assert again.final_at is not None


def test_a_deposit_that_leaves_the_chain_takes_its_license_along(
    work: Asset, ben: User
) -> None:
    order = factories.open_order(work, party_of(ben))
    event = deposited(order, final=False)
    row = take_deposit(event=event)
    Event.objects.update(removed_at=timezone.now())
    assert take_back_deposit(event=event) == row
    gone = License.objects.get()
    assert (gone.state, gone.revoked_reason) == ("revoked", "deposit_gone")
    order.refresh_from_db()
    assert order.state == "open"
    assert take_deposit(event=event) is None  # the old block's news comes late
    assert License.objects.get().state == "revoked"
    assert take_deposit(event=deposited(order)) == row  # mined again
    back = License.objects.get()
    assert (back.state, back.revoked_reason) == ("active", "")
    assert back.final_at is not None
    order.refresh_from_db()
    assert order.state == "paid"


def test_money_that_paid_for_nothing_and_left_the_chain_is_not_told(
    work: Asset, ben: User
) -> None:
    order = factories.open_order(work, party_of(ben))
    stray = deposited(order, amount="5")
    take_deposit(event=stray)
    order.refresh_from_db()
    assert order.received_units == 5
    Event.objects.update(removed_at=timezone.now())
    assert take_back_deposit(event=stray) is None
    order.refresh_from_db()
    assert order.received_units == 0


def test_a_deposit_that_moved_to_another_block_takes_nothing(
    work: Asset, ben: User
) -> None:
    """The news of the old block's end may come after that of the new one."""
    order = factories.open_order(work, party_of(ben))
    old = deposited(order)
    take_deposit(event=old)
    Event.objects.update(removed_at=timezone.now())
    take_deposit(event=deposited(order))
    take_back_deposit(event=old)
    assert License.objects.get().state == "active"


def test_the_jobs_of_the_events_do_it(work: Asset, ben: User) -> None:
    order = factories.open_order(work, party_of(ben))
    event = deposited(order, final=False)
    deposit_seen(claim_of(event))
    assert License.objects.get().state == "active"
    Event.objects.update(removed_at=timezone.now())
    deposit_gone(claim_of(event))
    assert License.objects.get().state == "revoked"


def claim_of(event: Event) -> Claim:
    """The claim of a job that an event caused."""
    number = Job.objects.count()
    job = Job.objects.create(
        kind="deposit.seen",
        key=f"test:{number}",
        queue="default",
        payload={"event": event.pk},
    )
    claim = Claim.take(job)
    assert claim is not None
    return claim


@pytest.mark.django_db(transaction=True)
def test_a_race_of_both_ways_issues_one_license(ada: User, ben: User) -> None:
    order = factories.open_order(
        factories.published_asset(party_of(ada)), party_of(ben)
    )
    Order.objects.update(state=Order.State.PAYING)
    event = deposited(order)
    gate, found = threading.Barrier(8), []

    def issue(number: int) -> None:
        gate.wait()
        try:
            if number % 2:
                found.append(issue_license(order_pk=order.pk))
            else:
                found.append(take_deposit(event=Event.objects.get(pk=event.pk)))
        finally:
            connection.close()

    threads = [threading.Thread(target=issue, args=(at,)) for at in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert found == [License.objects.get()] * 8
    assert Entry.objects.filter(kind="license").count() == 1
    assert not Intent.objects.exists()
