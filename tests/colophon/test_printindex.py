"""The exact index of prints: what a scan finds, it finds, at every width of bands."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from colophon.errors import InputError
from colophon.printindex import (
    BANDS,
    BITS,
    MOST_BANDS_WIDE,
    RADIUS,
    PrintIndex,
    bands_for,
    flips_within,
    radii,
    widths,
)

ALL_BANDS = sorted({MOST_BANDS_WIDE, 15, *(bands for _, bands in BANDS)})
COUNT = 600
PRINTS = np.random.default_rng(5).integers(0, 256, (COUNT, 32), dtype=np.uint8)
# Every width that is used, over the same prints; narrow ones are quick to build.
INDEXES = {bands: PrintIndex(PRINTS, bands) for bands in (14, 16)}


def brute(query: bytes, radius: int = RADIUS) -> list[tuple[int, int]]:
    asked = int.from_bytes(query, "big")
    far = [(asked ^ int.from_bytes(row.tobytes(), "big")).bit_count() for row in PRINTS]
    return [(row, bits) for row, bits in enumerate(far) if bits <= radius]


def found(
    index: PrintIndex, query: bytes, radius: int = RADIUS
) -> list[tuple[int, int]]:
    rows, bits = index.search(query, radius)
    return list(zip(rows.tolist(), bits.tolist(), strict=True))


def off(row: int, bits: set[int]) -> bytes:
    """A print with these bits flipped."""
    flat = np.unpackbits(PRINTS[row])
    flat[list(bits)] ^= 1
    return np.packbits(flat).tobytes()


@pytest.mark.parametrize("bands", INDEXES)
@settings(max_examples=200, deadline=None)
@given(
    row=st.integers(0, COUNT - 1),
    bits=st.sets(st.integers(0, BITS - 1), max_size=RADIUS + 2),
)
def test_it_finds_what_a_scan_finds(bands: int, row: int, bits: set[int]) -> None:
    query = off(row, bits)
    assert found(INDEXES[bands], query) == brute(query)


@pytest.mark.parametrize("bands", ALL_BANDS)
def test_the_bands_cover_every_print_within_31_bits(bands: int) -> None:
    """Each bit is in one band, and 31 differences cannot be too many in every band."""
    assert sum(widths(bands)) == BITS
    assert sum(radius + 1 for radius in radii(bands)) == RADIUS + 1
    assert widths(bands)[0] >= widths(bands)[-1]  # more flips go to wider bands
    assert max(widths(bands)) <= 24  # a key is exact as a float


@pytest.mark.parametrize("bands", [12, 16])
def test_the_worst_spread_of_31_bits_is_found(bands: int) -> None:
    """One band alone is within its radius; every other one just beyond."""
    index = PrintIndex(PRINTS, bands)
    limits = radii(bands)
    for lucky in range(bands):
        bits = {
            bit
            for band in range(bands)
            for bit in range(band, BITS, bands)[: limits[band] + (band != lucky)]
        }
        assert len(bits) == RADIUS
        query = off(lucky, bits)
        assert (lucky, RADIUS) in found(index, query)


def test_wider_bands_come_with_more_prints() -> None:
    sizes = (1, 1_000_000, 3_000_000, 5_000_000, 10_000_000, 10**9)
    assert [bands_for(size) for size in sizes] == [16, 16, 14, 13, 12, 11]


def test_flips_are_all_numbers_with_few_ones() -> None:
    assert flips_within(4, 1) == [0, 1, 2, 4, 8]
    assert len(set(flips_within(16, 2))) == 1 + 16 + 120


@pytest.mark.parametrize("radius", [31, 64, 256])
def test_few_prints_and_far_ones_are_scanned(radius: int) -> None:
    small, query = PrintIndex(PRINTS), off(3, set(range(40)))
    for index in (small, INDEXES[16]):
        assert found(index, query, radius) == brute(query, radius)


def test_the_very_opposite_is_256_bits_away() -> None:
    opposite = bytes(255 - one for one in PRINTS[0].tobytes())
    assert (0, 256) in found(INDEXES[16], opposite, 256)


def test_an_empty_index_finds_nothing() -> None:
    index = PrintIndex(np.empty((0, 32), np.uint8))
    assert found(index, bytes(32)) == []
    assert len(index) == 0


def test_equal_prints_are_all_found() -> None:
    index = PrintIndex(np.zeros((5_000, 32), np.uint8))
    assert len(index.search(bytes(32))[0]) == 5_000


def test_a_print_costs_about_100_bytes() -> None:
    random = np.random.default_rng(1)
    index = PrintIndex(random.integers(0, 256, (100_000, 32), dtype=np.uint8))
    starts = 16 * (2**16 + 1) * 4
    assert index.nbytes - starts < 97 * 100_000


@pytest.mark.parametrize("given", [b"", bytes(31), bytes(33)])
def test_a_print_of_another_length_is_refused(given: bytes) -> None:
    with pytest.raises(InputError, match="32 bytes"):
        INDEXES[16].search(given)


def test_rows_of_another_length_are_refused() -> None:
    with pytest.raises(InputError, match="rows of 32 bytes"):
        PrintIndex(np.empty((3, 31), np.uint8))
