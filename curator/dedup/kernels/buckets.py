"""Rows with equal keys: one open-addressing table a band, and the pairs within its buckets."""

import numpy as np

from curator.dedup.bands import SPREAD
from curator.dedup.kernels.jit import jit
from curator.dedup.kernels.pointers import Bytes, I64s, U32s, U64s
from curator.dedup.kernels.simd import count_equal

NO_ROW = 0xFFFFFFFF

_NO_ROW = np.uint32(NO_ROW)
_FREE = np.uint64(0xFFFFFFFFFFFFFFFF)
_SPREAD = np.uint64(SPREAD)
_HALF = np.uint64(32)
_ONE = np.uint32(1)
_ONE_BIT = np.uint64(1)
_LAST_BIT = np.uint64(63)
_WORD_BITS = np.uint64(6)


@jit
def find_first_equal(keys: U64s, num_rows: int, slots: U64s, slot_mask: int, first: I64s) -> None:
    """Write for each row the first row with the same key. Slots must be all ones."""
    for row in range(num_rows):
        key = keys[row]
        place = np.int64(((key * _SPREAD) >> _HALF) & np.uint64(slot_mask))
        while slots[place] != _FREE and keys[slots[place]] != key:
            place = (place + 1) & slot_mask
        if slots[place] == _FREE:
            slots[place] = np.uint64(row)
        first[row] = np.int64(slots[place])


@jit
def list_repeats(
    keys: U32s, num_rows: int, band: int, rows: U32s, num_nodes: int, filters: U64s, filter_bits: int, repeats: U32s
) -> int:
    """Write those of the given rows whose key in a band others may have, and return how many they are.

    Most rows are alone in a band. Two passes over bitmaps tell so, which fit a cache where a table of all rows does not:
    filters hold 2**filter_bits pairs of bits (a bit is set by the first key that falls on it, the bit 64 places later by
    the second), all zero.
    """
    start = band * num_rows
    shift = np.uint64(64 - filter_bits)
    for node in range(num_nodes):
        spread = (np.uint64(keys[start + rows[node]]) * _SPREAD) >> shift
        pair = np.int64((spread >> _WORD_BITS) << _ONE_BIT)
        flag = _ONE_BIT << (spread & _LAST_BIT)
        seen = filters[pair]
        filters[pair + 1] |= seen & flag
        filters[pair] = seen | flag
    count = 0
    for node in range(num_nodes):
        row = rows[node]
        spread = (np.uint64(keys[start + row]) * _SPREAD) >> shift
        pair = np.int64((spread >> _WORD_BITS) << _ONE_BIT)
        repeats[count] = row
        count += int((filters[pair + 1] >> (spread & _LAST_BIT)) & _ONE_BIT)
    return count


@jit
def chain_rows(
    keys: U32s,
    num_rows: int,
    band: int,
    rows: U32s,
    num_nodes: int,
    slots: U64s,
    slot_mask: int,
    previous: U32s,
    depth: U32s,
    meetings: U32s,
) -> int:
    """Chain the given rows by their key in a band; return how many met another row.

    A slot holds key << 32 | last row of its bucket. previous[row] is the row before it in the bucket, if any, and
    depth[row] their number so far; both are valid only for rows listed in `meetings`. Slots must be all ones.
    """
    start = band * num_rows
    count = 0
    for node in range(num_nodes):
        row = rows[node]
        key = np.uint64(keys[start + row])
        place = np.int64(((key * _SPREAD) >> _HALF) & np.uint64(slot_mask))
        while slots[place] != _FREE and slots[place] >> _HALF != key:
            place = (place + 1) & slot_mask
        if slots[place] == _FREE:
            depth[row] = _ONE
        else:
            before = np.uint32(slots[place])
            previous[row] = before
            depth[row] = depth[before] + _ONE
            meetings[count] = row
            count += 1
        slots[place] = (key << _HALF) | np.uint64(row)
    return count


@jit
def pair_meetings(
    keys: U32s,
    num_rows: int,
    band: int,
    previous: U32s,
    depth: U32s,
    meetings: U32s,
    num_meetings: int,
    is_oversize: U32s,
    has_oversize: int,
    sketches: Bytes,
    least: int,
    pairs: U64s,
    capacity: int,
) -> int:
    """Write the pairs (smaller row << 32 | larger row) of a band's buckets that no earlier band has; return how many.

    Pairs beyond the capacity are counted but not written. Pairs whose sketches agree in fewer than `least` values are
    left out. Bit b of is_oversize[row], if there are any, tells that the row's bucket of band b is too large to be
    compared here.
    """
    count = 0
    for at in range(num_meetings):
        one = meetings[at]
        if has_oversize and (is_oversize[one] >> np.uint32(band)) & _ONE:
            continue
        other = one
        for _ in range(depth[one] - _ONE):
            other = previous[other]
            if count_equal(sketches, np.int64(one) * 64, np.int64(other) * 64) < least:
                continue
            if _is_known(keys, num_rows, band, one, other, is_oversize, has_oversize):
                continue
            if count < capacity:
                pairs[count] = (np.uint64(min(one, other)) << _HALF) | np.uint64(max(one, other))
            count += 1
    return count


@jit
def _is_known(keys: U32s, num_rows: int, band: int, one: int, other: int, is_oversize: U32s, has_oversize: int) -> bool:
    """Return whether an earlier band has written the pair."""
    for earlier in range(band):
        start = earlier * num_rows
        is_passed_over = has_oversize and (is_oversize[one] >> np.uint32(earlier)) & _ONE
        if keys[start + one] == keys[start + other] and not is_passed_over:
            return True
    return False


@jit
def list_oversize(
    slots: U64s, num_slots: int, previous: U32s, depth: U32s, max_group: int, members: I64s, bounds: I64s
) -> int:
    """Write the members of buckets larger than `max_group` and the bounds of each bucket; return their number."""
    count = 0
    written = 0
    bounds[0] = 0
    for place in range(num_slots):
        if slots[place] == _FREE:
            continue
        row = np.uint32(slots[place])
        size = np.int64(depth[row])
        if size <= max_group:
            continue
        for _ in range(size):
            members[written] = np.int64(row)
            written += 1
            row = previous[row]
        count += 1
        bounds[count] = written
    return count
