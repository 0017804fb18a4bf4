"""ABI values in one JSON form: strict in, exact out."""

from __future__ import annotations

from typing import Any

import pytest
from eth_abi.abi import encode as reference_encode
from hypothesis import given
from hypothesis import strategies as st

from chain import abi
from chain.errors import ArgsError
from colophon.digest import keccak256


def inputs(*kinds: str) -> dict[str, Any]:
    return {
        "name": "f",
        "inputs": [{"name": f"a{at}", "type": kind} for at, kind in enumerate(kinds)],
        "outputs": [{"name": "", "type": kind} for kind in kinds],
    }


ADDRESS = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"  # from EIP-55
words = st.integers(0, 2**256 - 1)


@given(words, st.binary(min_size=32, max_size=32), st.lists(words, max_size=4))
def test_what_is_encoded_decodes_to_the_same(
    number: int, data: bytes, many: list[int]
) -> None:
    entry = inputs("uint256", "bytes32", "uint256[]", "bytes", "string", "bool")
    args = {"a0": number, "a1": data, "a2": many, "a3": data, "a4": "ü", "a5": True}
    normal = abi.normalize(entry, args)
    encoded = abi.encode(entry, normal)
    kinds = [item["type"] for item in entry["inputs"]]
    assert encoded == reference_encode(kinds, list(args.values()))
    assert abi.decode_output(entry, encoded) == list(normal.values())


@given(words)
def test_a_number_and_its_decimal_text_are_one(number: int) -> None:
    entry = inputs("uint256")
    one = abi.normalize(entry, {"a0": number})
    assert one == abi.normalize(entry, {"a0": str(number)}) == {"a0": str(number)}


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("uint8", 256),
        ("uint256", -1),
        ("uint256", 2**256),
        ("uint64", "0x10"),
        ("uint64", 1.0),
        ("uint64", True),
        ("bytes32", b"\0" * 31),
        ("bytes32", "0x" + "00" * 33),
        ("bytes32", "00" * 32),
        ("bytes", "0xabc"),
        ("address", "0x12"),
        ("address", ADDRESS[:-1] + "D"),
        ("address", None),
        ("bool", 1),
        ("string", b"x"),
        ("uint256[]", 5),
        ("uint256[2]", [1]),
    ],
)
def test_a_value_that_does_not_fit_is_refused(kind: str, value: Any) -> None:
    with pytest.raises(ArgsError) as caught:
        abi.normalize(inputs(kind), {"a0": value})
    assert caught.value.field.startswith("a0")


def test_missing_and_unknown_arguments_are_named() -> None:
    with pytest.raises(ArgsError, match="is missing"):
        abi.normalize(inputs("bool"), {})
    with pytest.raises(ArgsError, match="no such argument") as caught:
        abi.normalize(inputs("bool"), {"a0": True, "b": 1})
    assert caught.value.field == "b"


def test_addresses_come_out_with_their_checksum() -> None:
    for text in (ADDRESS, ADDRESS.lower(), "0x" + ADDRESS[2:].upper()):
        assert abi.checksum(text) == ADDRESS
    assert abi.checksum(bytes.fromhex(ADDRESS[2:])) == ADDRESS


def test_a_known_selector() -> None:
    entry = {
        "name": "transfer",
        "inputs": [{"name": "to", "type": "address"}, {"name": "n", "type": "uint256"}],
    }
    assert abi.selector(entry).hex() == "a9059cbb"  # ERC-20's


def test_logs_decode_by_their_topic_alone() -> None:
    event = {
        "type": "event",
        "name": "E",
        "inputs": [
            {"name": "who", "type": "address", "indexed": True},
            {"name": "cid", "type": "string", "indexed": True},
            {"name": "n", "type": "uint64", "indexed": False},
        ],
    }
    topics = [
        keccak256(b"E(address,string,uint64)"),
        b"\0" * 12 + bytes.fromhex(ADDRESS[2:]),
        keccak256(b"hello"),
    ]
    data = (7).to_bytes(32, "big")
    assert abi.decode_log(event, topics, data) == {
        "who": ADDRESS,
        "cid": "0x" + keccak256(b"hello").hex(),
        "n": "7",
    }
    assert abi.decode_log(event, [b"\1" * 32, *topics[1:]], data) is None
    assert abi.decode_log(event, topics[:2], data) is None


def test_revert_data_are_told_by_name() -> None:
    error = {
        "type": "error",
        "name": "WrongEpoch",
        "inputs": [{"name": "given", "type": "uint32"}],
    }
    data = abi.selector(error) + (7).to_bytes(32, "big")
    assert abi.explain([[error]], data) == "WrongEpoch(given=7)"
    words = abi.ERROR_SELECTOR + reference_encode(["string"], ["too late"])
    assert abi.explain([], words) == "too late"
    assert (
        abi.explain([], abi.PANIC_SELECTOR + (17).to_bytes(32, "big")) == "Panic(0x11)"
    )
    assert abi.explain([], b"\1\2\3\4") == "0x01020304"


def test_an_answer_of_another_shape_is_refused() -> None:
    with pytest.raises(ArgsError):
        abi.decode_output(inputs("uint256"), b"\0" * 31)
