"""The money verbs beside themselves and each other; on PostgreSQL, too (RACES)."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Holder
from chain.models import Event, Intent, Network
from chain.read import FinalBlock
from colophon.cloudevent import parse_event
from log.models import Entry
from marketplace.models import License
from outbox.models import Job
from royalties.mature import mark_failed, mature_due
from royalties.models import Increment, Payout, Settlement, Tally, UsageBatch
from royalties.paid import apply_payment, reverse
from royalties.push import push_payouts
from royalties.receive import receive
from royalties.record import record_batch
from royalties.statement import figures
from royalties.verify import verify
from tests.factories import logged
from tests.royalties import factories
from tests.royalties.factories import build_settlement
from tests.royalties.races import at_once, people

pytestmark = pytest.mark.django_db(transaction=True)

THREADS = 4


@pytest.fixture
def sold(transactional_db: None) -> License:
    """A license with uses of it, and the model's owner with a wallet."""
    ada, mia, ben = people()
    row = factories.license_of(factories.model_asset(ada, mia), ben)
    factories.used(row, 1_000)
    factories.wallet_of(mia, 1)
    return row


@pytest.fixture
def payee(sold: License) -> Holder:
    return Holder.objects.get(payout_address=factories.ADDRESSES[1])


def errors(found: list[Any]) -> list[Exception]:
    return [one for one in found if isinstance(one, Exception)]


def holds() -> bool:
    return not [one.invariant.id for one in verify(node=False) if one.findings]


def test_a_race_of_builds_after_a_failed_commit_sends_one_more(sold: License) -> None:
    first = factories.settled()
    assert first.intent is not None
    mark_failed(settlement_pk=first.pk, intent_pk=first.intent.pk)
    found = at_once(*[partial(build_settlement, epoch=1)] * THREADS)
    assert errors(found) == []
    assert [one for one in found if one] == [first]
    keys = Intent.objects.filter(kind="commit").values_list("key", flat=True)
    assert sorted(keys) == ["commit:1:0", "commit:1:1"]
    assert Settlement.objects.count() == Increment.objects.count() == 1


def test_a_race_of_a_failure_with_its_own_commit_ends_committed(sold: License) -> None:
    """Our transaction was given up, and the chain has our roots all the same."""
    row = factories.settled()
    assert row.intent is not None
    factories.commit_log(row)
    fail = partial(mark_failed, settlement_pk=row.pk, intent_pk=row.intent.pk)
    found = at_once(fail, partial(factories.followed, 1), fail)
    assert errors(found) == []
    row.refresh_from_db()
    assert row.state == "committed"


def test_a_race_of_a_veto_with_the_push_sends_nothing_from_a_dropped_root(
    sold: License,
) -> None:
    row = factories.matured(factories.settled())
    factories.event_row("Vetoed", {"epoch": "1"}, b"veto")
    push = partial(push_payouts, settlement=row, claimed={}, threshold_units=1)
    found = at_once(push, partial(factories.followed, 1), push)
    assert errors(found) == []
    row.refresh_from_db()
    assert row.state == "vetoed"
    assert not Payout.objects.filter(state="sending").exists()
    assert push_payouts(settlement=row, claimed={}, threshold_units=1) == []
    assert holds()


def test_a_race_of_maturing_with_a_veto_ends_vetoed(sold: License) -> None:
    row = factories.committed(factories.settled())
    final = FinalBlock(0, timezone.now() + timedelta(days=3))
    mature = partial(mature_due, final=final)
    factories.event_row("Vetoed", {"epoch": "1"}, b"veto")
    assert errors(at_once(mature, partial(factories.followed, 1), mature)) == []
    row.refresh_from_db()
    assert row.state == "vetoed"


def test_a_race_of_maturing_pushes_once(sold: License) -> None:
    factories.committed(factories.settled())
    final = FinalBlock(0, timezone.now() + timedelta(days=3))
    found = at_once(*[partial(mature_due, final=final)] * THREADS)
    assert sorted(found) == [0, 0, 0, 1]
    assert Job.objects.filter(kind="payouts.push").count() == 1


def test_a_race_of_pushes_pays_each_holder_once(sold: License, payee: Holder) -> None:
    row = factories.matured(factories.settled())
    push = partial(push_payouts, settlement=row, claimed={}, threshold_units=1)
    found = at_once(*[push] * THREADS)
    assert errors(found) == []
    assert sorted(len(one) for one in found) == [0, 0, 0, 1]
    assert Intent.objects.filter(kind="pay").count() == 1
    assert Payout.objects.get().holder == payee


def test_a_race_of_one_payment_counts_it_once(sold: License, payee: Holder) -> None:
    row = factories.matured(factories.settled())
    leaf = factories.leaf_of(row, payee)
    args = {
        "index": str(leaf.position),
        "account": leaf.account,
        "amount": str(leaf.cumulative_units),
    }
    log = factories.event_row("Paid", args, b"stranger")
    at_once(*[partial(apply_payment, event=log)] * THREADS)
    assert Payout.objects.get().state == "paid"
    assert figures(payee)["paid"] == leaf.cumulative_units
    assert holds()


def test_a_race_of_a_payment_with_its_removal_ends_as_the_chain_has_it(
    sold: License, payee: Holder
) -> None:
    row = factories.matured(factories.settled())
    factories.paid(row)
    log = Event.objects.get(name="Paid")
    Event.objects.filter(pk=log.pk).update(removed_at=timezone.now())
    found = at_once(
        *[partial(apply_payment, event=log), partial(reverse, event=log)] * 2
    )
    assert errors(found) == []
    assert Payout.objects.get().state == "reversed"
    assert figures(payee)["available"] == Payout.objects.get().units


def test_a_race_of_one_batch_counts_it_once(sold: License) -> None:
    body = factories.use_body(sold, 500)
    (answer,) = receive(uses=[parse_event(body)], party=sold.buyer)
    entries = Entry.objects.filter(kind="usage").count()
    batch_pk = answer.row.batch_id
    found = at_once(*[partial(record_batch, batch_pk=batch_pk)] * THREADS)
    assert errors(found) == []
    assert Tally.objects.get().quantity == 1_500
    assert Entry.objects.filter(kind="usage").count() == entries + 1
    assert UsageBatch.objects.get(pk=batch_pk).counted == 1
    assert holds()


def test_a_race_of_uses_with_a_build_loses_no_use(sold: License) -> None:
    """What is counted beside a build is closed by it or by the next."""
    bodies = [factories.use_body(sold, 100) for _ in range(3)]
    batches = [
        receive(uses=[parse_event(one)], party=sold.buyer)[0].row.batch_id
        for one in bodies
    ]
    factories.network()
    logged()
    counts = [partial(record_batch, batch_pk=one) for one in batches]
    found = at_once(partial(build_settlement, epoch=1), *counts)
    assert errors(found) == []
    factories.matured(Settlement.objects.get())
    second = factories.settled()
    assert second.earned_units == 2_000_000 + 1_300 * 600
    assert holds()
    assert Network.objects.get().halted_reason == ""
