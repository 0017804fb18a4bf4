"""Verdicts are renewed before they end, once a day at most."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from outbox.models import Job
from provenance.models import Verdict
from provenance.renew import renew_verdicts
from tests import factories
from tests.cast import party_of

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_verdict_near_its_end_is_asked_for_again_once(ada: User) -> None:
    asset = factories.published_asset(party_of(ada))
    Verdict.objects.update(expires_at=timezone.now() + timedelta(days=1))
    Job.objects.all().delete()

    assert renew_verdicts() == 1
    assert renew_verdicts() == 1

    jobs = Job.objects.filter(kind="asset.judge")
    assert [job.payload for job in jobs] == [{"asset": asset.pk}]


def test_a_fresh_verdict_is_left_alone(ada: User) -> None:
    factories.published_asset(party_of(ada))
    Verdict.objects.update(expires_at=timezone.now() + timedelta(days=6))
    Job.objects.all().delete()

    assert renew_verdicts() == 0
    assert not Job.objects.exists()
