"""New rows against many old ones: old signatures stream past the buckets of the new."""

import numpy as np

from curator.dedup.bands import KEY_FACTOR, SPREAD
from curator.dedup.kernels.jit import jit
from curator.dedup.kernels.pointers import Bytes, U16s, U32s, U64s

_KEY_FACTOR = np.uint32(KEY_FACTOR)
_FREE = np.uint64(0xFFFFFFFFFFFFFFFF)
_SPREAD = np.uint64(SPREAD)
_HALF = np.uint64(32)
_LOW_BYTE = np.uint16(0xFF)
_ONE = np.uint32(1)


@jit
def probe_buckets(
    old: U16s,
    begin: int,
    end: int,
    new: U16s,
    num_new: int,
    num_bands: int,
    band_width: int,
    slots: U64s,
    num_slots: int,
    previous: U32s,
    depth: U32s,
    firsts: Bytes,
    filters: Bytes,
    filter_bits: int,
    least: int,
    pairs: U64s,
    capacity: int,
) -> int:
    """Write the pairs (old row << 32 | new row) of old rows begin to end with new rows that share a band.

    slots, previous and depth hold one table a band, as `chain_rows` fills them. So that most rows are passed over
    without a look at it, firsts hold 2**16 bits a band, set for the first values of the new bands, and filters
    2**filter_bits, set for their keys. Pairs that agree in fewer than `least` values are left out; a pair that shares
    several bands is written for each. Returns how many there are; those beyond the capacity are not written.
    """
    count = 0
    for row in range(begin, end):
        for band in range(num_bands):
            first = np.int64(old[row * 64 + band * band_width])
            if not firsts[(band << 13) + (first >> 3)] >> (first & 7) & 1:
                continue
            key = np.uint64(hash_narrow_band(old, row * 64 + band * band_width, band_width))
            spread = key * _SPREAD
            bit = (band << filter_bits) + np.int64(spread >> np.uint64(64 - filter_bits))
            if not filters[bit >> 3] >> (bit & 7) & 1:
                continue
            place = np.int64((spread >> _HALF) & np.uint64(num_slots - 1))
            start = band * num_slots
            while slots[start + place] != _FREE and slots[start + place] >> _HALF != key:
                place = (place + 1) & (num_slots - 1)
            if slots[start + place] == _FREE:
                continue
            other = np.uint32(slots[start + place])
            for _ in range(depth[band * num_new + other]):
                if count_agreeing(old, np.int64(row) * 64, new, np.int64(other) * 64) >= least:
                    if count < capacity:
                        pairs[count] = (np.uint64(row) << _HALF) | np.uint64(other)
                    count += 1
                other = previous[band * num_new + other]
    return count


@jit
def hash_narrow_band(signatures: U16s, start: int, width: int) -> np.uint32:
    """Return the key of signatures[start : start + width]; see `curator.dedup.bands`."""
    key = np.uint32(0)
    for at in range(start, start + width):
        key = np.uint32((key ^ np.uint32(signatures[at])) * _KEY_FACTOR)
        key ^= key >> np.uint32(15)
    return key


@jit
def count_agreeing(ours: U16s, start: np.int64, theirs: U16s, other: np.int64) -> int:
    """Return in how many of 64 values the low bytes agree."""
    count = 0
    for at in range(64):
        count += (ours[start + at] & _LOW_BYTE) == (theirs[other + at] & _LOW_BYTE)
    return count
