"""ABI values in one JSON form, encoded for calls and decoded from answers and logs.

Normal form (docs/chain.md): integers are decimal texts of any size, bytes are
lowercase hex with 0x, addresses are EIP-55, booleans and texts are themselves, lists
are lists. `normalize` is strict where eth-abi is lenient: a bytes32 has 32 bytes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from eth_abi import abi as eth_abi
from eth_abi.exceptions import DecodingError
from eth_utils.address import is_checksum_address, to_checksum_address

from chain.errors import ArgsError
from colophon.digest import keccak256

Entry = Mapping[str, Any]

_ARRAY = re.compile(r"(?P<item>.+)\[(?P<size>\d*)\]")
_WHOLE = re.compile(r"(?P<base>u?int|bytes)(?P<size>\d+)")
_HEX = re.compile(r"0x(?:[0-9a-fA-F]{2})*", re.ASCII)
_DECIMAL = re.compile(r"-?\d{1,78}", re.ASCII)
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}", re.ASCII)

PANIC_SELECTOR = bytes.fromhex("4e487b71")
ERROR_SELECTOR = bytes.fromhex("08c379a0")


def signature(entry: Entry) -> str:
    """Canonical text of a function, event or error: `anchor(uint64,bytes32)`."""
    kinds = ",".join(item["type"] for item in entry["inputs"])
    return f"{entry['name']}({kinds})"


def selector(entry: Entry) -> bytes:
    """The four bytes that choose a function or name an error."""
    return keccak256(signature(entry).encode())[:4]


def find(abi: Sequence[Entry], kind: str, name: str) -> Entry:
    """The one entry of that type and name.

    Args:
        abi: a contract's ABI.
        kind: "function", "event", "error" or "constructor".
        name: a name, or a whole signature where names are overloaded.

    Raises:
        ArgsError: no such entry, or more than one of that name.
    """
    found = [
        entry
        for entry in abi
        if entry["type"] == kind
        and (kind == "constructor" or name in (entry["name"], signature(entry)))
    ]
    if len(found) != 1:
        raise ArgsError(f"{len(found)} {kind} entries are called {name}, expected 1")
    return found[0]


def normalize(entry: Entry, args: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments by name in normal form, checked against the function's inputs.

    Raises:
        ArgsError: an argument is missing, unknown, of the wrong type or size.
    """
    names = [item["name"] for item in entry["inputs"]]
    for name in args:
        if name not in names:
            wanted = ", ".join(names) or "none"
            raise ArgsError(f"{entry['name']} takes no such argument ({wanted})", name)
    made: dict[str, Any] = {}
    for item in entry["inputs"]:
        if item["name"] not in args:
            raise ArgsError(f"is missing for {entry['name']}", item["name"])
        made[item["name"]] = _normal(item["type"], args[item["name"]], item["name"])
    return made


def encode(entry: Entry, args: Mapping[str, Any]) -> bytes:
    """ABI encoding of normalized arguments, without selector."""
    kinds = [item["type"] for item in entry["inputs"]]
    values = [_native(i["type"], args[i["name"]]) for i in entry["inputs"]]
    return eth_abi.encode(kinds, values)


def encode_call(entry: Entry, args: Mapping[str, Any]) -> bytes:
    """Selector and normalized arguments: the data of a call."""
    return selector(entry) + encode(entry, args)


def decode_output(entry: Entry, data: bytes) -> list[Any]:
    """Return values in normal form, in the order of the ABI.

    Raises:
        ArgsError: the data are not what the function returns.
    """
    return _decode([item["type"] for item in entry["outputs"]], data)


def decode_log(
    entry: Entry, topics: Sequence[bytes], data: bytes
) -> dict[str, Any] | None:
    """Arguments of a log in normal form; None when it is another event's.

    An indexed text or list is only there as its hash, which is what is returned.
    """
    if not topics or topics[0] != keccak256(signature(entry).encode()):
        return None
    indexed = [item for item in entry["inputs"] if item["indexed"]]
    plain = [item for item in entry["inputs"] if not item["indexed"]]
    if len(topics) != len(indexed) + 1:
        return None
    values = dict(
        zip(
            (item["name"] for item in plain),
            _decode([item["type"] for item in plain], data),
            strict=True,
        )
    )
    for item, topic in zip(indexed, topics[1:], strict=True):
        kind = item["type"]
        hashed = kind in ("string", "bytes") or _ARRAY.fullmatch(kind)
        values[item["name"]] = (
            "0x" + topic.hex() if hashed else _decode([kind], topic)[0]
        )
    return {item["name"]: values[item["name"]] for item in entry["inputs"]}


