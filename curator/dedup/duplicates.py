"""What to remove: clusters of near-duplicates and the row that stands for each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from curator.dedup.bands import check_threshold
from curator.dedup.candidates import MAX_GROUP, Capped, Order
from curator.dedup.clusters import Cover, cover_pairs
from curator.dedup.columns import Texts, text_series
from curator.dedup.errors import DedupError
from curator.dedup.hashing import CHUNK_FACTOR, I64, U64, finish
from curator.dedup.index import Index, Method, find_index_pairs, open_index
from curator.dedup.jaccard import Kind
from curator.dedup.pairs import pair_frame
from curator.dedup.representative import Priority, Ranks, number_series
from curator.dedup.verify import F64


@dataclass(frozen=True)
class Duplicates:
    """The answer of `find_duplicates`; frames speak of rows by their ids.

    Attributes:
        kept: id, num_removed (UInt32: how many rows this one stands for), in row order.
        removed: id, score (Float32: Jaccard similarity of row and partner, at least the threshold), partner (the
            near-duplicate for whose sake the row goes), representative (the kept row that stands for it) and cluster
            (the best row of everything connected to it), in row order.
        pairs: left, right, similarity: the verified pairs of distinct texts, each text spoken for by its best row,
            and the pairs of identical rows with their best row; sorted by row.
        capped: What was left out of the comparison; zeros when nothing was.
        num_cut: Pairs whose rows ended up with different representatives.
        num_empty: Rows without any word; they are kept.
        num_boilerplate: Shingles that were taken out because too many texts share them.
    """

    kept: pl.DataFrame
    removed: pl.DataFrame
    pairs: pl.DataFrame
    capped: Capped
    num_cut: int
    num_empty: int
    num_boilerplate: int


def find_duplicates(
    texts: Texts,
    threshold: float = 0.8,
    method: Method = "lsh",
    *,
    ids: Sequence[Any] | pl.Series | None = None,
    ngram: int = 5,
    kind: Kind = "word",
    mask_numbers: bool = False,
    rank: Ranks = None,
    quality: Ranks = None,
    exempt_groups: Ranks = None,
    boilerplate_rows: int | None = None,
    bridge_similarity: float | None = None,
    max_group: int | None = MAX_GROUP,
    num_threads: int | None = None,
) -> Duplicates:
    """Decide which texts to keep and which to remove as near-duplicates of them.

    Best row first, a row is kept unless a kept row is a near-duplicate of it: no two kept rows are found
    near-duplicates, and each removed row is verified against the text. Same result for any order of the rows, number
    of threads and hash seed.

    Args:
        texts: Strings; null counts as empty. Empty texts are kept.
        threshold: Jaccard similarity from which texts count as near-duplicates, above 0, at most 1.
        method: "lsh" is fastest and misses about one pair in 10,000 right at the threshold; "exact" misses none.
        ids: One unique value a text; None takes the row numbers (UInt32).
        ngram: Words (or characters) a shingle; a text with fewer is one shingle.
        kind: Whether shingles are made of words or of characters.
        mask_numbers: Compare without numbers.
        rank: Rank of the source, lower is better; the first thing that decides who stands for a cluster.
        quality: Higher is better; decides after rank, before length and the text itself.
        exempt_groups: Rows with the same number here, zero or more, are near-duplicates only when all their words
            are the same (numbers included): generated rows of one rule with different facts.
        boilerplate_rows: Shingles shared by more distinct texts than this are left out of the comparison; None
            leaves all in. A text made of nothing else keeps them.
        bridge_similarity: How similar a row must be to the representative it is removed for. None asks for the
            threshold itself. A lower value lets clusters chain: rows that reach the representative over others go
            too, unless they are less similar to it than this.
        max_group: Largest group of candidates that "lsh" compares in full (see `Duplicates.capped`); None has no cap.
        num_threads: None takes all cores.

    Raises:
        DedupError: An argument is out of range, or of another length than the texts.
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
    groups = _group_codes(exempt_groups, len(series))
    priority = read_priority(ids, series.str.len_bytes().to_numpy(), index.streams, rank, quality)
    best = _best_of_identical(index, _identity_keys(index, series, groups, mask_numbers), priority.order)
    rows = np.arange(len(series))
    nodes = rows[(best == rows) & (index.streams != 0)]
    num_boilerplate = _drop_boilerplate(index, nodes, boilerplate_rows)
    left, right, score, capped = find_index_pairs(
        index, method, nodes, threshold=threshold, order=priority.order, max_group=max_group
    )
    pairs = _without_exempt((left, right, score), groups)
    bridge = None if bridge_similarity is None else min(bridge_similarity, threshold)
    return assemble_duplicates(
        priority,
        best,
        pairs,
        bridge_similarity=bridge,
        measure=index.measure,
        counts={"capped": capped, "num_empty": int((index.streams == 0).sum()), "num_boilerplate": num_boilerplate},
    )


