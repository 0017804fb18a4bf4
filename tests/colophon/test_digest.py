"""Digests, canonical JSON, hex and base64 against published values."""

from __future__ import annotations

import hashlib
import io

import pytest
from Crypto.Hash import keccak
from hypothesis import given
from hypothesis import strategies as st

from colophon import digest
from colophon.errors import InputError

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_categories=("Cs",))),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=("Cs",))), inner)
    ),
    max_leaves=12,
)


def test_keccak_is_ethereums_and_not_sha3() -> None:
    empty = "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    assert digest.keccak256(b"").hex() == empty
    assert digest.keccak256(b"x") != hashlib.sha3_256(b"x").digest()


@given(st.binary(max_size=300))
def test_keccak_equals_another_library(data: bytes) -> None:
    other = keccak.new(digest_bits=256, data=data).digest()
    assert digest.keccak256(data) == other


@given(st.binary(max_size=200_000))
def test_a_stream_has_the_digest_of_its_bytes(data: bytes) -> None:
    assert digest.sha256_stream(io.BytesIO(data)) == hashlib.sha256(data).digest()


def test_canonical_json_is_rfc_8785() -> None:
    # RFC 8785 §3.2.3: keys sort by UTF-16 code units.
    value = {"\u20ac": "Euro", "\r": "CR", "\ufb33": "Dalet", "1": 1, "\U0001f600": 2}
    assert digest.canonical(value).decode() == (
        '{"\\r":"CR","1":1,"€":"Euro","😀":2,"\ufb33":"Dalet"}'
    )


@given(JSON)
def test_canonical_json_does_not_depend_on_key_order(value: object) -> None:
    def turned(one: object) -> object:
        if isinstance(one, dict):
            return {key: turned(one[key]) for key in reversed(list(one))}
        return [turned(item) for item in one] if isinstance(one, list) else one

    assert digest.canonical(value) == digest.canonical(turned(value))


@pytest.mark.parametrize(
    "value", [float("nan"), 2**53, {1: 2}, b"bytes", "\ud800", {"\ud800": 1}, {1, 2}]
)
def test_what_has_no_canonical_form_is_refused(value: object) -> None:
    with pytest.raises(InputError):
        digest.canonical(value)


def test_bottomless_nesting_is_refused() -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(InputError, match="deeply"):
        digest.canonical(deep)


@pytest.mark.parametrize("text", ["AB" * 32, "ab" * 31, "zz" * 32, "0x" + "ab" * 32, 5])
def test_hex_is_lowercase_and_of_its_size(text: object) -> None:
    with pytest.raises(InputError) as caught:
        digest.from_hex(text, field="digest/sha256")
    assert caught.value.field == "digest/sha256"


@given(st.binary(max_size=64))
def test_hex_and_base64_round_trip(data: bytes) -> None:
    assert digest.from_hex(data.hex(), None) == data
    assert digest.from_base64(digest.to_base64(data)) == data


@pytest.mark.parametrize("text", ["QQ", "QQ= =", "QR==", "Q-==", "QQ==\n", b"QQ=="])
def test_base64_has_one_text_for_each_value(text: object) -> None:
    with pytest.raises(InputError):
        digest.from_base64(text)


def test_a_commitment_hides_behind_its_salt() -> None:
    salt = bytes(range(16))
    made = digest.commitment({"b": 1, "a": "cat"}, salt)
    assert made == hashlib.sha256(salt + b'{"a":"cat","b":1}').digest()
    assert digest.commitment("cat", salt) != digest.commitment("cat", b"\1" * 16)
    with pytest.raises(InputError, match="salt"):
        digest.commitment("cat", b"short")


def test_salts_differ() -> None:
    assert len({digest.new_salt() for _ in range(100)}) == 100
    assert len(digest.new_salt(32)) == 32
