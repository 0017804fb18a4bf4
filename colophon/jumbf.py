"""Find the claim signature inside a C2PA manifest store, without the C2PA library.

The library says whether a signature holds, but hands out neither its bytes nor the
extended key usage of its certificate. Both matter: the seal names the signature's
digest, and a certificate for time-stamps must not sign claims.

Source: ISO 19566-5 (JUMBF boxes), RFC 8949 (CBOR), RFC 9052 and 9360 (COSE).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

X5CHAIN = 33
X5CHAIN_NAME = "x5chain"  # before RFC 9360 gave it a number
MAX_DEPTH = 12
# CBOR major types, and the short counts that say how long the number is.
_NEGATIVE, _BYTES, _TEXT, _ARRAY, _MAP, _TAG = 1, 2, 3, 4, 5, 6
_ONE_BYTE, _EIGHT_BYTES = 24, 27


def claim_signature(store: bytes, label: str) -> bytes | None:
    """Return the COSE_Sign1 bytes of one manifest; None when it is not there.

    Args:
        store: the manifest store as embedded (a JUMBF superbox "c2pa").
        label: the manifest's label, like "urn:c2pa:…".
    """
    try:
        for outer in _superboxes(store):
            for manifest in _superboxes(outer[1]):
                if manifest[0] == label:
                    return _content(manifest[1], "c2pa.signature", b"cbor")
    except (ValueError, IndexError):
        return None
    return None


def certificates(cose: bytes) -> list[bytes]:
    """Return the DER certificates a COSE_Sign1 carries, leaf first; [] when none."""
    try:
        protected, unprotected, _, _ = _decode(memoryview(cose), 0, 0)[0]
        header = _decode(memoryview(protected), 0, 0)[0]
        # The signer vouches for the protected header only, so it is asked first.
        for source in (header, unprotected):
            for key in (X5CHAIN, X5CHAIN_NAME):
                if key in source:
                    chain = source[key]
                    return [chain] if isinstance(chain, bytes) else list(chain)
    except (ValueError, IndexError, TypeError):
        return []
    return []


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield type and content of each box in a row."""
    place = 0
    while place + 8 <= len(data):
        size, kind = (
            int.from_bytes(data[place : place + 4]),
            data[place + 4 : place + 8],
        )
        head = 8
        if size == 1:
            size, head = int.from_bytes(data[place + 8 : place + 16]), 16
        if size == 0:
            size = len(data) - place
        if size < head or place + size > len(data):
            raise ValueError("a box does not fit")
        yield kind, data[place + head : place + size]
        place += size


def _superboxes(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield label and content (after the description) of each superbox in a row."""
    for kind, content in _boxes(data):
        if kind != b"jumb":
            continue
        size = int.from_bytes(content[:4])
        # Description box: 8 bytes head, 16 bytes type, 1 byte toggles, label.
        label = content[25:size].split(b"\0", 1)[0].decode("utf-8", "replace")
        yield label, content[size:]


def _content(data: bytes, label: str, kind: bytes) -> bytes | None:
    for name, inside in _superboxes(data):
        if name == label:
            return next((body for box, body in _boxes(inside) if box == kind), None)
    return None


def _decode(data: memoryview, place: int, depth: int) -> tuple[Any, int]:
    """Decode one CBOR item; only what a COSE_Sign1 uses, definite lengths."""
    if depth > MAX_DEPTH:
        raise ValueError("nested too deeply")
    major = data[place] >> 5
    value, place = _argument(data, place)
    if major in (_BYTES, _TEXT):
        if place + value > len(data):
            raise ValueError("a string does not fit")
        raw = bytes(data[place : place + value])
        return (raw if major == _BYTES else raw.decode()), place + value
    if major == _ARRAY:
        return _decode_many(data, place, value, depth)
    if major == _MAP:
        flat, place = _decode_many(data, place, 2 * value, depth)
        return dict(zip(flat[::2], flat[1::2], strict=True)), place
    if major == _TAG:
        return _decode(data, place, depth + 1)
    return (-1 - value if major == _NEGATIVE else value), place


def _argument(data: memoryview, place: int) -> tuple[int, int]:
    """Return the number in an item's head, and where its content begins."""
    short, place = data[place] & 31, place + 1
    if short < _ONE_BYTE:
        return short, place
    if short > _EIGHT_BYTES:
        raise ValueError("indefinite length")
    size = 1 << (short - _ONE_BYTE)
    return int.from_bytes(data[place : place + size]), place + size


def _decode_many(
    data: memoryview, place: int, count: int, depth: int
) -> tuple[list[Any], int]:
    items = []
    for _ in range(count):
        item, place = _decode(data, place, depth + 1)
        items.append(item)
    return items, place