def resolve_pairs(rows: pl.DataFrame, pairs: pl.DataFrame) -> Duplicates:
    """Decide which rows to keep, given the near-duplicate pairs among them: `find_duplicates` without the texts.

    From stored hashes and pairs it gives the same answer as `find_duplicates` gives from the texts.

    Args:
        rows: Columns id, text_hash (UInt64, see `compute_signatures`) and size (bytes of the text); rank and quality if
            they are to count.
        pairs: Columns left, right (ids) and similarity. Of rows with the same text_hash, one speaks for all.
    """
    taken = {name: rows[name] if name in rows.columns else None for name in ("rank", "quality")}
    hashes = rows["text_hash"].to_numpy()
    priority = read_priority(rows["id"], rows["size"].to_numpy(), hashes, taken["rank"], taken["quality"])
    _, first, inverse = np.unique(hashes, return_index=True, return_inverse=True)
    best = _best_in_groups(first[inverse], hashes == 0, priority.order)
    at = pl.DataFrame({"id": rows["id"], "row": best})
    ends = [
        pairs.select(id=side).join(at, on="id", how="left", maintain_order="left")["row"] for side in ("left", "right")
    ]
    if any(end.null_count() for end in ends):
        raise DedupError("pairs: an id is not among the rows", "pass all rows the pairs speak of")
    low, high = np.minimum(*(end.to_numpy() for end in ends)), np.maximum(*(end.to_numpy() for end in ends))
    known = pl.DataFrame({"low": low, "high": high, "score": pairs["similarity"].cast(pl.Float64)})
    known = known.filter(pl.col("low") != pl.col("high")).unique(["low", "high"]).sort("low", "high")
    return assemble_duplicates(
        priority,
        best,
        (known["low"].to_numpy(), known["high"].to_numpy(), known["score"].to_numpy()),
        counts={"capped": Capped(), "num_empty": int((hashes == 0).sum()), "num_boilerplate": 0},
    )


def assemble_duplicates(
    priority: Priority,
    best: I64,
    pairs: tuple[I64, I64, F64],
    *,
    bridge_similarity: float | None = None,
    measure: Callable[[I64, I64], F64] | None = None,
    counts: dict[str, Any],
) -> Duplicates:
    """Return the verdicts on all rows, given the best of each set of identical rows and the pairs among these."""
    cover = cover_pairs(
        priority.order(_involved_rows(pairs, len(best))),
        pairs,
        bridge_similarity=bridge_similarity,
        measure=measure,
    )
    verdicts = _spread(best, cover)
    return Duplicates(
        kept=_kept_frame(priority.ids, verdicts.representative),
        removed=_removed_frame(priority.ids, verdicts),
        pairs=_pair_frame(priority.ids, best, pairs),
        num_cut=cover.num_cut,
        **counts,
    )


def _involved_rows(pairs: tuple[I64, I64, F64], num_rows: int) -> I64:
    is_involved = np.zeros(num_rows, dtype=bool)
    is_involved[pairs[0]] = True
    is_involved[pairs[1]] = True
    return np.flatnonzero(is_involved)


def read_priority(
    ids: Sequence[Any] | pl.Series | None, sizes: NDArray[np.integer[Any]], hashes: U64, rank: Ranks, quality: Ranks
) -> Priority:
    """Return the order of preference; ids are the row numbers unless they are given.

    Raises:
        DedupError: A column has another length than the rows, or no numbers where numbers are expected.
    """
    num_rows = len(sizes)
    id_series = pl.Series("id", np.arange(num_rows, dtype=np.uint32) if ids is None else ids)
    if len(id_series) != num_rows:
        raise DedupError(f"ids: {len(id_series)} values for {num_rows} texts", "pass one id per text")
    ranks, qualities = number_series("rank", rank, num_rows), number_series("quality", quality, num_rows)
    return Priority(id_series, sizes.astype(np.int64), hashes, ranks, qualities)


