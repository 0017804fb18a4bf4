"""What was agreed is judged as soon as a checkpoint covers it, whenever that was."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.models import User
from outbox.inline import drain
from outbox.models import Job
from provenance.agree import accept_agreement, propose_agreement
from provenance.models import AgreementPart, Verdict
from provenance.shares import Part, default_parts
from tests import factories
from tests.cast import party_of

pytestmark = pytest.mark.django_db(transaction=True)

JUDGE = ["asset.judge"]
LATER = timedelta(seconds=10)


def test_an_agreement_after_the_anchor_counts_once_it_is_covered(ada: User) -> None:
    asset = factories.sealed_asset(party_of(ada))
    factories.anchored()
    drain(kinds=JUDGE)
    Verdict.objects.all().delete()

    factories.agreed(asset)
    drain(kinds=JUDGE)
    waiting = Job.objects.get(kind="asset.judge", done_at=None)
    assert "waits for a checkpoint" in waiting.last_error
    assert not Verdict.objects.exists()

    factories.logged()
    drain(kinds=JUDGE, ahead=LATER)
    assert Verdict.objects.get().rights_level == 2


def test_a_later_yes_counts_once_it_is_covered(ada: User, ben: User) -> None:
    asset = factories.sealed_asset(party_of(ada))
    *rest, own = default_parts(asset)
    halves = [
        Part(party_of(ada).holder, AgreementPart.Role.CREATOR, own.ppm - 100_000),
        Part(party_of(ben).holder, AgreementPart.Role.CREATOR, 100_000),
    ]
    agreement = propose_agreement(asset=asset, parts=[*rest, *halves], by=party_of(ada))
    factories.logged()
    drain(kinds=JUDGE, ahead=LATER)
    newest = Verdict.objects.order_by("-pk")
    assert newest[0].rights_level < 2

    accept_agreement(agreement=agreement, party=party_of(ben))
    drain(kinds=JUDGE)
    assert newest[0].rights_level < 2
    factories.logged()
    drain(kinds=JUDGE, ahead=LATER)
    assert newest[0].rights_level == 2
