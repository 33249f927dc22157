"""Locality-sensitive hashing: which rows share a band of their signatures.

A signature of 64 values is cut into bands of r values; two rows are candidates when a whole band agrees. A pair of
similarity s is found with probability 1 - (1 - s**r)**b. Verification removes what is found in vain, so bands are
chosen for recall alone.
"""

from dataclasses import dataclass
from functools import cache
from math import comb

import numpy as np
from numpy.typing import NDArray

from curator.dedup.errors import DedupError
from curator.dedup.hashing import I64
from curator.dedup.minhash import NUM_PERM, U16, U32

MIN_RECALL = 0.9997
MAX_MISSED = 1e-6
_PAIRS_A_PIECE = 1 << 18
KEY_FACTOR = 0x9E3779B1
# Spreads keys over the places of a table: 2**64 / golden ratio.
SPREAD = 0x9E3779B97F4A7C15


@dataclass(frozen=True)
class Bands:
    """`count` bands of `width` signature values each."""

    count: int
    width: int

    def recall_at(self, similarity: float) -> float:
        """Return the probability that a pair of this similarity becomes a candidate."""
        return float(1.0 - (1.0 - similarity**self.width) ** self.count)


def choose_bands(threshold: float, num_perm: int = NUM_PERM) -> Bands:
    """Return the widest bands (fewest needless candidates) that find a pair just at the threshold 9,997 in 10,000.

    With 64 permutations that is 21x3 at 0.7, 16x4 at 0.8 and 12x5 at 0.9.

    Raises:
        DedupError: The threshold is too low for that recall, or not in (0, 1].
    """
    check_threshold(threshold)
    for width in range(num_perm, 0, -1):
        bands = Bands(num_perm // width, width)
        if bands.recall_at(threshold) >= MIN_RECALL:
            return bands
    raise DedupError(
        f"threshold {threshold}: {num_perm} permutations cannot find such pairs reliably",
        'use method="exact" for low thresholds',
    )


def check_threshold(threshold: float) -> None:
    """Raise `DedupError` unless 0 < threshold <= 1."""
    if not 0.0 < threshold <= 1.0:
        raise DedupError(f"threshold {threshold}: expected above 0 and at most 1", "try threshold=0.8")


def band_keys(signatures: U16, bands: Bands) -> U32:
    """Return one key a band and row, (bands.count, num_rows) uint32; equal bands have equal keys."""
    used = signatures[:, : bands.count * bands.width].reshape(-1, bands.count, bands.width)
    keys = np.zeros((bands.count, len(signatures)), dtype=np.uint32)
    for at in range(bands.width):
        keys = (keys ^ used[:, :, at].T) * np.uint32(KEY_FACTOR)
        keys ^= keys >> np.uint32(15)
    return keys


@cache
def least_agreement(threshold: float, num_perm: int = NUM_PERM) -> int:
    """Return the fewest signature values in which a pair at the threshold agrees, once in a million excepted.

    Candidates below it are dropped without looking at their texts. A pair above the threshold agrees in more.
    """
    missed = 0.0
    for agreeing in range(num_perm + 1):
        missed += comb(num_perm, agreeing) * threshold**agreeing * (1.0 - threshold) ** (num_perm - agreeing)
        if missed > MAX_MISSED:
            return agreeing
    return num_perm


def count_agreeing(signatures: U16 | NDArray[np.uint8], left: I64, right: I64) -> I64:
    """Return in how many values the low bytes of the signatures of each pair of rows agree."""
    low = signatures.astype(np.uint8, copy=False)
    return count_agreeing_between(low, low, left, right)


def count_agreeing_between(
    ours: U16 | NDArray[np.uint8], theirs: U16 | NDArray[np.uint8], left: I64, right: I64
) -> I64:
    """Return in how many values row left of ours and row right of theirs agree, for each pair."""
    pieces = [slice(at, at + _PAIRS_A_PIECE) for at in range(0, len(left), _PAIRS_A_PIECE)]
    counts = [(ours[left[piece]] == theirs[right[piece]]).sum(axis=1) for piece in pieces]
    return np.concatenate([np.zeros(0, dtype=np.int64), *counts])


def group_equal(keys: U32) -> tuple[I64, I64]:
    """Return the positions sorted by key (ties in order) and the bounds of each run of equal keys."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    changes = np.flatnonzero(ordered[1:] != ordered[:-1]) + 1
    return order, np.concatenate(([0], changes, [len(keys)])).astype(np.int64)