def _group_codes(exempt_groups: Ranks, num_rows: int) -> I64 | None:
    series = number_series("exempt_groups", exempt_groups, num_rows)
    return None if series is None else series.fill_null(-1).cast(pl.Int64).to_numpy()


def _identity_keys(index: Index, texts: pl.Series, groups: I64 | None, mask_numbers: bool) -> U64:
    """Return keys that are equal for texts that are one and the same to us."""
    if groups is None or not (groups >= 0).any():
        return index.streams
    keys = finish(index.streams * np.uint64(CHUNK_FACTOR) + np.maximum(groups, -1).astype(np.uint64))
    if mask_numbers:
        exempt = np.flatnonzero(groups >= 0)
        unmasked = open_index(texts.gather(exempt), num_threads=1).streams
        keys[exempt] = finish(keys[exempt] * np.uint64(CHUNK_FACTOR) + unmasked)
    return keys


def _best_of_identical(index: Index, keys: U64, order: Order) -> I64:
    """Return for each row the best row with the same key; a row without words has none but itself."""
    return _best_in_groups(index.first_equal(keys), index.streams == 0, order)


def _best_in_groups(first: I64, is_empty: NDArray[np.bool_], order: Order) -> I64:
    rows = np.arange(len(first))
    first = np.where(is_empty, rows, first)
    is_shared = np.bincount(first, minlength=len(first))[first] > 1
    ranked = order(rows[is_shared])
    best_of = rows.copy()
    best_of[first[ranked[::-1]]] = ranked[::-1]
    return best_of[first]


def _drop_boilerplate(index: Index, nodes: I64, max_rows: int | None) -> int:
    if max_rows is None:
        return 0
    boilerplate = index.common_shingles(nodes, max_rows)
    index.drop_shingles(boilerplate)
    return len(boilerplate)


def _without_exempt(pairs: tuple[I64, I64, F64], groups: I64 | None) -> tuple[I64, I64, F64]:
    left, right, score = pairs
    if groups is None:
        return pairs
    wanted = (groups[left] != groups[right]) | (groups[left] < 0)
    return left[wanted], right[wanted], score[wanted]


def _spread(best: I64, cover: Cover) -> Cover:
    """Return the cover of all rows, given that of the best of each set of identical rows."""
    rows = np.arange(len(best))
    cluster, representative, partner, score = rows.copy(), rows.copy(), rows.copy(), np.ones(len(rows))
    cluster[cover.rows] = cover.cluster
    representative[cover.rows] = cover.representative
    partner[cover.rows] = cover.partner
    score[cover.rows] = cover.score
    is_best = best == rows
    return Cover(
        rows,
        cluster[best],
        representative[best],
        np.where(is_best, partner, best),
        np.where(is_best, score, 1.0),
        cover.num_cut,
    )


def _kept_frame(ids: pl.Series, representative: I64) -> pl.DataFrame:
    stands_for = np.bincount(representative, minlength=len(ids))
    kept = np.flatnonzero(stands_for)
    num_removed = (stands_for[kept] - 1).astype(np.uint32)
    return pl.DataFrame({"id": ids.gather(kept), "num_removed": num_removed})


def _removed_frame(ids: pl.Series, verdicts: Cover) -> pl.DataFrame:
    removed = np.flatnonzero(verdicts.representative != verdicts.rows)
    return pl.DataFrame(
        {
            "id": ids.gather(removed),
            "score": verdicts.score[removed].astype(np.float32),
            "partner": ids.gather(verdicts.partner[removed]),
            "representative": ids.gather(verdicts.representative[removed]),
            "cluster": ids.gather(verdicts.cluster[removed]),
        }
    )


def _pair_frame(ids: pl.Series, best: I64, pairs: tuple[I64, I64, F64]) -> pl.DataFrame:
    copies = np.flatnonzero(best != np.arange(len(best)))
    frame = pair_frame(
        np.concatenate((pairs[0], np.minimum(best[copies], copies))),
        np.concatenate((pairs[1], np.maximum(best[copies], copies))),
        np.concatenate((pairs[2], np.ones(len(copies)))),
    )
    return frame.with_columns(left=ids.gather(frame["left"]), right=ids.gather(frame["right"]))
