"""Settlements: built once, split exactly, and never falling."""

from __future__ import annotations

import random
from functools import partial
from itertools import pairwise

import pytest
from django.db import connection
from django.db.models import Sum
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import User
from chain.models import Intent, Network
from colophon.units import PPM, split_ppm
from marketplace.models import License
from outbox.errors import Retry
from royalties import build
from royalties.models import Accrual, Increment, Leaf, Payout, Settlement, UsageBatch
from royalties.overview import spread
from royalties.statement import figures, statement_of
from royalties.trees import tree_of
from royalties.verify import verify
from tests.cast import party_of
from tests.factories import logged
from tests.royalties import factories
from tests.royalties.factories import build_settlement
from tests.royalties.races import at_once, people


@pytest.fixture
def sold(ada: User, mia: User, ben: User) -> License:
    """Ben's pay-per-use license of a work with Mia's model in it."""
    asset = factories.model_asset(party_of(ada), party_of(mia))
    return factories.license_of(asset, party_of(ben))


def violations() -> list[str]:
    return [one.invariant.id for one in verify(node=False) if one.findings]


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


def test_a_settlement_closes_only_what_its_checkpoint_covers(sold: License) -> None:
    factories.used(sold, 1_000)
    logged()
    factories.used(sold, 2_000)  # not in the log's newest checkpoint yet
    settlement = build_settlement(epoch=1)
    assert settlement is not None
    (increment,) = settlement.increments.all()
    assert (increment.quantity, increment.usage_units) == (1_000, 600_000)
    assert increment.fee_units == 2_000_000


def test_nothing_due_builds_nothing(sold: License) -> None:
    factories.matured(factories.settled())
    assert build_settlement(epoch=2) is None
    assert Settlement.objects.count() == 1


def test_a_report_that_is_worth_no_unit_waits_for_more(sold: License) -> None:
    License.objects.filter(pk=sold.pk).update(rate_units=1, rate_per=1_000)
    factories.matured(factories.settled())
    factories.used(sold, 999)
    logged()
    assert build_settlement(epoch=2) is None
    factories.used(sold, 1)
    second = factories.settled()
    assert second.increments.get().usage_units == 1


def test_an_open_settlement_lets_no_other_be_built(sold: License) -> None:
    factories.settled()
    factories.used(sold, 1_000)
    logged()
    assert build_settlement(epoch=2) is None


def test_a_halted_network_settles_nothing(sold: License) -> None:
    Network.objects.update(halted_reason="a deep reorganization")
    logged()
    assert build_settlement(epoch=1) is None
    Network.objects.update(halted_reason="")
    assert build_settlement(epoch=1) is not None


def test_the_same_epoch_is_built_once(sold: License) -> None:
    first = factories.matured(factories.settled())
    factories.used(sold, 1_000)
    logged()
    assert build_settlement(epoch=first.epoch) is None


def test_rebuilding_the_trees_gives_the_same_bytes(sold: License) -> None:
    factories.used(sold, 1_234)
    settlement = factories.settled()
    for tree, root in (
        (Leaf.Tree.EARNINGS, settlement.earnings_root),
        (Leaf.Tree.SPEND, settlement.spend_root),
    ):
        rows = list(settlement.leaves.filter(tree=tree).order_by("?"))
        assert tree_of(rows).root == bytes(root)


def test_the_chain_is_asked_for_what_was_signed(sold: License) -> None:
    settlement = factories.settled()
    assert settlement.intent is not None
    args = settlement.intent.args
    assert args["earningsRoot"] == "0x" + bytes(settlement.earnings_root).hex()
    assert args["earned"] == str(settlement.earned_units)
    assert Intent.objects.get(kind="commit").then_kind == "settlement.committed"


def test_the_order_of_batches_within_an_epoch_does_not_matter(
    ada: User, mia: User, ben: User
) -> None:
    quantities = [1, 999, 17, 4_001, 250]
    found = []
    for seed in (1, 2, 3):
        title = f"Work {seed}"
        asset = factories.shared_asset(
            party_of(ada), {party_of(mia): 333_333}, title=title, seed=seed
        )
        row = factories.license_of(asset, party_of(ben))
        for quantity in random.Random(seed).sample(quantities, len(quantities)):
            factories.used(row, quantity)
    settlement = factories.settled()
    for increment in settlement.increments.all():
        parts = list(increment.accruals.values_list("units", flat=True))
        found.append((increment.units, increment.quantity, parts))
    assert len(found) == 3
    assert found[0] == found[1] == found[2]


