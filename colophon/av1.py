"""Read from coded AV1 data how large its frames may be, without decoding them.

A container may state a small size around a large frame: the decoder would unpack
the frame first and shrink it afterwards.

Source: AV1 bitstream specification, sections 5.3 (OBU) and 5.5 (sequence header).
"""

from __future__ import annotations

from colophon.parts import damaged

_NAME = "AVIF"
_SEQUENCE = 1
_MOST_LENGTH_BYTES = 8
_TIERED_FROM = 7  # above this level a bit for the tier follows


class _Bits:
    """Bits of some bytes, the highest first."""

    def __init__(self, data: bytes) -> None:
        self._value, self._left = int.from_bytes(data), 8 * len(data)

    def take(self, count: int) -> int:
        self._left -= count
        if self._left < 0:
            raise damaged(_NAME)
        return self._value >> self._left & (1 << count) - 1


def frame_sizes(coded: bytes) -> set[tuple[int, int]]:
    """Return the greatest widths and heights that the sequence headers allow.

    Raises:
        InputError: the data is no chain of OBUs, or its header has a clock, as that
            of a film.
    """
    found, place = set(), 0
    while place < len(coded):
        head = coded[place]
        place += 2 if head & 4 else 1
        size, place = _length(coded, place) if head & 2 else (len(coded) - place, place)
        if size > len(coded) - place:
            raise damaged(_NAME)
        if head >> 3 & 15 == _SEQUENCE:
            # All that matters stands in front of the first hundred bytes or so.
            found.add(_sequence(_Bits(coded[place : place + min(size, 256)])))
        place += size
    return found


def _length(coded: bytes, place: int) -> tuple[int, int]:
    """Return a number in LEB128 and the place behind it."""
    value = 0
    for index, byte in enumerate(coded[place : place + _MOST_LENGTH_BYTES]):
        value |= (byte & 0x7F) << 7 * index
        if not byte >> 7:
            return value, place + index + 1
    raise damaged(_NAME)


def _sequence(bits: _Bits) -> tuple[int, int]:
    bits.take(4)  # profile; whether it is a still picture
    if bits.take(1):  # the short header of still pictures
        bits.take(5)
    else:
        _operating_points(bits)
    across, down = bits.take(4) + 1, bits.take(4) + 1
    return bits.take(across) + 1, bits.take(down) + 1


def _operating_points(bits: _Bits) -> None:
    if bits.take(1):  # a clock
        raise damaged(_NAME)
    delays = bits.take(1)
    for _ in range(bits.take(5) + 1):
        bits.take(12)
        if bits.take(5) > _TIERED_FROM:
            bits.take(1)
        if delays and bits.take(1):
            bits.take(4)
