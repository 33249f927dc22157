"""Pairs worth verifying: members of the same group (a band's bucket, a shingle's posting list).

A group of k members has k(k-1)/2 pairs, too many when one template has twenty thousand rows. In a group larger than
the cap, each member is compared with the best members of the group and with the next ones in priority order; what is
left out is counted. As members come in priority order, the choice does not depend on the order of the rows.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from curator.dedup.hashing import I64, U64
from curator.dedup.verify import F64

MAX_GROUP = 1024
NUM_LEADERS = 32
NUM_NEXT = 16


@dataclass(frozen=True)
class Capped:
    """What was left out of the comparison.

    Attributes:
        groups: Groups with more members than the cap.
        comparisons: Pairs of their members that were not compared there.
    """

    groups: int = 0
    comparisons: int = 0

    def __add__(self, other: "Capped") -> "Capped":
        return Capped(self.groups + other.groups, self.comparisons + other.comparisons)


Order: TypeAlias = Callable[[I64], I64]
"""Returns rows best first."""

Pairs: TypeAlias = tuple[I64, I64, F64, Capped]
"""Left rows, right rows (left < right), their similarities, and what was capped."""


def pair_groups(members: I64, bounds: I64, *, max_group: int | None = MAX_GROUP) -> tuple[I64, I64, Capped]:
    """Return the pairs within each group, as two arrays of members, first before second in the group.

    Args:
        members: Members of all groups one after another, each group in priority order.
        bounds: Start of each group, and the end of the last.
        max_group: Largest group that is compared in full; None compares everything.
    """
    sizes = np.diff(bounds)
    place = np.arange(len(members)) - np.repeat(bounds[:-1], sizes)
    following = np.repeat(sizes, sizes) - 1 - place
    counts = following
    if max_group is not None:
        is_limited = (np.repeat(sizes, sizes) > max_group) & (place >= NUM_LEADERS)
        counts = np.where(is_limited, np.minimum(following, NUM_NEXT), following)
    skipped = int(following.sum() - counts.sum())
    first = np.repeat(np.arange(len(members)), counts)
    starts = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(counts)))[:-1]
    second = np.arange(len(first)) - np.repeat(starts, counts) + first + 1
    num_capped = int((sizes > max_group).sum()) if max_group is not None else 0
    return members[first], members[second], Capped(num_capped, skipped)


def join_codes(low: I64, high: I64) -> U64:
    """Return each pair as one number that sorts by first and second."""
    return (low.astype(np.uint64) << np.uint64(32)) | high.astype(np.uint64)


def split_codes(codes: U64) -> tuple[I64, I64]:
    """Return the pairs behind the numbers."""
    return (codes >> np.uint64(32)).astype(np.int64), (codes & np.uint64(0xFFFFFFFF)).astype(np.int64)


def sort_distinct(codes: U64) -> U64:
    """Return the codes sorted, each once; np.unique does the same, but imports numpy.ma (50 ms) to do it."""
    ordered = np.sort(codes)
    is_new = np.ones(len(ordered), dtype=bool)
    is_new[1:] = ordered[1:] != ordered[:-1]
    return ordered[is_new]


def unique_pairs(first: I64, second: I64) -> tuple[I64, I64]:
    """Return each unordered pair once, smaller number first, sorted."""
    return split_codes(sort_distinct(join_codes(np.minimum(first, second), np.maximum(first, second))))
