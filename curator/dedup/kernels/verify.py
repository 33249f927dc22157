"""True Jaccard similarity of candidate pairs: both texts are cut into shingles again, nothing was stored.

Sets are open-addressing tables that are never cleared: a place is taken when its stamp is that of the text in hand.
Table memory is one array of keys for two tables of `capacity` places, and one of stamps for three: ours, theirs, and
which of ours have been met.
"""

import numpy as np

from curator.dedup.kernels.jit import jit
from curator.dedup.kernels.pointers import Bytes, F64s, I32s, I64s, U32s, U64s
from curator.dedup.kernels.shingles import drop_listed, shingle_tokens
from curator.dedup.kernels.words import tokenize

_HALF = np.uint64(32)
_LOW_HALF = np.uint64(0xFFFFFFFF)


@jit
def measure_pairs(
    pairs: U64s,
    begin: int,
    end: int,
    threshold: float,
    addresses: U64s,
    sizes: I64s,
    table: U32s,
    options: int,
    ngram: int,
    boilerplate: U64s,
    boilerplate_mask: int,
    scratch: Bytes,
    edges: I32s,
    hashes: U64s,
    shingles: U64s,
    slots: U64s,
    stamps: I32s,
    capacity: int,
    stamp: int,
    scores: F64s,
) -> int:
    """Write the similarity of pairs[begin:end] (row << 32 | row), 0 where it is below the threshold.

    Sorted pairs are fastest: the shingles of a first row are entered once for all its partners. No stamp may be above
    the given one, and the capacity is a power of two, at least twice the shingles of the longest text. Returns the last
    stamp used.
    """
    held = np.int64(-1)
    ours = 0
    mask = 0
    our_stamp = 0
    for at in range(begin, end):
        one = np.int64(pairs[at] >> _HALF)
        other = np.int64(pairs[at] & _LOW_HALF)
        if one != held:
            count = tokenize(addresses[one], sizes[one], table, options, scratch, edges, hashes)
            count = shingle_tokens(hashes, count, ngram, shingles)
            if boilerplate_mask > 0:
                count = drop_listed(shingles, count, boilerplate, boilerplate_mask)
            held = one
            stamp += 1
            our_stamp = stamp
            mask = table_mask(count)
            ours = 0
            for place in range(count):
                ours += enter(shingles[place], slots, stamps, 0, mask, our_stamp)
        count = tokenize(addresses[other], sizes[other], table, options, scratch, edges, hashes)
        count = shingle_tokens(hashes, count, ngram, shingles)
        if boilerplate_mask > 0:
            count = drop_listed(shingles, count, boilerplate, boilerplate_mask)
        stamp += 1
        scores[at] = compare_shingles(shingles, count, threshold, ours, slots, stamps, capacity, mask, our_stamp, stamp)
    return stamp


@jit
def compare_shingles(
    shingles: U64s,
    count: int,
    threshold: float,
    ours: int,
    slots: U64s,
    stamps: I32s,
    capacity: int,
    mask: int,
    our_stamp: int,
    their_stamp: int,
) -> float:
    """Return the similarity of the entered text and the given shingles, 0 as soon as it cannot reach the threshold."""
    shared = 0
    only_theirs = 0
    their_mask = table_mask(count)
    for at in range(count):
        value = shingles[at]
        place = np.int64(value) & mask
        while stamps[place] == our_stamp and slots[place] != value:
            place = (place + 1) & mask
        if stamps[place] != our_stamp:
            only_theirs += enter(value, slots, stamps, capacity, their_mask, their_stamp)
            if ours < threshold * (ours + only_theirs) - 1e-6:
                return 0.0
        elif stamps[2 * capacity + place] != their_stamp:
            stamps[2 * capacity + place] = their_stamp
            shared += 1
    score = shared / (ours + only_theirs)
    return score if score >= threshold else 0.0


@jit
def enter(value: np.uint64, slots: U64s, stamps: I32s, start: int, mask: int, stamp: int) -> int:
    """Enter a value in the table that begins at `start`; return 1 if it is new, 0 if it was there."""
    place = start + (np.int64(value) & mask)
    while stamps[place] == stamp:
        if slots[place] == value:
            return 0
        place = start + ((place + 1 - start) & mask)
    stamps[place] = stamp
    slots[place] = value
    return 1


@jit
def table_mask(count: int) -> int:
    """Return the places of a table at most half full, less one."""
    places = 16
    while places < 2 * count:
        places *= 2
    return places - 1
