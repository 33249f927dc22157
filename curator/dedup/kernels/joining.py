"""The exact join: rare shingles of each text, and the pairs that meet in them (see `curator.dedup.exact_join`)."""

import numpy as np

from curator.dedup.kernels.jit import jit
from curator.dedup.kernels.pointers import Bytes, I32s, I64s, U8s, U32s, U64s
from curator.dedup.kernels.shingles import drop_listed, shingle_tokens
from curator.dedup.kernels.verify import enter, table_mask
from curator.dedup.kernels.words import tokenize

_HALF = np.uint64(32)
_LOW_HALF = np.uint64(0xFFFFFFFF)
_COUNT_SHIFT = np.uint64(56)
_HASH_SHIFT = np.uint64(8)
_SLACK = 1e-9


@jit
def count_shingles(
    addresses: U64s,
    sizes: I64s,
    rows: U32s,
    begin: int,
    end: int,
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
    stamp: int,
    counters: U8s,
    counter_mask: int,
    num_distinct: U32s,
) -> int:
    """Count the distinct shingles of rows[begin:end]: how many a text, and in how many texts each (255 is "many").

    Shingles share counters, so a count can be too high, never too low. Returns the last stamp used.
    """
    for node in range(begin, end):
        row = rows[node]
        count = tokenize(addresses[row], sizes[row], table, options, scratch, edges, hashes)
        count = shingle_tokens(hashes, count, ngram, shingles)
        if boilerplate_mask > 0:
            count = drop_listed(shingles, count, boilerplate, boilerplate_mask)
        stamp += 1
        mask = table_mask(count)
        distinct = 0
        for at in range(count):
            if enter(shingles[at], slots, stamps, 0, mask, stamp):
                distinct += 1
                place = np.int64((shingles[at] >> _HASH_SHIFT) & np.uint64(counter_mask))
                if counters[place] < 255:
                    counters[place] += np.uint8(1)
        num_distinct[row] = distinct
    return stamp


@jit
def list_prefixes(
    addresses: U64s,
    sizes: I64s,
    rows: U32s,
    begin: int,
    end: int,
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
    stamp: int,
    counters: U8s,
    counter_mask: int,
    prefix_sizes: I64s,
    starts: I64s,
    postings: U64s,
    lengths: I64s,
) -> int:
    """Write the prefix of rows[begin:end] from starts[row] on, in ascending order, and its length.

    Shingles are ordered by their count, then by their hash; one that a single text has is in the prefix but leads to
    no other text, so it is not written. Returns the last stamp used.
    """
    for node in range(begin, end):
        row = rows[node]
        count = tokenize(addresses[row], sizes[row], table, options, scratch, edges, hashes)
        count = shingle_tokens(hashes, count, ngram, shingles)
        if boilerplate_mask > 0:
            count = drop_listed(shingles, count, boilerplate, boilerplate_mask)
        stamp += 1
        mask = table_mask(count)
        distinct = 0
        for at in range(count):
            value = shingles[at]
            if enter(value, slots, stamps, 0, mask, stamp):
                place = np.int64((value >> _HASH_SHIFT) & np.uint64(counter_mask))
                shingles[distinct] = (np.uint64(counters[place]) << _COUNT_SHIFT) | (value >> _HASH_SHIFT)
                distinct += 1
        sort_values(shingles, distinct)
        written = 0
        for at in range(prefix_sizes[row]):
            if shingles[at] >> _COUNT_SHIFT > np.uint64(1):
                postings[starts[row] + written] = shingles[at]
                written += 1
        lengths[row] = written
    return stamp


@jit
def sort_values(values: U64s, count: int) -> None:
    """Sort the values in place by shell sort, whose gaps suit a few hundred values."""
    gap = 1
    while gap < count // 3:
        gap = 3 * gap + 1
    while gap > 0:
        for at in range(gap, count):
            value = values[at]
            place = at
            while place >= gap and values[place - gap] > value:
                values[place] = values[place - gap]
                place -= gap
            values[place] = value
        gap //= 3


