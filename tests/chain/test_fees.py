"""Fees: never above the cap, and a raise that every node accepts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.errors import FeeCapError
from chain.fees import Fees, gas_limit, quote, raised

CAP = 10**12
wei = st.integers(0, 10**12)


@given(wei, wei)
def test_a_quote_pays_the_base_fee_and_keeps_the_cap(base: int, tip: int) -> None:
    try:
        fees = quote(base_fee_wei=base, tip_wei=tip, cap_wei=CAP)
    except FeeCapError:
        assert base + 1 > CAP
    else:
        assert base <= fees.max_fee_wei <= CAP
        assert fees.priority_fee_wei <= fees.max_fee_wei


@given(wei, wei, wei, wei)
def test_a_raise_is_an_eighth_on_both_fields(a: int, b: int, c: int, d: int) -> None:
    old, fresh = Fees(max(a, b), min(a, b)), Fees(max(c, d), min(c, d))
    try:
        new = raised(old, fresh, cap_wei=CAP)
    except FeeCapError:
        assert old.max_fee_wei * 9 > CAP * 8 - 8
    else:
        assert new.max_fee_wei * 8 >= old.max_fee_wei * 9
        assert new.priority_fee_wei * 8 >= old.priority_fee_wei * 9
        assert new.priority_fee_wei <= new.max_fee_wei <= CAP


def test_a_raise_from_nothing_is_more_than_nothing() -> None:
    assert raised(Fees(0, 0), Fees(0, 0), cap_wei=CAP) == Fees(1, 1)


def test_a_base_fee_above_the_cap_is_refused() -> None:
    with pytest.raises(FeeCapError):
        quote(base_fee_wei=CAP, tip_wei=0, cap_wei=CAP)


def test_the_gas_limit_leaves_a_quarter() -> None:
    assert gas_limit(100_000) == 135_000
