"""What every walker of a container returns: its parts, and what they carry."""

from __future__ import annotations

from dataclasses import dataclass, field

from colophon.errors import InputError


@dataclass(frozen=True)
class Part:
    """One segment, chunk or box: `kind` is a JPEG marker number or a type's bytes."""

    kind: int | bytes
    start: int  # of the whole part, marker or length included
    body: int  # of its content
    end: int  # behind the whole part


@dataclass(frozen=True)
class Carried:
    """What a picture carries beside its pixels; empty where it has none."""

    exif: bytes = b""  # from its byte-order mark on
    xmp: bytes = b""
    texts: dict[str, bytes] = field(default_factory=dict)  # by keyword
    iptc: bool = False
    comment: bool = False
    profile: bool = False


def damaged(name: str) -> InputError:
    """Return the refusal of a picture whose parts do not add up."""
    return InputError(
        f"the {name} picture is cut off or damaged; save it again and upload that",
        "file",
    )


def one_size(sizes: list[tuple[int, int]]) -> tuple[int, int]:
    """Return the size that all headers state.

    Raises:
        InputError: the picture states no size, or several: a decoder might take
            the other one than the one we checked.
    """
    if len(sizes) != 1:
        count = "more than one" if sizes else "no"
        raise InputError(f"the picture states {count} size", "file")
    return sizes[0]


def splice(data: bytes, changes: list[tuple[int, int, bytes]]) -> bytes:
    """Return the bytes with ranges replaced; everything else stays.

    Args:
        data: the whole file.
        changes: (start, end, replacement) without overlap; start = end inserts.
    """
    out, at = bytearray(), 0
    for start, end, piece in sorted(changes):
        out += data[at:start] + piece
        at = max(at, end)
    return bytes(out + data[at:])
