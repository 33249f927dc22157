"""Shingles that many texts share: a greeting, a disclaimer, a template; not what makes two texts the same."""

import numpy as np

from curator.dedup.hashing import I64, U64
from curator.dedup.text_source import TextSource
from curator.dedup.workspace import SetSpace, TextSpace

_NUM_COUNTERS = 1 << 22


def find_common(source: TextSource, rows: I64, max_rows: int) -> U64:
    """Return the shingles that more than `max_rows` of the given texts share, ascending.

    Shingles are first counted in shared counters, then those whose counter is high are counted one by one.
    """
    sizes = source.located.sizes
    max_size = int(sizes.max(initial=0))
    text, sets = TextSpace(max_size), SetSpace(2 * max_size + 2)
    counters = np.zeros(_NUM_COUNTERS, dtype=np.uint32)
    nodes = rows.astype(np.uint32)

    def run(first_stamp: int, found: U64, capacity: int) -> int:
        table, options, ngram, *_ = source.cutting()
        return source.kernels.call(
            "find_common",
            *(source.located.addresses, source.located.marked_sizes, nodes, len(nodes), table, options, ngram),
            *(text.scratch, text.edges, text.hashes, text.shingles, sets.slots, sets.stamps, first_stamp),
            *(counters, _NUM_COUNTERS - 1, max_rows, found, capacity),
        )

    run(0, np.empty(1, dtype=np.uint64), 0)
    found = np.empty(1, dtype=np.uint64)
    num_found = run(len(nodes), found, 1)
    if num_found > 1:
        found = np.empty(num_found, dtype=np.uint64)
        run(2 * len(nodes), found, num_found)
    values, counts = np.unique(found[:num_found], return_counts=True)
    return values[counts > max_rows]


def list_in_table(shingles: U64) -> U64:
    """Return an open-addressing table of the shingles, a power of two at most half full; 0 marks a free place."""
    size = 1
    while size < 2 * len(shingles):
        size *= 2
    table = np.zeros(size, dtype=np.uint64)
    for shingle in shingles.tolist():
        place = shingle & (size - 1)
        while table[place]:
            place = (place + 1) & (size - 1)
        table[place] = shingle
    return table
