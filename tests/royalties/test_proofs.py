"""What the site hands out, the pure library recomputes: statements and traces."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.serializers.json import DjangoJSONEncoder

from accounts.models import User
from colophon.earnings import verify_words, word
from colophon.errors import ProofError
from colophon.statement_check import check_statement
from colophon.statement_file import load_statement
from colophon.trace import check_trace
from colophon.trace_file import load_trace
from colophon.trust import Trust
from provenance.trusted import site_trust
from royalties import trees
from royalties.models import Leaf, Payout, Settlement
from royalties.statement import statement_of
from royalties.trace import trace_payout
from royalties.trees import proof_of
from tests.cast import party_of
from tests.royalties import factories


def as_file(value: dict[str, Any]) -> str:
    return json.dumps(value, cls=DjangoJSONEncoder)


@pytest.fixture
def told(ada: User, mia: User, ben: User) -> factories.Told:
    return factories.story(party_of(ada), party_of(mia), party_of(ben))


@pytest.fixture
def trust(told: factories.Told) -> Trust:
    return site_trust()


def test_a_statement_of_the_site_holds(
    told: factories.Told, trust: Trust, mia: User
) -> None:
    said = load_statement(as_file(statement_of(party_of(mia).holder)))
    hops = check_statement(said, trust)
    assert [hop.words for hop in hops.wrong] == []
    assert hops.exit_code == 0


def test_a_trace_of_the_site_holds(
    told: factories.Told, trust: Trust, mia: User
) -> None:
    payout = Payout.objects.get(holder=party_of(mia).holder)
    found = load_trace(as_file(trace_payout(payout)))
    hops = check_trace(found, trust, as_of=datetime.now(UTC))
    assert [hop.words for hop in hops.wrong] == []
    assert [hop.words for hop in hops.found if hop.result == "not_checked"] == []
    assert hops.exit_code == 0


def test_a_proof_is_computed_once_however_often_it_is_looked_at(
    told: factories.Told, mia: User, django_assert_num_queries: Any
) -> None:
    leaf = factories.leaf_of(told.settlement, party_of(mia).holder)
    first = proof_of(told.settlement, leaf.position)
    with django_assert_num_queries(0):
        assert proof_of(told.settlement, leaf.position) == first
    assert holds(told.settlement, leaf)


def test_a_wrong_proof_is_not_kept(told: factories.Told, mia: User, ada: User) -> None:
    """While the leaves are wrong the proof fails; once they are mended it holds."""
    leaf = factories.leaf_of(told.settlement, party_of(mia).holder)
    other = factories.leaf_of(told.settlement, party_of(ada).holder)
    trees._proof.cache_clear()
    Leaf.objects.filter(pk=other.pk).update(cumulative_units=1)
    assert not holds(told.settlement, leaf)
    Leaf.objects.filter(pk=other.pk).update(cumulative_units=other.cumulative_units)
    assert holds(told.settlement, leaf)


def holds(settlement: Settlement, leaf: Leaf) -> bool:
    value = word(leaf.cumulative_units, bytes.fromhex(leaf.account[2:]))
    proof = proof_of(settlement, leaf.position)
    try:
        verify_words([value], leaf.position, proof, bytes(settlement.earnings_root))
    except ProofError:
        return False
    return True
