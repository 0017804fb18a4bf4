"""What the site hands out, the pure library recomputes: statements and traces."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.serializers.json import DjangoJSONEncoder

from accounts.models import User
from colophon.statement_check import check_statement
from colophon.statement_file import load_statement
from colophon.trace import check_trace
from colophon.trace_file import load_trace
from colophon.trust import Trust
from provenance.trusted import site_trust
from royalties.models import Payout
from royalties.statement import statement_of
from royalties.trace import trace_payout
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
