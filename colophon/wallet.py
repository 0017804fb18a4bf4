"""Whose wallet signed: EIP-712 digests and secp256k1 recovery, for plain wallets.

Only what a verifier needs to check an acceptance offline; nothing here signs. It
works on public data, so it need not hide its timing. Sources: EIP-712, SEC 1 v2
section 4.1.6.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from colophon.digest import keccak256
from colophon.errors import InputError, SignatureError

SIGNATURE_BYTES = 65
_P = 2**256 - 2**32 - 977
_N = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
_G = (
    0x79BE667E_F9DCBBAC_55A06295_CE870B07_029BFCDB_2DCE28D9_59F2815B_16F81798,
    0x483ADA77_26A3C465_5DA4FBFC_0E1108A8_FD17B448_A6855419_9C47D08F_FB10D4B8,
)
_WORD = 32
_RECOVERY_IDS = {0: 0, 1: 1, 27: 0, 28: 1}

# A point in Jacobian coordinates; z = 0 is the point at infinity.
_Point = tuple[int, int, int]
_INFINITY: _Point = (0, 1, 0)


def typed_data_digest(data: Mapping[str, Any]) -> bytes:
    """The 32 bytes that a wallet signs for EIP-712 typed data of flat structs.

    Raises:
        InputError: a type that flat records do not use.
    """
    types = data["types"]
    domain = _struct("EIP712Domain", types, data["domain"])
    message = _struct(data["primaryType"], types, data["message"])
    return keccak256(b"\x19\x01" + domain + message)


def recover(digest: bytes, signature: bytes) -> str:
    """The address (0x, lowercase) whose key signed a digest.

    Args:
        digest: 32 bytes.
        signature: r, s and v (27 or 28, or 0 or 1), 65 bytes.

    Raises:
        SignatureError: no such signature is possible.
    """
    if len(signature) != SIGNATURE_BYTES:
        raise SignatureError(f"wallet signature has {len(signature)} bytes, not 65")
    r = int.from_bytes(signature[:_WORD], "big")
    s = int.from_bytes(signature[_WORD : 2 * _WORD], "big")
    odd = _RECOVERY_IDS.get(signature[-1])
    # The upper half of s is the same signature written differently (EIP-2).
    if odd is None or not 0 < r < _N or not 0 < s <= _N // 2:
        raise SignatureError("wallet signature is out of range")
    y = _root_of(r, odd)
    inverse = pow(r, -1, _N)
    z = int.from_bytes(digest, "big")
    point = _add(
        _multiply((_G[0], _G[1], 1), -z * inverse % _N),
        _multiply((r, y, 1), s * inverse % _N),
    )
    return _address(point)


def _root_of(x: int, odd: int) -> int:
    """The y of a point with that x and oddness: y² = x³ + 7."""
    square = (pow(x, 3, _P) + 7) % _P
    y = pow(square, (_P + 1) // 4, _P)
    if y * y % _P != square:
        raise SignatureError("wallet signature names no point of the curve")
    return y if y % 2 == odd else _P - y


def _multiply(point: _Point, times: int) -> _Point:
    found = _INFINITY
    while times:
        if times & 1:
            found = _add(found, point)
        point = _double(point)
        times >>= 1
    return found


def _double(point: _Point) -> _Point:
    x, y, z = point
    if not z or not y:
        return _INFINITY
    s = 4 * x * y * y % _P
    m = 3 * x * x % _P
    nx = (m * m - 2 * s) % _P
    return nx, (m * (s - nx) - 8 * pow(y, 4, _P)) % _P, 2 * y * z % _P


def _add(one: _Point, two: _Point) -> _Point:
    if not one[2]:
        return two
    if not two[2]:
        return one
    z1, z2 = one[2] * one[2] % _P, two[2] * two[2] % _P
    u1, u2 = one[0] * z2 % _P, two[0] * z1 % _P
    s1, s2 = one[1] * z2 * two[2] % _P, two[1] * z1 * one[2] % _P
    if u1 == u2:
        return _double(one) if s1 == s2 else _INFINITY
    h, r = (u2 - u1) % _P, (s2 - s1) % _P
    h2 = h * h % _P
    h3, v = h * h2 % _P, u1 * h2 % _P
    x = (r * r - h3 - 2 * v) % _P
    return x, (r * (v - x) - s1 * h3) % _P, h * one[2] * two[2] % _P


def _address(point: _Point) -> str:
    if not point[2]:
        raise SignatureError("wallet signature names no key")
    inverse = pow(point[2], -1, _P)
    x = point[0] * inverse**2 % _P
    y = point[1] * inverse**3 % _P
    return "0x" + keccak256(x.to_bytes(32, "big") + y.to_bytes(32, "big"))[12:].hex()


def _struct(name: str, types: Mapping[str, Any], values: Mapping[str, Any]) -> bytes:
    """HashStruct of EIP-712, for structs without structs inside."""
    fields = types[name]
    written = ",".join(f"{one['type']} {one['name']}" for one in fields)
    words = [keccak256(f"{name}({written})".encode())]
    words += [_word(one["type"], values[one["name"]]) for one in fields]
    return keccak256(b"".join(words))


def _word(kind: str, value: Any) -> bytes:
    """One value as EIP-712 encodes it."""
    if kind == "string":
        return keccak256(str(value).encode())
    if kind == "uint256":
        return int(value).to_bytes(_WORD, "big")
    if kind in {"address", "bytes32"}:
        return bytes.fromhex(str(value).removeprefix("0x")).rjust(_WORD, b"\0")
    raise InputError(f"{kind} is not a type of flat typed data", "types")
