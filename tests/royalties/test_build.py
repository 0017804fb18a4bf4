"""Settlements: built once, split exactly, and never falling."""

from __future__ import annotations

from accounts.models import User
from royalties.models import Payout
from royalties.statement import figures
from tests.cast import party_of
from tests.royalties import factories


def test_a_story_ends_with_the_model_owner_paid(
    ada: User, mia: User, ben: User
) -> None:
    told = factories.story(party_of(ada), party_of(mia), party_of(ben))
    # 8,000 uses at 600,000 units for 1,000, and the fee of 2,000,000 units
    earned = 8_000 * 600 + 2_000_000
    assert told.settlement.earned_units == earned
    mine = figures(party_of(mia).holder)
    assert mine == {
        "lifetime": earned * 12 // 100,
        "paid": earned * 12 // 100,
        "available": 0,
        "pending": 0,
    }
    assert Payout.objects.get(holder=party_of(mia).holder).state == "paid"
    hers = figures(party_of(ada).holder)
    assert hers["available"] == hers["lifetime"] == earned * 83 // 100
