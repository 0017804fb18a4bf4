"""What waits to be settled, what is held by a dispute, and when it is too late."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.templatetags.colophon_format import money
from chain.models import Intent
from marketplace.cancel import cancel_purchase
from marketplace.errors import NotCancelableError
from marketplace.models import License
from provenance.models import Dispute
from royalties.due import held_of, overdue, sold_of
from royalties.escrow import escrow_of
from royalties.models import Increment, Settlement, UsageBatch
from royalties.statement import figures, statement_of
from tests.cast import PASSWORD, party_of
from tests.factories import logged
from tests.reading import text_of
from tests.royalties import factories
from tests.royalties.factories import build_settlement, findings

EARNED = 2_000_000 + 600 * 1_000  # the fee, and 1,000 uses at $0.60 for 1,000


@pytest.fixture
def sold(ada: User, mia: User, ben: User) -> License:
    """Ben's license of Ada's work with Mia's model in it, used 1,000 times."""
    asset = factories.model_asset(party_of(ada), party_of(mia))
    row = factories.license_of(asset, party_of(ben))
    factories.used(row, 1_000)
    return row


@pytest.fixture
def dispute(sold: License) -> Dispute:
    return Dispute.objects.create(
        asset=sold.asset, reason="not-mine", text="This is my picture."
    )


def decided(dispute: Dispute, state: str) -> None:
    dispute.state = state
    dispute.save()


# ----------------------------------------------------------------------------- prices


def test_a_price_waits_until_it_is_earned(sold: License) -> None:
    License.objects.update(fee_due_at=timezone.now() + timedelta(days=14))
    first = factories.matured(factories.settled())
    assert first.earned_units == EARNED - 2_000_000  # the uses alone
    assert factories.build_settlement(epoch=2) is None
    License.objects.update(fee_due_at=timezone.now())
    second = factories.settled()
    assert second.earned_units == EARNED
    (fee,) = second.increments.all()
    assert (fee.fee_units, fee.usage_units) == (2_000_000, 0)
    assert findings() == []


