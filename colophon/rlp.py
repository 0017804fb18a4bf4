"""RLP, Ethereum's serialization: strict encode and decode of bytes and lists.

Only canonical encodings are read, so that equal items are equal bytes. Source:
Ethereum Yellow Paper, appendix B.
"""

from __future__ import annotations

from collections.abc import Sequence

from colophon.errors import InputError

Item = bytes | Sequence["Item"]
Decoded = bytes | list["Decoded"]

MAX_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 8
_SHORT = 55
_TEXT = 0x80
_LIST = 0xC0


def encode(item: Item) -> bytes:
    """RLP of bytes or of a (nested) list of bytes."""
    if isinstance(item, bytes | bytearray):
        if len(item) == 1 and item[0] < _TEXT:
            return bytes(item)
        return _head(len(item), _TEXT) + bytes(item)
    body = b"".join(encode(one) for one in item)
    return _head(len(body), _LIST) + body


def encode_int(value: int) -> bytes:
    """RLP of a non-negative integer: big-endian without leading zeros."""
    return encode(int_bytes(value))


def int_bytes(value: int) -> bytes:
    """Big-endian bytes without leading zeros; nothing for 0."""
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def decode(data: bytes) -> Decoded:
    """The item of canonical RLP bytes.

    Raises:
        InputError: not canonical RLP, trailing bytes, too large or too deep.
    """
    if len(data) > MAX_BYTES:
        raise InputError(f"RLP is over {MAX_BYTES} bytes")
    item, end = _decode(data, 0, MAX_DEPTH)
    if end != len(data):
        raise InputError("RLP has trailing bytes")
    return item


def _head(size: int, offset: int) -> bytes:
    if size <= _SHORT:
        return bytes([offset + size])
    length = int_bytes(size)
    return bytes([offset + _SHORT + len(length)]) + length


def _decode(data: bytes, at: int, depth: int) -> tuple[Decoded, int]:
    """The item that starts at a place, and where it ends."""
    if at >= len(data):
        raise InputError("RLP is cut short")
    first = data[at]
    if first < _TEXT:
        return data[at : at + 1], at + 1
    is_list = first >= _LIST
    start, size = _extent(data, at, _LIST if is_list else _TEXT)
    end = start + size
    if end > len(data):
        raise InputError("RLP is cut short")
    if not is_list:
        if size == 1 and data[start] < _TEXT:
            raise InputError("RLP has a prefixed single byte")
        return data[start:end], end
    if depth == 0:
        raise InputError("RLP is nested too deeply")
    items = []
    at = start
    while at < end:
        item, at = _decode(data, at, depth - 1)
        items.append(item)
    if at != end:
        raise InputError("RLP list overruns its length")
    return items, end


def _extent(data: bytes, at: int, offset: int) -> tuple[int, int]:
    """Start and size of the content behind a head."""
    size = data[at] - offset
    if size <= _SHORT:
        return at + 1, size
    start = at + 1 + size - _SHORT
    length = data[at + 1 : start]
    if len(length) != size - _SHORT:
        raise InputError("RLP is cut short")
    size = int.from_bytes(length, "big")
    if length[0] == 0 or size <= _SHORT:
        raise InputError("RLP has a length that is not canonical")
    return start, size
