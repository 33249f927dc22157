"""Near-duplicate pairs without boilerplate, from stored shingles: no text is read, and texts without any stay as they are.

Boilerplate is what more than so many distinct texts share, so every new row can change what it is. That is why it is
found anew each time, and why only the texts that hold some are signed and paired again.
"""

import numpy as np
import polars as pl

from curator.dedup.hashing import U64
from curator.dedup.minhash import narrow_signatures, sign_rows
from curator.dedup.shingles import Ragged
from curator.dedup.signatures import find_new_pairs, first_of_hash, list_blobs, read_shingles
from curator.dedup.verify import F64, measure_pairs

_NUM_COUNTERS = 1 << 22


def strip_pairs(
    signatures: pl.DataFrame, pairs: pl.DataFrame, max_rows: int, threshold: float = 0.8
) -> tuple[pl.DataFrame, int]:
    """Return the pairs that reach the threshold without boilerplate, and how many shingles that is.

    A text made of nothing else keeps its shingles. The answer is that of `find_duplicates(boilerplate_rows=max_rows)`.

    Args:
        signatures: Of all texts that count: text_hash and signature, made with `keeps_shingles`.
        pairs: left_hash, right_hash and similarity (Float64) of all pairs of them that reach it with boilerplate.
        max_rows: Shingles that more distinct texts share are boilerplate.
        threshold: Jaccard similarity.
    """
    distinct = signatures.filter(first_of_hash(signatures["text_hash"]))
    shingles = read_shingles(distinct["signature"])
    is_common, num_common = _find_common(shingles.values, max_rows)
    rows = shingles.rows()
    kept = np.bincount(rows[~is_common], minlength=len(distinct))
    is_stripped = (kept > 0) & (kept < shingles.counts())
    stripped, whole = np.flatnonzero(is_stripped), np.flatnonzero(~is_stripped)
    if not len(stripped):
        return pairs, num_common
    left_over = Ragged(shingles.values[~is_common], np.concatenate(([0], np.cumsum(kept))).astype(np.int64))
    left_over = left_over.take(stripped)
    hashes = distinct["text_hash"]
    new = pl.DataFrame(
        {"text_hash": hashes.gather(stripped), "signature": list_blobs(narrow_signatures(sign_rows(left_over)))}
    )
    found = find_new_pairs(new, distinct[whole], threshold)
    again = _score(found, new["text_hash"], hashes.gather(whole), left_over, shingles, whole)
    is_touched = pl.any_horizontal(pl.col("left_hash", "right_hash").is_in(new["text_hash"].implode()))
    near = again.filter(pl.col("similarity") >= threshold)
    return pl.concat([pairs.filter(~is_touched), near]).sort("left_hash", "right_hash"), num_common


def _find_common(values: U64, max_rows: int) -> tuple[np.ndarray, int]:
    """Return which values occur more than `max_rows` times, and how many different ones do.

    Values are first counted in shared counters, then those whose counter is high are counted one by one.
    """
    places = (values & np.uint64(_NUM_COUNTERS - 1)).astype(np.int64)
    high = np.flatnonzero((np.bincount(places, minlength=_NUM_COUNTERS) > max_rows)[places])
    _, inverse, counts = np.unique(values[high], return_inverse=True, return_counts=True)
    is_common = np.zeros(len(values), dtype=bool)
    is_common[high] = counts[inverse] > max_rows
    return is_common, int((counts > max_rows).sum())


def _score(
    found: pl.DataFrame,
    new_hashes: pl.Series,
    old_hashes: pl.Series,
    left_over: Ragged,
    shingles: Ragged,
    whole: np.ndarray,
) -> pl.DataFrame:
    """Return the candidates with their Jaccard similarity."""
    is_old = found["is_old"].to_numpy()
    new, other = found["new"].to_numpy().astype(np.int64), found["other"].to_numpy().astype(np.int64)
    partners = np.unique(other[is_old])
    texts = _join(left_over, shingles.take(whole[partners]))
    place = np.where(is_old, len(left_over.offsets) - 1 + np.searchsorted(partners, other), other)
    score: F64 = measure_pairs(texts, new, place)
    left = new_hashes.gather(new)
    right = pl.concat([new_hashes, old_hashes.gather(partners)]).gather(place)
    return pl.DataFrame({"left": left, "right": right, "similarity": score}).select(
        pl.min_horizontal("left", "right").alias("left_hash"),
        pl.max_horizontal("left", "right").alias("right_hash"),
        # As stored pairs have it.
        pl.col("similarity").cast(pl.Float32).cast(pl.Float64),
    )


def _join(first: Ragged, second: Ragged) -> Ragged:
    offsets = np.concatenate((first.offsets, second.offsets[1:] + first.offsets[-1]))
    return Ragged(np.concatenate((first.values, second.values)), offsets)
