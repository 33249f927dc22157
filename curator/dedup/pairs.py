"""All pairs of near-duplicate texts: what units and reports are built on."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from curator.dedup.bands import check_threshold
from curator.dedup.candidates import join_codes
from curator.dedup.columns import Texts, text_series
from curator.dedup.errors import DedupError
from curator.dedup.hashing import I64
from curator.dedup.index import Index, Method, find_index_pairs, open_index
from curator.dedup.jaccard import Kind
from curator.dedup.verify import F64

MAX_PAIRS = 50_000_000


def find_pairs(
    texts: Texts,
    threshold: float = 0.8,
    method: Method = "exact",
    ngram: int = 5,
    *,
    kind: Kind = "word",
    mask_numbers: bool = False,
    spanning: bool = False,
    num_threads: int | None = None,
) -> pl.DataFrame:
    """Return every pair of texts whose Jaccard similarity is at least the threshold.

    Args:
        texts: Strings; null counts as empty. Empty texts match nothing.
        threshold: Above 0, at most 1.
        method: "exact" misses nothing; "lsh" misses about one pair in 10,000 right at the threshold, fewer above.
        ngram: Words (or characters) a shingle; a text with fewer is one shingle.
        kind: Whether shingles are made of words or of characters.
        mask_numbers: Compare without numbers.
        spanning: Return only as many pairs as keep the connected components what they are (found exactly, whatever
            the method): for large clusters, whose pairs grow with the square of their size. Which pairs these are is
            not fixed.
        num_threads: None takes all cores. The result does not depend on it.

    Returns:
        Columns left, right (UInt32 positions, left < right) and similarity (Float32), sorted by left and right.

    Raises:
        DedupError: More than 50 million pairs, or an argument out of range.
    """
    check_threshold(threshold)
    series = text_series(texts)
    index = open_index(
        series,
        ngram,
        kind=kind,
        mask_numbers=mask_numbers,
        num_threads=num_threads,
        lsh_threshold=threshold if method == "lsh" else None,
    )
    first = index.first_equal(index.streams)
    rows = np.flatnonzero((first == np.arange(len(first))) & (index.streams != 0))
    if spanning:
        left, right, score, _ = index.pair_exactly(rows, threshold, spanning=True)
        later = np.flatnonzero((first != np.arange(len(first))) & (index.streams != 0))
        left, right = np.concatenate((first[later], left)), np.concatenate((later, right))
        return pair_frame(left, right, np.concatenate((np.ones(len(later)), score)))
    left, right, score, _ = find_index_pairs(
        index, method, rows, threshold=threshold, order=_keep_order, max_group=None
    )
    return pair_frame(*_expand_pairs(index, first, left, right, score))


def pair_frame(left: I64, right: I64, score: F64) -> pl.DataFrame:
    """Return pairs of positions as a sorted frame of left, right and similarity."""
    order = np.argsort(join_codes(left, right))
    return pl.DataFrame(
        {
            "left": left[order].astype(np.uint32),
            "right": right[order].astype(np.uint32),
            "similarity": score[order].astype(np.float32),
        }
    )


def _keep_order(rows: I64) -> I64:
    return rows


def _expand_pairs(index: Index, first: I64, left: I64, right: I64, score: F64) -> tuple[I64, I64, F64]:
    """Return the pairs of all texts, given those of the first of each set of identical texts."""
    later = np.flatnonzero((first != np.arange(len(first))) & (index.streams != 0))
    sizes = np.bincount(first[later], minlength=len(first)) + 1
    # Most texts stand alone, most others are two: these pairs need no members to be listed.
    twins = later[sizes[first[later]] == 2]
    is_spread = sizes[left] * sizes[right] == 1
    done = left[is_spread], right[is_spread], score[is_spread]
    large = np.flatnonzero(sizes > 2)
    left = np.concatenate((left[~is_spread], large))
    right = np.concatenate((right[~is_spread], large))
    score = np.concatenate((score[~is_spread], np.ones(len(large))))
    counts = sizes[left] * sizes[right]
    total = int(len(done[0]) + len(twins) + counts.sum() - (sizes[large] * (sizes[large] + 1) // 2).sum())
    if total > MAX_PAIRS:
        raise DedupError(
            f"find_pairs: {total:,} pairs of near-duplicates, expected at most {MAX_PAIRS:,}",
            "use spanning=True for connected components, or find_duplicates",
        )
    starts, members = _list_members(first, index.streams != 0, np.concatenate((left, right)))
    pair = np.repeat(np.arange(len(left)), counts)
    place = np.arange(len(pair)) - np.repeat(np.cumsum(counts) - counts, counts)
    one = members[starts[left[pair]] + place // sizes[right[pair]]]
    other = members[starts[right[pair]] + place % sizes[right[pair]]]
    wanted = (left[pair] != right[pair]) | (one < other)
    one, other, values = one[wanted], other[wanted], score[pair][wanted]
    return (
        np.concatenate((done[0], first[twins], np.minimum(one, other))),
        np.concatenate((done[1], twins, np.maximum(one, other))),
        np.concatenate((done[2], np.ones(len(twins)), values)),
    )


def _list_members(first: I64, is_filled: NDArray[np.bool_], wanted: I64) -> tuple[I64, I64]:
    """Return the rows of the wanted sets of identical texts, set by set, and where each set starts among them."""
    is_wanted = np.zeros(len(first), dtype=bool)
    is_wanted[wanted] = True
    rows = np.flatnonzero(is_wanted[first] & is_filled)
    sizes = np.bincount(first[rows], minlength=len(first))
    return np.cumsum(sizes) - sizes, rows[np.argsort(first[rows], kind="stable")]
