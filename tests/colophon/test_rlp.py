"""RLP: equal to another library, and only canonical bytes are read."""

from __future__ import annotations

import pytest
import rlp as referee
from hypothesis import given
from hypothesis import strategies as st

from colophon import rlp
from colophon.errors import InputError

ITEMS = st.recursive(
    st.binary(max_size=70), lambda inner: st.lists(inner, max_size=5), max_leaves=20
)


def depth(item: object) -> int:
    return 1 + max(map(depth, item), default=0) if isinstance(item, list) else 0


@given(ITEMS.filter(lambda item: depth(item) <= rlp.MAX_DEPTH))
def test_items_round_trip_as_another_library_has_them(item: rlp.Decoded) -> None:
    encoded = rlp.encode(item)
    assert encoded == referee.encode(item)
    assert rlp.decode(encoded) == item


@given(st.integers(0, 2**256))
def test_numbers_have_no_leading_zero(value: int) -> None:
    assert rlp.encode_int(value) == referee.encode(value)


@pytest.mark.parametrize("size", [0, 1, 55, 56, 255, 256, 70_000])
def test_long_items_round_trip(size: int) -> None:
    for item in (b"x" * size, [b"x" * size], [b"x"] * size):
        assert rlp.encode(item) == referee.encode(item)
        assert rlp.decode(rlp.encode(item)) == item


@given(st.binary(max_size=40))
def test_any_bytes_are_canonical_rlp_or_refused(data: bytes) -> None:
    try:
        item = rlp.decode(data)
    except InputError:
        return
    assert rlp.encode(item) == data
    assert referee.decode(data) == item


@pytest.mark.parametrize(
    "text",
    [
        "",
        "8100",  # a single byte with a head
        "817f",
        "81",  # cut short
        "b800",  # long form of a short text
        "b837" + "00" * 55,
        "b90038" + "00" * 56,  # length with a leading zero
        "f800",
        "c2ff",
        "c1",
        "c281",
        "c3c18180",  # an item that ends outside of its list
        "c180" + "00",  # trailing byte
        "bfffffffffffffffff",
        "ffffffffffffffffff",
    ],
)
def test_what_is_not_canonical_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        rlp.decode(bytes.fromhex(text))


def test_bottomless_nesting_is_refused() -> None:
    item: rlp.Item = b""
    for _ in range(rlp.MAX_DEPTH + 1):
        item = [item]
    with pytest.raises(InputError, match="deep"):
        rlp.decode(rlp.encode(item))


def test_a_huge_input_is_refused() -> None:
    with pytest.raises(InputError, match="over"):
        rlp.decode(bytes(rlp.MAX_BYTES + 1))
