"""Search many 256-bit prints exactly: all within 31 bits of one, none left out.

Multi-index hashing. The bits are dealt out to m bands, band i is searched within r_i
bits, and the sum of (r_i + 1) is 32: a print that differs in more than r_i bits in
every band differs in at least 32. So each print within 31 bits is met in some band,
and each that is met is then counted in full. Bands get wider as the index grows, or
the number that is met, N * buckets / 2**width, would grow with it: 16 bands of 16 bits
at 10^6, 12 of 21 or 22 at 10^7. Neighboring bits of a print agree more often than not,
so each band takes every m-th bit.

Memory: 32 bytes a print, 4 a print and band, and the bands' starts; about 100 in all.
Source: Norouzi, Punjani, Fleet, "Fast Exact Search in Hamming Space with Multi-Index
Hashing" (2014).
"""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from colophon.errors import InputError

BITS = 256
BYTES = BITS // 8
WORDS = 4
RADIUS = 31
# So many are scanned faster than looked up.
SCANNED = 4_096
# Bands for an index of up to so many prints; timed by bench/alike.py.
BANDS = ((2_000_000, 16), (4_000_000, 14), (8_000_000, 13), (32_000_000, 12))
MOST_BANDS_WIDE = 11
BLOCK = 1 << 16
SHORT = 16

Words = NDArray[np.uint64]
# Row numbers, and the distance of each in bits.
Found = tuple[NDArray[np.int64], NDArray[np.uint32]]


class PrintIndex:
    """Prints that do not change; `search` says which are near to one.

    Args:
        prints: n rows of 32 bytes.
        bands: for tests; by the number of prints when absent.
    """

    def __init__(self, prints: NDArray[np.uint8], bands: int | None = None) -> None:
        if prints.shape[1:] != (BYTES,):
            raise InputError("prints must be rows of 32 bytes", "prints")
        self._words: Words = np.ascontiguousarray(prints).view(np.uint64)
        self._tables = bands is not None or len(prints) > SCANNED
        if self._tables:
            self._build(prints, bands or bands_for(len(prints)))

    def __len__(self) -> int:
        return len(self._words)

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        if not self._tables:
            return self._words.nbytes
        mine = (self._rows, self._starts, self._flips, self._bases, self._of_band)
        return self._words.nbytes + sum(each.nbytes for each in mine)

    def search(self, query: bytes, radius: int = RADIUS) -> Found:
        """The rows within `radius` bits of a print, ascending, and their distances.

        Up to 31 bits by the bands; further by a scan of all, as exact and slower.

        Raises:
            InputError: the print is not 32 bytes.
        """
        if len(query) != BYTES:
            raise InputError(f"a print has {BYTES} bytes, this {len(query)}", "print")
        words = np.frombuffer(query, np.uint64)
        if not self._tables or radius > RADIUS:
            return self._scan(words, radius)
        rows = self._met(query)
        # `take` fetches rows six times as fast as indexing does.
        distance = _distance(self._words.take(rows, axis=0), words)
        near = distance <= radius
        found, first = np.unique(rows[near], return_index=True)
        return found, distance[near][first]

    def _scan(self, words: Words, radius: int) -> Found:
        rows, bits = [], []
        for begin in range(0, len(self._words), BLOCK):
            distance = _distance(self._words[begin : begin + BLOCK], words)
            (near,) = np.nonzero(distance <= radius)
            rows.append(near + begin)
            bits.append(distance[near])
        if not rows:
            return np.empty(0, np.int64), np.empty(0, np.uint32)
        return np.concatenate(rows), np.concatenate(bits)

    def _met(self, query: bytes) -> NDArray[np.int64]:
        """Rows that agree with the query in some band, nearly; some more than once."""
        bits = np.unpackbits(np.frombuffer(query, np.uint8))
        keys = self._weights @ bits
        at = (keys[self._of_band] ^ self._flips) + self._bases
        begin = self._starts[at]
        length = (self._starts[at + 1] - begin).astype(np.int64)
        some = length > 0
        begin, length = begin[some].astype(np.int64), length[some]
        ends = np.cumsum(length)
        if not len(ends):
            return np.empty(0, np.int64)
        places = np.arange(ends[-1]) + np.repeat(begin - ends + length, length)
        rows: NDArray[np.int64] = self._rows.take(places).astype(np.int64)
        return rows

    def _build(self, prints: NDArray[np.uint8], bands: int) -> None:
        count = len(prints)
        self._weights = _weights(bands)
        sizes = [1 << width for width in widths(bands)]
        self._rows = np.empty(bands * count, np.uint32)
        self._starts = np.empty(sum(sizes) + bands, np.uint32)
        flips, bases, of_band = [], [], []
        base = 0
        for band, radius in enumerate(radii(bands)):
            key = _keys_of(prints, self._weights[band])
            order = np.argsort(key, kind="stable")
            self._rows[band * count : (band + 1) * count] = order
            starts = self._starts[base : base + sizes[band] + 1]
            starts[0] = band * count
            np.cumsum(np.bincount(key, minlength=sizes[band]), out=starts[1:])
            starts[1:] += np.uint32(band * count)
            mine = flips_within(widths(bands)[band], radius)
            flips += mine
            bases += [base] * len(mine)
            of_band += [band] * len(mine)
            base += sizes[band] + 1
        self._flips = np.array(flips, np.int64)
        self._bases = np.array(bases, np.int64)
        self._of_band = np.array(of_band, np.int64)