def explain(abis: Sequence[Sequence[Entry]], data: bytes) -> str:
    """Revert data in words: `WrongEpoch(given=1, expected=2)`; empty if unknown."""
    head, rest = data[:4], data[4:]
    if head == ERROR_SELECTOR:
        return str(_decode(["string"], rest)[0])
    if head == PANIC_SELECTOR:
        return f"Panic({int(_decode(['uint256'], rest)[0]):#x})"
    for abi in abis:
        for entry in abi:
            if entry["type"] == "error" and selector(entry) == head:
                values = _decode([item["type"] for item in entry["inputs"]], rest)
                named = zip(entry["inputs"], values, strict=True)
                words = ", ".join(f"{i['name']}={value}" for i, value in named)
                return f"{entry['name']}({words})"
    return f"0x{data.hex()}" if data else ""


def checksum(address: Any, field: str = "address") -> str:
    """An address as EIP-55 text.

    Raises:
        ArgsError: not an address, or a mixed-case one whose checksum is wrong.
    """
    if isinstance(address, bytes) and len(address) == 20:  # noqa: PLR2004
        return to_checksum_address(address)
    if not isinstance(address, str) or not _ADDRESS.fullmatch(address):
        raise ArgsError(f"{address!r} is not an address of 20 bytes in hex", field)
    mixed = address[2:] not in (address[2:].lower(), address[2:].upper())
    if mixed and not is_checksum_address(address):
        raise ArgsError(f"{address} has a wrong checksum: a digit is mistyped", field)
    return to_checksum_address(address)


def _decode(kinds: list[str], data: bytes) -> list[Any]:
    try:
        values = eth_abi.decode(kinds, data)
    except DecodingError as error:
        raise ArgsError(f"the answer does not decode as {kinds}: {error}") from error
    return [
        _normal(kind, list(value) if isinstance(value, tuple) else value, "answer")
        for kind, value in zip(kinds, values, strict=True)
    ]


def _normal(kind: str, value: Any, field: str) -> Any:
    """One value in normal form, or ArgsError naming the field."""
    if array := _ARRAY.fullmatch(kind):
        return _normal_list(array["item"], array["size"], value, field)
    if kind == "address":
        return checksum(value, field)
    if kind == "bool":
        if not isinstance(value, bool):
            raise ArgsError(f"{value!r} is not true or false", field)
        return value
    if kind == "string":
        if not isinstance(value, str):
            raise ArgsError(f"{value!r} is not text", field)
        return value
    whole = _WHOLE.fullmatch(kind)
    if kind == "bytes" or (whole and whole["base"] == "bytes"):
        return _normal_bytes(int(whole["size"]) if whole else None, value, field)
    if not whole:
        raise ArgsError(f"type {kind} is not used by our contracts", field)
    return _normal_integer(whole["base"] == "int", int(whole["size"]), value, field)


def _normal_list(item: str, size: str, value: Any, field: str) -> list[Any]:
    if not isinstance(value, (list, tuple)):
        raise ArgsError(f"{value!r} is not a list", field)
    if size and len(value) != int(size):
        raise ArgsError(f"has {len(value)} items, expected {size}", field)
    return [_normal(item, part, f"{field}/{at}") for at, part in enumerate(value)]


def _normal_bytes(size: int | None, value: Any, field: str) -> str:
    if isinstance(value, str) and _HEX.fullmatch(value):
        value = bytes.fromhex(value[2:])
    if not isinstance(value, (bytes, bytearray, memoryview)):
        raise ArgsError(f"{value!r} is neither bytes nor hex with 0x", field)
    data = bytes(value)
    if size is not None and len(data) != size:
        raise ArgsError(f"has {len(data)} bytes, expected {size}", field)
    return "0x" + data.hex()


def _normal_integer(signed: bool, bits: int, value: Any, field: str) -> str:
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ArgsError(f"{value!r} is not a whole number", field)
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1)) if signed else (0, 2**bits)
    if not low <= value < high:
        raise ArgsError(f"{value} does not fit {bits} bits", field)
    return str(value)


def _native(kind: str, value: Any) -> Any:
    """Normal form to what eth-abi encodes."""
    if array := _ARRAY.fullmatch(kind):
        return [_native(array["item"], part) for part in value]
    if kind.startswith("bytes"):
        return bytes.fromhex(value[2:])
    if kind.startswith(("uint", "int")):
        return int(value)
    return value
