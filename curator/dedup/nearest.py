"""Nearest-text look-up: for each text, what it resembles in another set of texts.

Exact: an inverted index of shingles counts what is shared with every text that shares anything.
"""

from itertools import pairwise
from typing import Literal

import numpy as np
import polars as pl

from curator.dedup.candidates import join_codes, split_codes
from curator.dedup.columns import Texts, text_series
from curator.dedup.errors import DedupError
from curator.dedup.hashing import I64
from curator.dedup.index import open_index
from curator.dedup.jaccard import Kind
from curator.dedup.shingles import Ragged
from curator.dedup.verify import F64

Measure = Literal["jaccard", "containment", "overlap"]

_MAX_EXPANDED = 8_000_000


def find_near(
    texts: Texts,
    against: Texts,
    threshold: float = 0.8,
    ngram: int = 5,
    *,
    measure: Measure = "jaccard",
    kind: Kind = "word",
    mask_numbers: bool = False,
    top_k: int | None = None,
) -> pl.DataFrame:
    """Return for each text the most similar of `against`.

    Args:
        texts: What is looked up. Null counts as empty; empty texts match nothing.
        against: What is searched.
        threshold: Least similarity, 0 to 1. At 0 one shared shingle is enough.
        ngram: Words (or characters) a shingle; use 1 to 3 to search by content rather than by wording.
        measure: "jaccard", shared shingles over all of both; "containment", over those of the text (is it quoted in
            there?); "overlap", over those of the shorter (does one lie in the other?).
        kind: Whether shingles are made of words or of characters.
        mask_numbers: Compare without numbers.
        top_k: How many a text; None takes the best one.

    Returns:
        Columns text, near (UInt32 positions in `texts` and `against`) and similarity (Float32), sorted by text, then
        by similarity, best first. Equally similar texts come in the order of `against`.

    Raises:
        DedupError: An argument is out of range.
    """
    if not 0.0 <= threshold <= 1.0:
        raise DedupError(f"threshold {threshold}: expected 0 to 1", "try threshold=0.8")
    if measure not in ("jaccard", "containment", "overlap"):
        raise DedupError(f'measure "{measure}": expected jaccard, containment or overlap', 'try measure="jaccard"')
    ours, theirs = (
        open_index(text_series(side), ngram, kind=kind, mask_numbers=mask_numbers).shingles()
        for side in (texts, against)
    )
    text, near, shared = _count_all_shared(ours, theirs)
    score = _score(measure, shared, ours.counts()[text], theirs.counts()[near])
    is_near = score >= threshold
    text, near, score = _keep_best(text[is_near], near[is_near], score[is_near], 1 if top_k is None else top_k)
    return pl.DataFrame(
        {"text": text.astype(np.uint32), "near": near.astype(np.uint32), "similarity": score.astype(np.float32)}
    )


def _score(measure: Measure, shared: I64, ours: I64, theirs: I64) -> F64:
    if measure == "containment":
        return shared / ours
    if measure == "overlap":
        return shared / np.minimum(ours, theirs)
    return shared / (ours + theirs - shared)


def _count_all_shared(ours: Ragged, theirs: Ragged) -> tuple[I64, I64, I64]:
    """Return rows of ours, rows of theirs and the number of shared shingles, for every pair that shares any."""
    order = np.argsort(theirs.values, kind="stable")
    listed, listed_rows = theirs.values[order], theirs.rows()[order]
    starts = np.searchsorted(listed, ours.values, side="left")
    counts = np.searchsorted(listed, ours.values, side="right") - starts
    # Whole texts a piece, so that a pair is never split between two.
    work = np.concatenate(([0], np.cumsum(counts)))[ours.offsets[1:]]
    cuts = np.flatnonzero(np.diff(work // _MAX_EXPANDED)) + 1
    bounds = np.concatenate(([0], cuts, [len(work)])).astype(np.int64)
    rows = ours.rows()
    pieces = []
    for begin, end in pairwise(bounds):
        piece = slice(ours.offsets[begin], ours.offsets[end])
        at = _spell_ranges(starts[piece], counts[piece])
        pieces.append(_count_pairs(np.repeat(rows[piece], counts[piece]), listed_rows[at]))
    return tuple(np.concatenate(part) for part in zip(*pieces, strict=True))  # type: ignore[return-value]


def _spell_ranges(starts: I64, counts: I64) -> I64:
    """Return start, start + 1, ..., start + count - 1 for each pair, one after another."""
    shift = starts - (np.cumsum(counts) - counts)
    spelled: I64 = np.arange(int(counts.sum())) + np.repeat(shift, counts)
    return spelled


def _count_pairs(text: I64, near: I64) -> tuple[I64, I64, I64]:
    codes, shared = np.unique(join_codes(text, near), return_counts=True)
    return *split_codes(codes), shared


def _keep_best(text: I64, near: I64, score: F64, top_k: int) -> tuple[I64, I64, F64]:
    order = np.lexsort((near, -score, text))
    text, near, score = text[order], near[order], score[order]
    first = np.searchsorted(text, text, side="left")
    is_best = np.arange(len(text)) - first < top_k
    return text[is_best], near[is_best], score[is_best]
