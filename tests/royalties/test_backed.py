"""Only money that is there is settled: deposits that are final and not asked back."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from chain import read
from chain.models import Event, Intent
from chain.read import AccountState
from colophon.earnings import combined_root, verify_committed
from config import ops_status
from marketplace.issue import take_back_deposit, take_deposit
from marketplace.models import License, Refund
from outbox.claims import Claim, Retry
from outbox.models import Job
from royalties import tasks
from royalties.due import unclosed_fees
from royalties.escrow import escrow_of
from royalties.give_back import end_unpaid, send_again, send_refund, spend_proof
from royalties.models import Leaf, Settlement, Tally, UsageEvent
from tests.cast import party_of
from tests.factories import logged
from tests.royalties import factories
from tests.royalties.factories import build_settlement, findings

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def delays(settings: Any) -> None:
    """A week to the refund, a day to the end of the window, three to settle."""
    settings.REFUND_DELAY_SECONDS = 7 * 86_400
    settings.CHALLENGE_WINDOW_SECONDS = 86_400


@pytest.fixture
def sold(ada: User, ben: User) -> License:
    """A metered license with 1,000 uses: a fee of $2.00 and $0.60 of $10.00."""
    asset = factories.shared_asset(party_of(ada), {})
    row = factories.license_of(asset, party_of(ben))
    factories.used(row, 1_000)
    return row


def days_ago(days: float) -> datetime:
    return timezone.now() - timedelta(days=days)


def reason_of(row: License, at: datetime) -> str:
    """Why one more use of that time isn't counted; "" when it is."""
    factories.used(row, 10, at=at)
    return UsageEvent.objects.filter(license=row).latest("pk").reason


def test_a_huge_worth_of_uses_stays_countable(ada: User, ben: User) -> None:
    """What no deposit covers can exceed any column; the deposit is what is charged."""
    asset = factories.shared_asset(party_of(ada), {})
    row = factories.license_of(asset, party_of(ben))
    License.objects.update(rate_units=10**15, rate_per=1)
    row.refresh_from_db()
    factories.used(row, 10**9, 10**9)
    tally = Tally.objects.get()
    assert tally.quantity == 2 * 10**9
    assert (tally.usage_units, tally.unfunded_units) == (10_000_000, 2**63 - 1)
    assert [one for one in findings() if "tallies" in one] == []


def test_a_deposit_that_is_only_safe_is_not_settled(sold: License) -> None:
    License.objects.update(final_at=None)
    logged()
    assert build_settlement(epoch=1) is None
    License.objects.update(final_at=sold.issued_at)
    settlement = build_settlement(epoch=1)
    assert settlement is not None
    assert settlement.earned_units == 2_600_000


def test_after_the_request_uses_are_not_counted(sold: License) -> None:
    factories.asked_back(sold.account, at=timezone.now())
    sold.refresh_from_db()
    assert sold.frozen_at is not None
    before, after = sold.frozen_at - timedelta(seconds=1), timezone.now()
    assert reason_of(sold, after) == "account_frozen"
    assert reason_of(sold, before) == ""
    License.objects.update(frozen_at=days_ago(4))  # too late to be settled in time
    assert reason_of(sold, days_ago(5)) == "account_frozen"
    tally = Tally.objects.get()
    assert (tally.quantity, tally.usage_units) == (1_010, 606_000)
    assert findings() == []


def test_a_fixed_price_license_goes_on(sold: License, ben: User) -> None:
    """Its price is spent; a refund of what is left does not touch its uses."""
    fixed = factories.license_of(sold.asset, party_of(ben), "commercial")
    factories.asked_back(fixed.account, at=days_ago(4))
    assert reason_of(fixed, timezone.now()) == ""


def test_uses_before_the_request_are_settled_while_there_is_time(
    sold: License,
) -> None:
    factories.asked_back(sold.account, at=days_ago(2))
    assert ops_status.money()["unsettled_units"] == 2_600_000
    assert factories.settled().earned_units == 2_600_000


