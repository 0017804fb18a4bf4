"""Look-alikes: exact over stored prints, the earlier work of somebody else counts."""

from __future__ import annotations

from base64 import b32encode
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Party, User
from colophon.fingerprints import hamming
from outbox.claims import Retry
from provenance.alike import POSSIBLE_BITS, STRONG_BITS, look_for, nearest
from provenance.models import Asset, Findings, LookAlike, Print
from provenance.prints import make_prints, near
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
    pdq = {"hash": value, "asked": [value], "crops": list(crops)}
    Findings.objects.filter(asset=asset).update(
        pdq=bytes.fromhex(value), metadata={"pdq": pdq}, **fields
    )
    make_prints(asset, pdq, "")
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


CODE = "ISCC:" + b32encode(bytes(2) + bytes.fromhex(bits_off(0))).decode().rstrip("=")


@pytest.mark.parametrize(("bits", "earlier"), [(0, 1), (31, 1), (32, 0)])
def test_without_pdq_a_near_iscc_counts(
    ada: User, eve: User, bits: int, earlier: int
) -> None:
    first = factories.examined_asset(party_of(ada), seed=1)
    make_prints(first, None, CODE)
    second = factories.examined_asset(party_of(eve), seed=2)
    asked = {"pdq": None, "iscc_turned": [bits_off(200), bits_off(bits)]}
    Findings.objects.filter(asset=second).update(pdq=None, metadata=asked)
    look = look_for(Findings.objects.get(asset=second))
    assert (look.earlier, look.methods) == (earlier, ("iscc.image-256",))


def test_without_any_print_nothing_is_found(ada: User, eve: User) -> None:
    printed(party_of(ada), bits_off(0), seed=1)
    row = factories.examined_asset(party_of(eve), seed=2).findings
    assert look_for(row).earlier == 0


# --- the index behind it ------------------------------------------------------------


def random_prints(party: Party, count: int) -> tuple[Asset, list[bytes]]:
    asset = factories.examined_asset(party, seed=9)
    random = np.random.default_rng(4)
    values = [row.tobytes() for row in random.integers(0, 256, (count, 32), np.uint8)]
    Print.objects.bulk_create(
        Print(
            asset=asset,
            kind="pdq",
            variant=at,
            value=value,
            reduction="reduction-v1",
            made_at=timezone.now() - timedelta(hours=1),
        )
        for at, value in enumerate(values)
    )
    return asset, values


def test_many_prints_are_built_in_and_new_ones_found_beside_them(
    ada: User, eve: User, django_assert_max_num_queries: Any
) -> None:
    asset, values = random_prints(party_of(ada), 6_000)
    assert near("pdq", [values[17].hex()]) == {asset.pk: 0}
    with django_assert_max_num_queries(2) as asked:
        assert near("pdq", [values[5_999].hex()]) == {asset.pk: 0}
    assert f"> {Print.objects.order_by('pk').last().pk}" in asked[0]["sql"]
    new = printed(party_of(eve), bits_off(0), seed=1)
    assert near("pdq", [bits_off(9)]) == {new.asset_id: 9}
    assert near("pdq", [bits_off(31), values[0].hex()]) == {
        new.asset_id: 31,
        asset.pk: 0,
    }


def test_a_row_that_was_committed_late_is_found(ada: User, eve: User) -> None:
    """A lower number may appear after a higher one was read."""
    late = printed(party_of(ada), bits_off(0), seed=1)
    row = Print.objects.get(asset=late.asset)
    row.delete()
    printed(party_of(eve), f"{BASE ^ ((1 << 200) - 1):064x}", seed=2)
    assert near("pdq", [bits_off(0)]) == {}
    row.save(force_insert=True)
    assert near("pdq", [bits_off(0)]) == {late.asset_id: 0}


def test_a_row_that_is_gone_is_not_told(ada: User) -> None:
    row = printed(party_of(ada), bits_off(0), seed=1)
    assert near("pdq", [bits_off(0)]) == {row.asset_id: 0}
    Print.objects.all().delete()
    assert near("pdq", [bits_off(0)]) == {}


def test_prints_of_another_reduction_are_not_compared(ada: User) -> None:
    printed(party_of(ada), bits_off(0), seed=1)
    Print.objects.update(reduction="reduction-v0")
    assert near("pdq", [bits_off(0)]) == {}


def test_making_prints_twice_keeps_them_once(ada: User) -> None:
    row = printed(party_of(ada), bits_off(0), seed=1, crops=(bits_off(5),))
    make_prints(row.asset, row.metadata["pdq"], "")
    assert Print.objects.filter(asset=row.asset).count() == 2


# --- whose evidence is older ---------------------------------------------------------


def test_a_trusted_time_in_the_file_is_older_evidence(ada: User, eve: User) -> None:
    thief = printed(party_of(eve), bits_off(0), seed=1)
    mine = printed(party_of(ada), bits_off(0), seed=2)
    said = {"intact": True, "proven_at": "2026-01-02T03:04:05Z"}
    Findings.objects.filter(pk=mine.pk).update(
        metadata=mine.metadata | {"credential": said}
    )
    mine.refresh_from_db()
    look = look_for(mine)
    assert look.earlier == 0
    assert [one.findings for one in look.after] == [thief]
    assert look_for(thief).before[0].findings == mine


@pytest.mark.parametrize(
    "said",
    [
        {"intact": False, "proven_at": "2026-01-02T03:04:05Z"},
        {"intact": True, "proven_at": None},
        {"intact": True, "proven_at": "long ago"},
        {"intact": True, "claimed_at": "2026-01-02T03:04:05Z"},
    ],
)
def test_a_time_that_is_not_proven_is_nothing(
    ada: User, eve: User, said: dict[str, Any]
) -> None:
    printed(party_of(eve), bits_off(0), seed=1)
    mine = printed(party_of(ada), bits_off(0), seed=2)
    Findings.objects.filter(pk=mine.pk).update(
        metadata=mine.metadata | {"credential": said}
    )
    mine.refresh_from_db()
    assert look_for(mine).earlier == 1


def test_what_certifiers_cleared_counts_no_more(ada: User, eve: User) -> None:
    first = printed(party_of(ada), bits_off(0), seed=1)
    second = printed(party_of(eve), bits_off(0), seed=2)
    LookAlike.objects.create(
        asset=second.asset, earlier=first.asset, bits=0, cleared_at=timezone.now()
    )
    assert look_for(second).earlier == 0
