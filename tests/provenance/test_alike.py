"""Look-alikes: exact over stored prints, the earlier work of somebody else counts."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Party, User
from colophon.fingerprints import hamming
from outbox.claims import Retry
from provenance.alike import POSSIBLE_BITS, STRONG_BITS, look_for, nearest
from provenance.models import Asset, Findings
from tests import factories
from tests.cast import party_of

pytestmark = pytest.mark.django_db
BASE = (1 << 255) | 0xC0FFEE


def bits_off(count: int) -> str:
    """A print that differs from BASE in that many bits."""
    return f"{BASE ^ ((1 << count) - 1):064x}"


def printed(
    party: Party, value: str, *, seed: int, crops: tuple[str, ...] = (), **fields: str
) -> Findings:
    """An examined work with this print."""
    asset = factories.examined_asset(party, seed=seed, title=f"Work {seed}")
    pdq = {"hash": value, "turned": [value], "crops": list(crops)}
    Findings.objects.filter(asset=asset).update(
        pdq=bytes.fromhex(value), metadata={"pdq": pdq}, **fields
    )
    return Findings.objects.select_related("asset").get(asset=asset)


@pytest.mark.parametrize(
    ("bits", "found", "strong"),
    [(0, True, True), (31, True, True), (32, True, False), (64, True, False),
     (65, False, False)],
)  # fmt: skip
def test_the_distance_decides(ada: User, bits: int, found: bool, strong: bool) -> None:
    row = printed(party_of(ada), bits_off(0), seed=1)
    match = nearest([bits_off(bits)])
    assert (match is not None) is found
    if match:
        assert (match.findings, match.bits, match.strong) == (row, bits, strong)


def test_the_nearest_wins_and_a_turned_query_counts(ada: User) -> None:
    printed(party_of(ada), bits_off(20), seed=1)
    near = printed(party_of(ada), bits_off(3), seed=2)
    match = nearest([f"{(1 << 256) - 1 - BASE:064x}", bits_off(0)])
    assert match is not None
    assert (match.findings, match.bits) == (near, 3)


def test_a_stored_crop_is_found(ada: User) -> None:
    far = f"{BASE ^ ((1 << 200) - 1):064x}"
    row = printed(party_of(ada), far, seed=1, crops=(bits_off(5),))
    match = nearest([bits_off(0)])
    assert match is not None
    assert (match.findings, match.bits) == (row, 5)


def test_only_the_works_that_are_asked_about_are_searched(ada: User) -> None:
    row = printed(party_of(ada), bits_off(0), seed=1)
    assert nearest([bits_off(0)], exclude=row.asset_id) is None
    assert nearest([bits_off(0)], among=Asset.objects.none()) is None
    assert nearest([]) is None


@given(st.integers(0, 2**256 - 1), st.integers(0, 2**256 - 1))
def test_bits_are_counted_as_hamming_counts_them(one: int, other: int) -> None:
    assert (one ^ other).bit_count() == hamming(f"{one:064x}", f"{other:064x}")
    assert 0 < STRONG_BITS < POSSIBLE_BITS < 128


def test_an_earlier_work_of_somebody_else_counts(ada: User, eve: User) -> None:
    first = printed(party_of(ada), bits_off(0), seed=1)
    look = look_for(printed(party_of(eve), bits_off(31), seed=2))
    assert (look.earlier, look.nearest and look.nearest.findings) == (1, first)
    assert look.methods[0] == "pdq-256"


def test_a_later_work_does_not_count(ada: User, eve: User) -> None:
    first = printed(party_of(ada), bits_off(0), seed=1)
    printed(party_of(eve), bits_off(0), seed=2)
    assert look_for(first).earlier == 0


def test_possible_is_not_strong(ada: User, eve: User) -> None:
    printed(party_of(ada), bits_off(0), seed=1)
    look = look_for(printed(party_of(eve), bits_off(32), seed=2))
    assert look.earlier == 0
    assert look.nearest is not None
    assert look.nearest.bits == 32


def test_ones_own_earlier_work_does_not_hide_that_of_another(
    ada: User, eve: User
) -> None:
    printed(party_of(ada), bits_off(0), seed=1)
    printed(party_of(eve), bits_off(9), seed=2)
    look = look_for(printed(party_of(eve), bits_off(9), seed=3))
    assert look.earlier == 1


def test_a_refused_upload_is_no_earlier_work(ada: User, eve: User) -> None:
    row = printed(party_of(ada), bits_off(0), seed=1)
    Asset.objects.filter(pk=row.asset_id).update(refused_reason="damaged")
    assert look_for(printed(party_of(eve), bits_off(0), seed=2)).earlier == 0


def test_an_earlier_upload_that_is_still_examined_is_waited_for(
    ada: User, eve: User
) -> None:
    waiting = factories.draft_asset(party_of(ada), seed=1)
    found = printed(party_of(eve), bits_off(0), seed=2)
    with pytest.raises(Retry, match="earlier upload"):
        look_for(found)
    long_ago = timezone.now() - timedelta(minutes=2)
    Asset.objects.filter(pk=waiting.pk).update(created_at=long_ago)
    assert look_for(found).earlier == 0  # it is not waited for for ever


def test_ones_own_upload_is_not_waited_for(eve: User) -> None:
    factories.draft_asset(party_of(eve), seed=1)
    assert look_for(printed(party_of(eve), bits_off(0), seed=2)).earlier == 0


@pytest.mark.parametrize(("code", "earlier"), [("ISCC:KAA", 1), ("", 0)])
def test_without_pdq_an_equal_iscc_counts_and_an_empty_one_does_not(
    ada: User, eve: User, code: str, earlier: int
) -> None:
    for user, seed in ((ada, 1), (eve, 2)):
        row = printed(party_of(user), bits_off(0), seed=seed, iscc=code)
        Findings.objects.filter(pk=row.pk).update(pdq=None, metadata={"pdq": None})
    row.refresh_from_db()
    look = look_for(row)
    assert (look.earlier, look.methods) == (earlier, ("iscc.image-256",))
