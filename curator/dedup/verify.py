"""True Jaccard similarity of candidate pairs, with numpy."""

import numpy as np
from numpy.typing import NDArray

from curator.dedup.hashing import I64
from curator.dedup.shingles import Ragged

F64 = NDArray[np.float64]

_MAX_EXPANDED = 4_000_000


def measure_pairs(shingles: Ragged, left: I64, right: I64) -> F64:
    """Return the Jaccard similarity of each pair of rows; rows must be sorted and distinct, pairs non-empty."""
    shared = count_shared(shingles, left, right)
    counts = shingles.counts()
    return shared / (counts[left] + counts[right] - shared)


def count_shared(shingles: Ragged, left: I64, right: I64) -> I64:
    """Return how many shingles each pair of rows has in common."""
    if not left.size:
        return np.zeros(0, dtype=np.int64)
    distinct, codes = np.unique(shingles.values, return_inverse=True)
    located = shingles.rows() * len(distinct) + codes
    coded = Ragged(codes.astype(np.uint64), shingles.offsets)
    counts = shingles.counts()
    swap = counts[left] > counts[right]
    short, long = np.where(swap, right, left), np.where(swap, left, right)
    pieces = np.cumsum(counts[short]) // _MAX_EXPANDED
    cuts = np.flatnonzero(np.diff(pieces)) + 1
    shared = [
        _count_piece(coded, located, len(distinct), *piece)
        for piece in zip(np.split(short, cuts), np.split(long, cuts), strict=True)
    ]
    return np.concatenate(shared)


def _count_piece(coded: Ragged, located: I64, num_codes: int, short: I64, long: I64) -> I64:
    rows = coded.take(short)
    pair = rows.rows()
    wanted = long[pair] * num_codes + rows.values.astype(np.int64)
    at = np.minimum(np.searchsorted(located, wanted), len(located) - 1)
    return np.bincount(pair[located[at] == wanted], minlength=len(short))
