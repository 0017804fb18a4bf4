"""The site's trust file names the keys of today and, after a rotation, of before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from accounts.models import SigningKey, User
from accounts.platform import platform_signer, verdict_signer
from provenance.models import Asset
from provenance.trusted import site_trust
from tests import factories
from tests.cast import party_of
from tests.loop import judge

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


@pytest.fixture
def work(ada: User) -> Asset:
    return factories.sealed_asset(party_of(ada))


def test_one_key_each_is_named_before_any_rotation() -> None:
    trust = site_trust()
    assert [one.key_id for one in trust.platform_keys] == [platform_signer().key_id]
    assert [one.key_id for one in trust.verdict_keys] == [verdict_signer().key_id]


def test_after_a_rotation_old_and_new_statements_count(
    work: Asset, settings: Any, tmp_path: Path
) -> None:
    old = judge(work)
    before = (platform_signer().key_id, verdict_signer().key_id)
    settings.KEYS_DIR = tmp_path / "new keys"  # the operator replaced the files
    trust = site_trust()
    after = (platform_signer().key_id, verdict_signer().key_id)
    assert set(before).isdisjoint(after)
    assert [one.key_id for one in trust.platform_keys] == [after[0], before[0]]
    assert [one.key_id for one in trust.verdict_keys] == [after[1], before[1]]
    fresh = judge(Asset.objects.get(pk=work.pk))
    assert fresh.pk != old.pk
    assert (fresh.evidence_level, fresh.standing) == (old.evidence_level, old.standing)


def test_a_revoked_key_is_named_no_more(
    work: Asset, settings: Any, tmp_path: Path
) -> None:
    gone = platform_signer().key_id
    settings.KEYS_DIR = tmp_path / "new keys"
    row = SigningKey.objects.get(key_id=gone)
    SigningKey.objects.filter(pk=row.pk).update(revoked_at=row.enrolled_at)
    assert gone not in {one.key_id for one in site_trust().platform_keys}