def test_a_price_that_can_go_back_is_shown_to_whoever_sold(
    sold: License, ada: User, eve: User, client: Client
) -> None:
    until = timezone.now() + timedelta(days=14)
    License.objects.update(fee_due_at=until)
    found = sold_of(party_of(ada).holder)
    assert (found.count, found.units, found.until) == (1, 2_000_000 * 83 // 100, until)
    assert sold_of(party_of(eve).holder).count == 0
    client.login(username=ada.email, password=PASSWORD)
    text = text_of(client.get("/royalties"))
    assert "Sold, not earned yet" in text
    assert "$1.66, your part of 1 license" in text
    cancel_purchase(license_row=sold)
    assert sold_of(party_of(ada).holder).count == 0
    assert "Sold, not earned yet" not in text_of(client.get("/royalties"))


def test_a_canceled_price_is_earned_by_nobody_and_comes_back(sold: License) -> None:
    License.objects.update(fee_due_at=timezone.now() + timedelta(days=14))
    before = escrow_of(sold.account)
    cancel_purchase(license_row=sold)
    after = escrow_of(sold.account)
    assert after.left_units == before.left_units + 2_000_000
    settlement = factories.settled()
    assert settlement.earned_units == EARNED - 2_000_000
    assert findings() == []


def test_asking_the_deposit_back_makes_the_price_due(sold: License) -> None:
    """Nobody keeps a license for money that went back."""
    License.objects.update(fee_due_at=timezone.now() + timedelta(days=14))
    refund = factories.asked_back(sold.account, at=timezone.now())
    sold.refresh_from_db()
    assert sold.fee_due_at == refund.requested_at
    with pytest.raises(NotCancelableError):
        cancel_purchase(license_row=sold)
    assert factories.settled().earned_units == EARNED


# --------------------------------------------------------------------------- disputes


def test_an_open_dispute_holds_what_the_work_earns(
    sold: License, dispute: Dispute, ada: User, mia: User, ben: User
) -> None:
    other = factories.model_asset(party_of(ada), party_of(mia), title="Other", seed=2)
    factories.license_of(other, party_of(ben))
    first = factories.matured(factories.settled())
    assert [row.license.asset for row in first.increments.all()] == [other]
    (held,) = held_of(party_of(ada).holder)
    assert (held.code, held.is_upheld) == (sold.asset.code, False)
    assert held.units == EARNED * 83 // 100


@pytest.mark.parametrize("state", ["answered", "appealed"])
def test_an_answer_or_an_appeal_frees_no_money(
    dispute: Dispute, ada: User, state: str
) -> None:
    decided(dispute, state)
    assert factories.build_settlement(epoch=1) is None
    assert held_of(party_of(ada).holder)


def test_a_rejected_dispute_pays_with_arrears(
    sold: License, dispute: Dispute, ada: User, mia: User
) -> None:
    logged()
    assert build_settlement(epoch=1) is None
    factories.used(sold, 1_000)
    decided(dispute, "rejected")
    settlement = factories.settled()
    assert settlement.earned_units == EARNED + 600_000
    assert held_of(party_of(ada).holder) == []
    factories.wallet_of(party_of(mia), 1)
    factories.matured(settlement)
    assert figures(party_of(mia).holder)["available"] == (EARNED + 600_000) * 12 // 100


def test_an_upheld_dispute_pays_nobody_and_says_so(
    sold: License, dispute: Dispute, ada: User, mia: User
) -> None:
    """The shares are wrong, and nobody has said yet what is right."""
    decided(dispute, "upheld")
    logged()
    assert build_settlement(epoch=1) is None
    assert not Increment.objects.exists()
    assert figures(party_of(ada).holder)["lifetime"] == 0
    (held,) = held_of(party_of(ada).holder)
    assert (held.is_upheld, held.units) == (True, EARNED * 83 // 100)
    (hers,) = held_of(party_of(mia).holder)
    assert hers.units == EARNED * 12 // 100
    decided(dispute, "rejected")
    assert factories.settled().earned_units == EARNED, "taken back by another decision"


def test_what_was_settled_before_a_dispute_stays_settled(
    sold: License, ada: User
) -> None:
    first = factories.matured(factories.settled())
    Dispute.objects.create(asset=sold.asset, reason="x", text="y", state="upheld")
    factories.used(sold, 1_000)
    logged()
    assert build_settlement(epoch=2) is None
    assert figures(party_of(ada).holder)["lifetime"] == first.earned_units * 83 // 100
    (held,) = held_of(party_of(ada).holder)
    assert held.units == 600_000 * 83 // 100, "only what came after"


def test_one_rejected_dispute_does_not_free_a_work_with_another(
    sold: License, dispute: Dispute
) -> None:
    decided(dispute, "upheld")
    Dispute.objects.create(asset=sold.asset, reason="x", text="y", state="rejected")
    logged()
    assert build_settlement(epoch=1) is None


def test_a_stranger_has_nothing_held(dispute: Dispute, eve: User) -> None:
    assert held_of(party_of(eve).holder) == []


@pytest.mark.parametrize("path", ["/royalties", "/royalties/statements"])
@pytest.mark.parametrize("state", ["open", "upheld"])
def test_the_pages_show_what_is_held(
    dispute: Dispute, ada: User, path: str, state: str
) -> None:
    decided(dispute, state)
    client = Client()
    assert client.login(username=ada.email, password=PASSWORD)
    text = client.get(path).content.decode()
    assert f"{dispute.asset.title}: {money(EARNED * 83 // 100)}" in text
    assert ("was upheld" if state == "upheld" else "is open") in text
    decided(dispute, "rejected")
    assert 'id="held"' not in client.get(path).content.decode()


def test_the_statement_says_what_is_held(dispute: Dispute, ada: User) -> None:
    (held,) = statement_of(party_of(ada).holder)["held"]
    assert held == {
        "asset": dispute.asset.code,
        "title": dispute.asset.title,
        "units": str(EARNED * 83 // 100),
        "dispute": "open",
    }
    assert statement_of(party_of(ada).holder, through=1)["held"] == []


# ------------------------------------------------------------------------------- late


def later(settings: Any, *, seconds: int = 1) -> Any:
    """Some seconds after three turns and a challenge window."""
    wait = 3 * settings.SETTLE_SECONDS + settings.CHALLENGE_WINDOW_SECONDS
    return timezone.now() + timedelta(seconds=wait + seconds)


def test_what_waits_too_long_is_told(sold: License, settings: Any) -> None:
    assert overdue(timezone.now()) == ""
    assert overdue(later(settings, seconds=-60)) == ""
    assert "wait to be settled" in overdue(later(settings))


def test_uses_alone_are_told_too(sold: License, settings: Any) -> None:
    factories.matured(factories.settled())
    assert overdue(later(settings)) == "", "nothing is due"
    factories.used(sold, 10)
    assert "wait to be settled" in overdue(later(settings))
    UsageBatch.objects.update(recorded_at=later(settings))
    assert overdue(later(settings)) == "", "just reported"


def test_what_a_dispute_holds_is_not_late(dispute: Dispute, settings: Any) -> None:
    assert overdue(later(settings)) == ""
    decided(dispute, "rejected")
    assert overdue(later(settings)) != ""


def test_a_settlement_that_stays_open_is_told(sold: License, settings: Any) -> None:
    factories.settled()
    assert overdue(timezone.now()) == ""
    assert overdue(later(settings)) == "settlement 1 is built for too long"


def test_a_failed_commit_is_told_at_once_with_its_reason(sold: License) -> None:
    row = factories.settled()
    Settlement.objects.filter(pk=row.pk).update(state="failed")
    Intent.objects.filter(pk=row.intent_id).update(error="would revert: LedgerPaused()")
    assert overdue(timezone.now()) == (
        "the commit of settlement 1 failed: would revert: LedgerPaused()"
    )
