"""All pairs at or above a threshold, none missed: prefix-filtered join (Bayardo et al. 2007), with numpy.

Two sets with Jaccard similarity t or more share at least one of the first n - ceil(t * n) + 1 of their n shingles,
whatever order all sets agree on. Rare shingles come first, so few rows meet in a posting list.
"""

import numpy as np

from curator.dedup.candidates import pair_groups, unique_pairs
from curator.dedup.hashing import I64
from curator.dedup.shingles import Ragged

# Guards the ceiling against products such as 0.7 * 10 = 7.000000000000001.
_SLACK = 1e-9


def prefix_sizes(counts: I64, threshold: float) -> I64:
    """Return how many of a set's shingles, rarest first, a set that reaches the threshold must meet."""
    needed: I64 = np.ceil(threshold * counts - _SLACK).astype(np.int64)
    return counts - needed + 1


def join_candidates(shingles: Ragged, threshold: float) -> tuple[I64, I64]:
    """Return every pair of rows that can reach the threshold, smaller row first.

    Args:
        shingles: Distinct shingles of each row.
        threshold: Jaccard similarity, above 0.
    """
    _, codes, frequency = np.unique(shingles.values, return_inverse=True, return_counts=True)
    rows, counts = shingles.rows(), shingles.counts()
    order = np.lexsort((shingles.values, frequency[codes], rows))
    place = np.arange(len(order)) - np.repeat(shingles.offsets[:-1], counts)
    is_prefix = place < np.repeat(prefix_sizes(counts, threshold), counts)
    listed, listed_rows = codes[order][is_prefix], rows[is_prefix]
    by_code = np.argsort(listed, kind="stable")
    ends = np.flatnonzero(np.diff(listed[by_code])) + 1
    bounds = np.concatenate(([0], ends, [len(by_code)])).astype(np.int64)
    first, second, _ = pair_groups(listed_rows[by_code], bounds, max_group=None)
    first, second = unique_pairs(first, second)
    low, high = np.minimum(counts[first], counts[second]), np.maximum(counts[first], counts[second])
    is_near = low >= threshold * high - _SLACK
    return first[is_near], second[is_near]