@jit
def pair_postings(
    owners: U32s,
    values: U64s,
    group_ends: I64s,
    begin: int,
    end: int,
    postings: U64s,
    starts: I64s,
    lengths: I64s,
    num_distinct: U32s,
    threshold: float,
    labels: I64s,
    has_labels: int,
    pairs: U64s,
    capacity: int,
    next_place: I64s,
) -> int:
    """Write the pairs (smaller row << 32 | larger row) that can reach the threshold; return how many.

    Places begin to end hold all postings sorted by value, with their owners; those of one value reach up to
    group_ends[place]. A pair is written for the first value it shares only, and not at all if there are labels and
    those of its rows agree. Stops before a place whose pairs might not fit, and writes that place to next_place[0].
    """
    count = 0
    for place in range(begin, end):
        if count + group_ends[place] - place > capacity:
            next_place[0] = place
            return count
        one = owners[place]
        for after in range(place + 1, group_ends[place]):
            other = owners[after]
            few = np.float64(min(num_distinct[one], num_distinct[other]))
            many = np.float64(max(num_distinct[one], num_distinct[other]))
            if few < threshold * many - _SLACK:
                continue
            if has_labels and labels[one] == labels[other]:
                continue
            if meet_earlier(postings, starts[one], lengths[one], starts[other], lengths[other], values[place]):
                continue
            pairs[count] = (np.uint64(min(one, other)) << _HALF) | np.uint64(max(one, other))
            count += 1
    next_place[0] = end
    return count


@jit
def merge_labels(codes: U64s, count: int, labels: I64s, num_rows: int) -> None:
    """Join the components of each pair of rows; afterwards labels[row] is the smallest row of the component."""
    for at in range(count):
        one = np.int64(codes[at] >> _HALF)
        other = np.int64(codes[at] & _LOW_HALF)
        while labels[one] != one:
            one = labels[one]
        while labels[other] != other:
            other = labels[other]
        labels[max(one, other)] = min(one, other)
    for row in range(num_rows):
        labels[row] = labels[labels[row]]


@jit
def meet_earlier(postings: U64s, one: int, one_length: int, other: int, other_length: int, value: np.uint64) -> bool:
    """Return whether two ascending runs of postings share one below the given value."""
    ends = one + one_length
    other_ends = other + other_length
    while one < ends and other < other_ends:
        ours = postings[one]
        theirs = postings[other]
        if ours >= value or theirs >= value:
            return False
        if ours == theirs:
            return True
        if ours < theirs:
            one += 1
        else:
            other += 1
    return False


@jit
def find_common(
    addresses: U64s,
    sizes: I64s,
    rows: U32s,
    num_nodes: int,
    table: U32s,
    options: int,
    ngram: int,
    scratch: Bytes,
    edges: I32s,
    hashes: U64s,
    shingles: U64s,
    slots: U64s,
    stamps: I32s,
    stamp: int,
    counters: U32s,
    counter_mask: int,
    max_rows: int,
    found: U64s,
    capacity: int,
) -> int:
    """Count the distinct shingles of the rows, or list those counted in more than `max_rows` texts.

    With a capacity of 0 it counts. With another it writes every occurrence of a shingle whose counter, which it may
    share with others, is above `max_rows`, and returns how many there are; those beyond the capacity are not written.
    """
    written = 0
    for node in range(num_nodes):
        row = rows[node]
        count = tokenize(addresses[row], sizes[row], table, options, scratch, edges, hashes)
        count = shingle_tokens(hashes, count, ngram, shingles)
        stamp += 1
        mask = table_mask(count)
        for at in range(count):
            if not enter(shingles[at], slots, stamps, 0, mask, stamp):
                continue
            place = np.int64((shingles[at] >> _HASH_SHIFT) & np.uint64(counter_mask))
            if capacity == 0:
                counters[place] += np.uint32(1)
            elif counters[place] > max_rows:
                if written < capacity:
                    found[written] = shingles[at]
                written += 1
    return written


@jit
def list_shingles(
    addresses: U64s,
    sizes: I64s,
    begin: int,
    end: int,
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
    stamp: int,
    values: U64s,
    counts: I64s,
) -> int:
    """Write the distinct shingles of rows begin to end one row after another, each ascending, and counts[row].

    Values must hold a place for every second byte of the texts and one more a text. Returns the last stamp used.
    """
    written = 0
    for row in range(begin, end):
        count = tokenize(addresses[row], sizes[row], table, options, scratch, edges, hashes)
        count = shingle_tokens(hashes, count, ngram, shingles)
        if boilerplate_mask > 0:
            count = drop_listed(shingles, count, boilerplate, boilerplate_mask)
        stamp += 1
        mask = table_mask(count)
        distinct = 0
        for at in range(count):
            if enter(shingles[at], slots, stamps, 0, mask, stamp):
                shingles[distinct] = shingles[at]
                distinct += 1
        sort_values(shingles, distinct)
        for at in range(distinct):
            values[written + at] = shingles[at]
        written += distinct
        counts[row] = distinct
    return stamp