def test_entitlements_never_fall_whatever_happens(
    ada: User, mia: User, dan: User, ben: User
) -> None:
    """Splitting running totals would fall; increments do not (DESIGN §9)."""
    draw = random.Random(20)
    asset = factories.shared_asset(
        party_of(ada), {party_of(mia): 333_333, party_of(dan): 166_667}
    )
    row = factories.license_of(asset, party_of(ben))
    before: dict[int, int] = {}
    for _ in range(6):
        for _ in range(draw.randrange(1, 3)):
            factories.used(row, draw.randrange(1, 40))
        settlement = factories.matured(factories.settled())
        leaves = settlement.leaves.filter(tree=Leaf.Tree.EARNINGS)
        after = dict(leaves.values_list("position", "cumulative_units"))
        assert all(after[place] >= units for place, units in before.items())
        before = after
    assert violations() == []


def test_the_lines_of_a_statement_sum_to_the_rows(sold: License, mia: User) -> None:
    factories.used(sold, 700)
    factories.matured(factories.settled())
    factories.used(sold, 800)
    factories.settled()
    holder = party_of(mia).holder
    said = statement_of(holder)
    lines = [line for part in said["settlements"] for line in part["lines"]]
    total = sum(int(line["units"]) for line in lines)
    rows = Accrual.objects.filter(holder=holder).aggregate(total=Sum("units"))
    assert total == rows["total"] == int(said["figures"]["lifetime"])
    first = statement_of(holder, through=1)
    assert [part["epoch"] for part in first["settlements"]] == [1]
    assert first["figures"] is None


def test_new_terms_do_not_change_what_was_sold(sold: License, ada: User) -> None:
    """A new agreement is for new licenses; this one keeps its shares (I5)."""
    from provenance.agree import propose_agreement
    from provenance.shares import default_parts

    parts = default_parts(sold.asset)
    propose_agreement(asset=sold.asset, parts=parts, by=party_of(ada))
    factories.used(sold, 1_000)
    settlement = factories.settled()
    ppms = settlement.increments.get().accruals.values_list("ppm", flat=True)
    assert list(ppms.order_by("position")) == [50_000, 120_000, 830_000]


def test_an_account_that_came_in_between_is_built_with_the_next_turn(
    sold: License,
) -> None:
    """Nothing asks a node inside the transaction."""
    logged()
    with pytest.raises(Retry, match="not asked for yet"):
        build.build_settlement(epoch=1, indexes={})
    assert not Settlement.objects.exists()
    assert build_settlement(epoch=1) is not None


@given(
    amount=st.integers(0, 10**15),
    cuts=st.lists(st.integers(0, PPM), min_size=0, max_size=9),
)
def test_parts_always_sum_to_the_increment(amount: int, cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), PPM]
    shares = [
        (f"hol_{at:02}", high - low) for at, (low, high) in enumerate(pairwise(edges))
    ]
    parts = split_ppm(amount, shares)
    assert sum(parts) == amount
    assert all(
        abs(units * PPM - amount * ppm) < PPM
        for units, (_, ppm) in zip(parts, shares, strict=True)
    )


@given(
    units=st.integers(0, 10**12),
    weights=st.dictionaries(st.text(max_size=3), st.integers(0, 10**9), max_size=8),
)
def test_spreading_a_line_over_months_loses_nothing(
    units: int, weights: dict[str, int]
) -> None:
    found = spread(units, weights)
    assert sum(found.values()) == (units if weights else 0)
    assert set(found) <= set(weights)


@pytest.mark.django_db(transaction=True)
def test_a_race_of_threads_builds_one_settlement() -> None:
    ada, mia, ben = people()
    row = factories.license_of(factories.model_asset(ada, mia), ben)
    factories.used(row, 1_000)
    logged()
    found = at_once(*[partial(build_settlement, epoch=1)] * 4)
    assert len([one for one in found if isinstance(one, Settlement)]) == 1
    assert Settlement.objects.count() == Increment.objects.count() == 1
    assert Intent.objects.filter(kind="commit").count() == 1
    assert UsageBatch.objects.count() == 1
    assert violations() == []
    assert connection.vendor in {"sqlite", "postgresql"}