def test_later_nothing_of_the_account_is_settled_any_more(sold: License) -> None:
    """A settlement that cannot mature in time would be paid by other buyers."""
    factories.asked_back(sold.account, at=days_ago(4))
    settlement = factories.settled()  # for the refund's proof alone
    assert (settlement.earned_units, settlement.count) == (0, 0)
    assert settlement.leaves.count() == 0
    assert ops_status.money()["unsettled_units"] == 0
    assert findings() == []


def test_a_license_of_later_money_is_settled(sold: License, ben: User) -> None:
    """The freeze is of the licenses that were paid before it, and no others."""
    factories.asked_back(sold.account, at=days_ago(8))
    factories.given_back(sold.account, 12_000_000, at=days_ago(1))
    fresh = factories.license_of(sold.asset, party_of(ben))
    assert fresh.frozen_at is None
    factories.used(fresh, 1_000)
    settlement = factories.settled()
    assert settlement.earned_units == 2_600_000
    assert settlement.increments.get().license == fresh
    assert findings() == []


def test_the_request_makes_one_settlement_even_if_nothing_is_due(
    sold: License,
) -> None:
    """The contract wants a root that is younger than the request."""
    factories.matured(factories.settled())
    logged()
    assert build_settlement(epoch=2) is None
    factories.asked_back(sold.account)
    second = factories.settled()
    assert (second.epoch, second.earned_units) == (2, 2_600_000)
    factories.committed(second, days_ago=-1)
    assert build_settlement(epoch=3) is None


def refundable(sold: License) -> tuple[Refund, Settlement]:
    """The delay is over, and a root younger than the request has matured."""
    refund = factories.asked_back(sold.account, at=days_ago(2.9))
    settlement = factories.settled()
    Refund.objects.update(requested_at=days_ago(8))
    refund.refresh_from_db()
    return refund, factories.matured(settlement)


def root_of(settlement: Settlement) -> bytes:
    return combined_root(bytes(settlement.earnings_root), bytes(settlement.spend_root))


def test_a_refund_proves_what_was_spent_under_the_matured_root(
    sold: License,
) -> None:
    refund, settlement = refundable(sold)
    root = root_of(settlement)
    intent = send_refund(refund=refund, index=0, root=root, now=timezone.now())
    assert intent is not None
    assert (intent.kind, intent.args["account"]) == ("refund", sold.account)
    word = int(intent.args["spendWord"])
    assert word >> 160 == 2_600_000
    assert f"0x{word % 2**160:040x}" == sold.account.lower()
    proof = [bytes.fromhex(one[2:]) for one in intent.args["proof"]]
    *siblings, earnings = proof
    assert earnings == bytes(settlement.earnings_root)
    swapped = combined_root(bytes(settlement.spend_root), earnings)
    verify_committed([word], 0, [*siblings, earnings], swapped)
    again = send_refund(refund=refund, index=0, root=root, now=timezone.now())
    assert again == intent


def test_an_index_beyond_the_tree_shows_the_leaf_that_the_contract_reads(
    sold: License,
) -> None:
    settlement = factories.settled()
    Leaf.objects.filter(tree="spend").update(position=2)
    spend = spend_proof(settlement, 5)  # 4 leaves: 5 is cut to 1
    assert (spend["spendWord"], len(spend["proof"])) == ("0", 3)
    assert int(spend_proof(settlement, 6)["spendWord"]) >> 160 == 2_600_000


@pytest.mark.parametrize(
    ("days", "words"), [(6.9, "delay is not over"), (8, "no settlement after")]
)
def test_a_refund_waits_for_the_delay_and_for_a_younger_root(
    sold: License, days: float, words: str
) -> None:
    settlement = factories.matured(factories.settled())
    refund = factories.asked_back(sold.account, at=days_ago(days))
    Settlement.objects.update(committed_at=days_ago(9))
    with pytest.raises(Retry, match=words):
        send_refund(
            refund=refund, index=0, root=root_of(settlement), now=timezone.now()
        )
    with pytest.raises(Retry):
        send_refund(refund=refund, index=0, root=b"\0" * 32, now=timezone.now())


