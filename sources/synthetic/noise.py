"""Randomness that can be asked for any row: a hash of seed, name and row number instead of a running generator.

Row 17 therefore looks the same in a run of 1,000 and of 1,000,000 rows, in any order and on any number of threads,
and a new variable changes nothing about the others.
"""

import hashlib

import numpy as np
from numpy.typing import NDArray

# SplitMix64 (Steele, Lea, Flood 2014).
_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]


def hash_key(key: str) -> np.uint64:
    """Gives the number that a stream of randomness starts from."""
    return np.uint64(int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "little"))


def draw_uniform(key: str, rows: I64) -> F64:
    """Gives one number in [0, 1) a row, the same for the same key and row number.

    Args:
        key: Names the stream, such as `3407/en/technique/soreness`.
        rows: Row numbers, any order.
    """
    state = rows.astype(np.uint64) * _GAMMA + hash_key(key)
    state = (state ^ (state >> np.uint64(30))) * _MIX_1
    state = (state ^ (state >> np.uint64(27))) * _MIX_2
    state ^= state >> np.uint64(31)
    uniform: F64 = (state >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return uniform


def pick_weighted(uniform: F64, weights: F64) -> I64:
    """Gives the index of the weight that each number in [0, 1) falls on."""
    edges = np.cumsum(weights / weights.sum())
    return np.minimum(np.searchsorted(edges, uniform, side="right"), len(weights) - 1).astype(np.int64)


def pick_listed(uniform: F64, eligible: NDArray[np.bool_], groups: I64) -> I64:
    """Gives one true cell of each row's group, each with equal chance; -1 where the group has none.

    Args:
        uniform: (num_rows,) numbers in [0, 1).
        eligible: (num_groups, num_columns).
        groups: (num_rows,) which row of `eligible` applies.
    """
    counts = eligible.sum(axis=1)
    firsts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    columns = np.nonzero(eligible)[1]
    if not columns.size:
        return np.full(len(uniform), -1, dtype=np.int64)
    places = firsts[groups] + (uniform * counts[groups]).astype(np.int64)
    return np.where(counts[groups] > 0, columns[np.minimum(places, len(columns) - 1)], -1).astype(np.int64)
