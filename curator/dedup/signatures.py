"""Signatures that can be stored: so that new rows cost what new rows cost, and other thresholds need no text.

A frame of signatures has the columns text_hash (UInt64: equal for texts with the same words, 0 for a text without
words) and signature (Binary, 128 bytes: 64 little-endian 16-bit values; null for a text without words). Where they are
kept, the distinct shingles follow the values, ascending, eight bytes each: for comparisons without boilerplate.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl

from curator.dedup.bands import (
    Bands,
    band_keys,
    choose_bands,
    count_agreeing,
    count_agreeing_between,
    group_equal,
    least_agreement,
)
from curator.dedup.candidates import join_codes, pair_groups, sort_distinct, split_codes
from curator.dedup.columns import Texts, text_series
from curator.dedup.errors import DedupError
from curator.dedup.hashing import I64, U64
from curator.dedup.index import open_index, wants_kernels
from curator.dedup.jaccard import Kind
from curator.dedup.minhash import NUM_PERM, U16
from curator.dedup.shingles import Ragged
from curator.dedup.verify import F64

SIGNATURE_BYTES = 2 * NUM_PERM
SHINGLE_BYTES = 8


def compute_signatures(
    texts: Texts,
    ngram: int = 5,
    *,
    kind: Kind = "word",
    mask_numbers: bool = False,
    keeps_shingles: bool = False,
    num_threads: int | None = None,
) -> pl.DataFrame:
    """Return text_hash and signature of each text, in order; arguments as for `find_pairs`.

    Args:
        texts: Strings; null counts as empty.
        ngram: Words (or characters) a shingle.
        kind: Whether shingles are made of words or of characters.
        mask_numbers: Sign without numbers.
        keeps_shingles: Let the shingles follow the signature (about as long as the text), for `strip_pairs`.
        num_threads: None takes all cores. The result does not depend on it.
    """
    index = open_index(
        text_series(texts),
        ngram,
        kind=kind,
        mask_numbers=mask_numbers,
        num_threads=num_threads,
        keeps_signatures=True,
    )
    shingles = index.shingles() if keeps_shingles else None
    frame = pl.DataFrame({"text_hash": index.streams, "signature": list_blobs(index.signatures(), shingles)})
    return frame.with_columns(pl.when(pl.col("text_hash") != 0).then("signature").alias("signature"))


def list_blobs(signatures: U16, shingles: Ragged | None = None) -> pl.Series:
    """Return signatures, followed by their shingles if there are any, as they are stored."""
    values = np.ascontiguousarray(signatures.astype("<u2"))
    raw: list[bytes] = values.view(f"V{SIGNATURE_BYTES}").ravel().tolist() if len(values) else []
    if shingles is not None:
        tails = memoryview(shingles.values.astype("<u8").tobytes())
        bounds = (shingles.offsets * SHINGLE_BYTES).tolist()
        raw = [head + tails[begin:end] for head, (begin, end) in zip(raw, pairwise(bounds), strict=True)]
    return pl.Series("signature", raw, dtype=pl.Binary)


def read_shingles(blobs: pl.Series) -> Ragged:
    """Return the shingles that follow the signatures.

    Raises:
        DedupError: A blob has no room for a signature and whole shingles.
    """
    sizes = blobs.bin.size().cast(pl.Int64).to_numpy() - SIGNATURE_BYTES
    if len(sizes) and (sizes.min() < SHINGLE_BYTES or (sizes % SHINGLE_BYTES).any()):
        raise DedupError("signature: expected shingles behind it", "compute the signatures with keeps_shingles=True")
    values = np.frombuffer(b"".join(blobs.bin.slice(SIGNATURE_BYTES).to_list()), dtype="<u8")
    offsets = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(sizes // SHINGLE_BYTES)))
    return Ragged(values.astype(np.uint64, copy=False), offsets)


def find_new_pairs(new: pl.DataFrame, old: pl.DataFrame, threshold: float = 0.8) -> pl.DataFrame:
    """Return the candidate pairs that new rows bring: among themselves and with the old ones.

    Together with the pairs among the old rows these are the candidates of `find_duplicates(method="lsh")` on all rows.
    They are candidates only: `verify_pairs` measures them. Rows with the same text_hash are the same text, of which
    the first stands for all (an old one, if there is any), so they make no pairs.

    Args:
        new: Signatures of the new rows.
        old: Signatures of the rows that are there already, made with the same arguments.
        threshold: Jaccard similarity the candidates are to reach, 0.7 and up for high recall.

    Returns:
        Columns new (UInt32 position in `new`), other (UInt32 position in `old` or `new`), is_old (whether `other` is a
        position in `old`) and estimate (Float32: share of signature values that agree), sorted.
    """
    bands = choose_bands(threshold)
    least = least_agreement(threshold)
    is_first = first_of_hash(new["text_hash"]) & ~new["text_hash"].is_in(old["text_hash"].implode())
    fresh = np.flatnonzero(is_first.to_numpy())
    known = np.flatnonzero(first_of_hash(old["text_hash"]).to_numpy())
    ours, theirs = _read_values(new, fresh), _read_values(old, known)
    with_old = _probe(theirs, ours, bands, least)
    among_new = _pair_bands(ours, bands, least)
    frames = []
    for (low, high), is_old in ((with_old, True), (among_new, False)):
        agreeing = count_agreeing_between(theirs if is_old else ours, ours, low, high)
        frames.append(
            pl.DataFrame(
                {
                    "new": fresh[high].astype(np.uint32),
                    "other": (known if is_old else fresh)[low].astype(np.uint32),
                    "is_old": np.full(len(low), is_old),
                    "estimate": (agreeing / NUM_PERM).astype(np.float32),
                }
            )
        )
    return pl.concat(frames).sort("new", "is_old", "other")


def verify_pairs(
    texts: Texts,
    left: I64 | pl.Series,
    right: I64 | pl.Series,
    threshold: float = 0.8,
    ngram: int = 5,
    *,
    kind: Kind = "word",
    mask_numbers: bool = False,
) -> pl.DataFrame:
    """Return the candidate pairs that reach the threshold, with their Jaccard similarity.

    Args:
        texts: The texts the candidates speak of; no others are needed.
        left: Positions in `texts`.
        right: Positions in `texts`, as many.
        threshold: Least similarity.
        ngram: Words (or characters) a shingle.
        kind: Whether shingles are made of words or of characters.
        mask_numbers: Compare without numbers.

    Returns:
        Columns left, right (UInt32, as given) and similarity (Float32), in the order given.
    """
    index = open_index(text_series(texts), ngram, kind=kind, mask_numbers=mask_numbers)
    low, high = np.asarray(left, dtype=np.int64), np.asarray(right, dtype=np.int64)
    filled = (index.streams[low] != 0) & (index.streams[high] != 0)
    low, high = low[filled], high[filled]
    score: F64 = index.measure(low, high)
    wanted = score >= threshold
    return pl.DataFrame(
        {
            "left": low[wanted].astype(np.uint32),
            "right": high[wanted].astype(np.uint32),
            "similarity": score[wanted].astype(np.float32),
        }
    )


@dataclass(frozen=True)
class ThresholdCount:
    """What another threshold would find.

    Attributes:
        threshold: The threshold.
        num_pairs: Pairs of distinct texts whose estimated similarity reaches it.
        recall: Share of the pairs right at the threshold that its bands find; higher above it.
    """

    threshold: float
    num_pairs: int
    recall: float


def count_at_thresholds(
    signatures: pl.DataFrame, thresholds: tuple[float, ...] = (0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
) -> list[ThresholdCount]:
    """Return how many pairs other thresholds would find, estimated from signatures alone.

    An estimate is off by 0.05 (standard deviation at 0.8). Stored pairs verified at a lower threshold answer exactly.
    """
    values = _read_values(signatures, np.flatnonzero(first_of_hash(signatures["text_hash"]).to_numpy()))
    counts = []
    for threshold in thresholds:
        bands = choose_bands(threshold)
        pairs = _pair_bands(values, bands, round(threshold * NUM_PERM))
        counts.append(ThresholdCount(threshold, len(pairs[0]), bands.recall_at(threshold)))
    return counts


def first_of_hash(hashes: pl.Series) -> pl.Series:
    """Return which rows are the first with their hash; texts without words never are."""
    return hashes.is_first_distinct() & (hashes != 0)


def _read_values(frame: pl.DataFrame, rows: I64) -> U16:
    raw = frame["signature"].gather(pl.Series(rows, dtype=pl.UInt32))
    if raw.null_count() or not (raw.bin.size() >= SIGNATURE_BYTES).all():
        raise DedupError(f"signature: expected {SIGNATURE_BYTES} bytes a row", "compute the signatures anew")
    values: U16 = raw.bin.slice(0, SIGNATURE_BYTES).bin.reinterpret(dtype=pl.Array(pl.UInt16, NUM_PERM)).to_numpy()
    return np.ascontiguousarray(values.reshape(-1, NUM_PERM))


def _pair_bands(values: U16, bands: Bands, least: int) -> tuple[I64, I64]:
    """Return the pairs of rows that share a band and agree in enough values."""
    # Band by band: what shares one by chance is many times what stays, and is never held for all of them at once.
    low_bytes = values.astype(np.uint8)
    found: list[U64] = [np.empty(0, dtype=np.uint64)]
    for keys in band_keys(values, bands) if len(values) else ():
        first, second, _ = pair_groups(*group_equal(keys))
        is_near = count_agreeing(low_bytes, first, second) >= least
        found.append(join_codes(first[is_near], second[is_near]))
    return split_codes(sort_distinct(np.concatenate(found)))


def _probe(old: U16, new: U16, bands: Bands, least: int) -> tuple[I64, I64]:
    """Return the pairs of an old and a new row that share a band and agree in enough values."""
    if not len(old) or not len(new):
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    if wants_kernels(len(old)):
        from curator.dedup.native_probe import probe_buckets

        return split_codes(np.unique(probe_buckets(old, new, bands, least)))
    old_keys, new_keys = band_keys(old, bands), band_keys(new, bands)
    found: list[U64] = [np.empty(0, dtype=np.uint64)]
    for ours, theirs in zip(old_keys, new_keys, strict=True):
        order = np.argsort(theirs, kind="stable")
        begin = np.searchsorted(theirs[order], ours, side="left")
        count = np.searchsorted(theirs[order], ours, side="right") - begin
        left = np.repeat(np.arange(len(ours)), count)
        place = np.arange(len(left)) - np.repeat(np.cumsum(count) - count - begin, count)
        found.append(join_codes(left, order[place]))
    left, right = split_codes(np.unique(np.concatenate(found)))
    low = old.astype(np.uint8)[left] == new.astype(np.uint8)[right]
    is_near = low.sum(axis=1) >= least
    return left[is_near], right[is_near]