def bands_for(count: int) -> int:
    """How many bands an index of so many prints has."""
    for most, bands in BANDS:
        if count <= most:
            return bands
    return MOST_BANDS_WIDE


def widths(bands: int) -> list[int]:
    """Bits of each band: band i takes the bits i, i + m, i + 2m and so on."""
    return [len(range(band, BITS, bands)) for band in range(bands)]


def radii(bands: int) -> list[int]:
    """Bits that each band may differ in, so that the sum of (r + 1) is 32.

    The first bands are the wider ones and take what does not divide evenly.
    """
    low, more = divmod(RADIUS + 1, bands)
    return [low - 1 + (band < more) for band in range(bands)]


def flips_within(width: int, radius: int) -> list[int]:
    """All numbers of `width` bits with at most `radius` ones."""
    return [
        sum(1 << bit for bit in bits)
        for ones in range(radius + 1)
        for bits in combinations(range(width), ones)
    ]


def _weights(bands: int) -> NDArray[np.int64]:
    """What each bit of a print adds to the key of each band."""
    weights = np.zeros((bands, BITS), np.int64)
    for band, width in enumerate(widths(bands)):
        weights[band, band::bands] = 1 << np.arange(width)[::-1]
    return weights


def _keys_of(prints: NDArray[np.uint8], weights: NDArray[np.int64]) -> NDArray[Any]:
    """One band's key of each print."""
    width = int(np.count_nonzero(weights))
    # Two bytes are sorted by counting, which is several times as fast.
    keys = np.empty(len(prints), np.uint32 if width > SHORT else np.uint16)
    (mine,) = np.nonzero(weights)
    for begin in range(0, len(prints), BLOCK):
        block = prints[begin : begin + BLOCK]
        bits = (block[:, mine >> 3] >> (7 - (mine & 7)).astype(np.uint8)) & 1
        # Exact: a key has at most 24 bits, and so has a float's fraction.
        sums = bits.astype(np.float32) @ weights[mine].astype(np.float32)
        keys[begin : begin + BLOCK] = sums
    return keys


def _distance(rows: Words, words: Words) -> NDArray[np.uint32]:
    """Bits that differ: the four counts of a row, one byte each, added as a number."""
    counts: Any = np.bitwise_count(rows ^ words)
    four = counts.view(np.uint32)[:, 0]
    two = (four & np.uint32(0x00FF00FF)) + (
        (four >> np.uint32(8)) & np.uint32(0xFF00FF)
    )
    distance: NDArray[np.uint32] = (two + (two >> np.uint32(16))) & np.uint32(0x1FF)
    return distance