def test_a_refund_that_somebody_else_sent_is_watched_until_it_is_final(
    sold: License, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its block may leave the chain: then ours is still to be sent."""
    refund, settlement = refundable(sold)
    frozen = AccountState(0, 12_000_000, 0, refund.requested_at, 1)
    chain = {
        "account_of": replace(frozen, frozen_at=None),
        "roots": (root_of(settlement), b""),
        "matures_at": None,
        "chain_time": timezone.now(),
    }
    for name in tuple(chain):
        monkeypatch.setattr(read, name, lambda *_, name=name: chain[name])
    job = Claim(0, "refund.send", {"refund": refund.pk}, 0)
    monkeypatch.setattr(Claim, "hold", lambda _: None)
    with pytest.raises(Retry, match="not final"):
        tasks.send_refund(job)
    chain["account_of"] = frozen
    tasks.send_refund(job)
    assert Intent.objects.get(kind="refund").args["account"] == sold.account
    factories.given_back(sold.account, 9_400_000)
    chain["account_of"] = None
    tasks.send_refund(job)
    assert Intent.objects.filter(kind="refund").count() == 1


def test_a_refund_that_reverted_is_sent_with_a_newer_proof(sold: License) -> None:
    refund, settlement = refundable(sold)
    root = root_of(settlement)
    first = send_refund(refund=refund, index=0, root=root, now=timezone.now())
    assert first is not None
    first.state = "reverted"
    first.save()
    send_again(refund_pk=refund.pk)
    second = send_refund(refund=refund, index=0, root=root, now=timezone.now())
    assert second is not None
    assert second.key != first.key


def test_a_payment_that_left_the_chain_costs_nothing(sold: License, ben: User) -> None:
    """Else what is left of another purchase could not be asked back."""
    other = factories.license_of(sold.asset, party_of(ben))
    gone = Event.objects.get(args__ref="0x" + bytes(other.order.ref).hex())
    Event.objects.filter(pk=gone.pk).update(removed_at=timezone.now())
    assert escrow_of(sold.account).left_units == 12_000_000 - 2_600_000 - 2_000_000
    take_back_deposit(event=gone)
    assert escrow_of(sold.account).left_units == 12_000_000 - 2_600_000
    assert findings() == []
    Event.objects.filter(pk=gone.pk).update(removed_at=None)
    take_deposit(event=gone)
    assert escrow_of(sold.account).left_units == 24_000_000 - 2_600_000 - 2_000_000


def test_nobody_keeps_a_license_for_a_price_that_went_back(sold: License) -> None:
    """A dispute held it until no settlement could take it any more."""
    sold.asset.disputes.create(reason="not theirs")
    asked = factories.asked_back(sold.account, at=days_ago(8))
    factories.settled()
    refund = factories.given_back(sold.account, 12_000_000, at=days_ago(0.5))
    assert Job.objects.get(kind="refund.done").payload == {"refund": asked.pk}
    assert end_unpaid(refund=refund) == 1
    assert end_unpaid(refund=refund) == 0
    sold.refresh_from_db()
    assert (sold.state, sold.revoked_reason) == ("revoked", "refunded")
    sold.asset.disputes.update(state="rejected")
    assert list(unclosed_fees(License.objects.all())) == []
    assert findings() == []


def test_a_price_that_was_settled_or_came_later_keeps_its_license(
    sold: License, ben: User
) -> None:
    refundable(sold)
    refund = factories.given_back(sold.account, 9_400_000, at=days_ago(1))
    fresh = factories.license_of(sold.asset, party_of(ben), "commercial")
    assert end_unpaid(refund=refund) == 0
    for row in (sold, fresh):
        row.refresh_from_db()
        assert row.state == "active"


def test_other_deposits_never_pay_for_an_account_that_took_its_money_back(
    sold: License, ben: User
) -> None:
    """The invariant sees it, however it came about."""
    refundable(sold)
    factories.given_back(sold.account, 9_400_000)
    assert findings() == []
    refund = Refund.objects.get()
    assert (refund.state, refund.units) == ("paid", 9_400_000)
    License.objects.update(frozen_at=None, final_at=timezone.now())
    (found,) = [one for one in findings() if one.startswith("funds")]
    assert "holds deposits of 2.60" in found
    License.objects.update(frozen_at=refund.requested_at)
    assert findings() == []
    sold.increments.update(usage_units=600_001)
    assert any("funds" in one for one in findings())
