"""What certifiers do at once happens once: one lock, one word, one open case."""

from __future__ import annotations

import pytest

from accounts.models import User
from provenance.decide import decide_case
from provenance.errors import CaseStateError, ConflictOfInterestError, DisputeError
from provenance.models import Asset, Case, Decision, DisputeMove
from provenance.queue import take_case
from provenance.review import ask_review
from tests import factories
from tests.accounts.test_races import THREADS, at_once
from tests.cast import open_user, party_of
from tests.provenance.test_decide import disputed

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def work(ada: User) -> Asset:
    return factories.published_asset(party_of(ada), evidence=3, origin_class="HYBRID")


def test_one_of_many_takes_a_case(work: Asset) -> None:
    case = disputed(work)
    people = [open_user(f"Cora{n}", is_staff=True) for n in range(THREADS)]
    found = at_once(lambda n: take_case(case=Case.objects.get(), by=people[n]))
    won = [one for one in found if isinstance(one, Case)]
    lost = [one for one in found if isinstance(one, CaseStateError)]
    assert (len(won), len(lost)) == (1, THREADS - 1), found
    case.refresh_from_db()
    assert case.locked_by in people


def test_a_word_that_is_sent_many_times_counts_once(work: Asset) -> None:
    case = disputed(work)
    cora = open_user("Cora", is_staff=True)
    take_case(case=case, by=cora)
    found = at_once(
        lambda _: decide_case(
            case=case, by=cora, decision="upheld", reason="older-original"
        )
    )
    refused = (CaseStateError, ConflictOfInterestError)
    assert sum(isinstance(one, Decision) for one in found) == 1
    assert sum(isinstance(one, refused) for one in found) == THREADS - 1, found
    assert Decision.objects.count() == 1
    assert DisputeMove.objects.filter(move="upheld").count() == 1


def test_a_review_that_is_asked_many_times_is_one_case(work: Asset) -> None:
    found = at_once(lambda _: ask_review(asset=work))
    assert sum(isinstance(one, Case) for one in found) == 1
    assert sum(isinstance(one, DisputeError) for one in found) == THREADS - 1, found
