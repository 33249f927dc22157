"""Near-duplicates by meaning: any sentence embedding, exact top-k by blocks, the same verdicts as by wording."""

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from curator.dedup.candidates import Capped
from curator.dedup.columns import Texts, text_series
from curator.dedup.duplicates import Duplicates, assemble_duplicates, read_priority
from curator.dedup.errors import DedupError
from curator.dedup.hashing import I64
from curator.dedup.index import open_index
from curator.dedup.representative import Ranks

Vectors = NDArray[np.float32]
Embed = Callable[[list[str]], NDArray[np.floating]]
"""Texts to vectors, (len(texts), dimensions): `model.encode` of model2vec or sentence-transformers."""

_BLOCK_ROWS = 1024


def find_semantic_duplicates(
    texts: Texts,
    embed: Embed,
    threshold: float = 0.95,
    *,
    ids: Sequence[object] | pl.Series | None = None,
    rank: Ranks = None,
    quality: Ranks = None,
    top_k: int = 32,
) -> Duplicates:
    """Return what to keep and what to remove when texts of the same meaning count as duplicates.

    Args:
        texts: Strings; null counts as empty. Empty texts are kept.
        embed: Returns one vector a text. It sees each distinct text once.
        threshold: Cosine similarity from which texts count as the same; what is apt depends on the embedding.
        ids: One unique value a text; None takes the row numbers.
        rank: As for `find_duplicates`.
        quality: As for `find_duplicates`.
        top_k: How many neighbours of a text are considered; the search for them is exact. Texts that had more at the
            threshold are counted in `Duplicates.capped`.
    """
    series = text_series(texts)
    index = open_index(series)
    first = index.first_equal(index.streams)
    nodes = np.flatnonzero((first == np.arange(len(first))) & (index.streams != 0))
    vectors = embed_texts(series.gather(pl.Series(nodes)).to_list(), embed)
    left, right, score, num_capped = _pair_vectors(vectors, threshold, top_k)
    priority = read_priority(ids, series.str.len_bytes().to_numpy(), index.streams, rank, quality)
    best = first.copy()
    best[index.streams == 0] = np.flatnonzero(index.streams == 0)
    ranked = priority.order(np.arange(len(best)))[::-1]
    best_of = best.copy()
    best_of[best[ranked]] = ranked
    best = best_of[best]
    low, high = best[nodes[left]], best[nodes[right]]
    return assemble_duplicates(
        priority,
        best,
        (np.minimum(low, high), np.maximum(low, high), score),
        counts={
            "capped": Capped(num_capped, 0),
            "num_empty": int((index.streams == 0).sum()),
            "num_boilerplate": 0,
        },
    )


def embed_texts(texts: list[str], embed: Embed) -> Vectors:
    """Return unit vectors, (len(texts), dimensions) float32.

    Raises:
        DedupError: The embedding does not return one finite vector a text.
    """
    if not texts:
        return np.zeros((0, 1), dtype=np.float32)
    vectors = np.asarray(embed(texts), dtype=np.float32)
    if vectors.ndim != 2 or len(vectors) != len(texts) or not np.isfinite(vectors).all():
        raise DedupError(
            f"embed: expected {len(texts)} finite vectors, found an array of shape {vectors.shape}",
            "pass a function from a list of texts to an array of one row a text",
        )
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Vectors = (vectors / np.where(norms > 0, norms, 1)).astype(np.float32)
    return unit


def top_neighbours(queries: Vectors, vectors: Vectors, top_k: int) -> tuple[I64, Vectors]:
    """Return the most similar vectors of each query, best first: positions and cosine similarities.

    Exact, in blocks; of equally similar ones the first comes first. Both arrays are (len(queries), k) with k the lesser
    of top_k and len(vectors).
    """
    count = min(top_k, len(vectors))
    places = np.empty((len(queries), count), dtype=np.int64)
    scores = np.empty((len(queries), count), dtype=np.float32)
    for start in range(0, len(queries), _BLOCK_ROWS):
        block = queries[start : start + _BLOCK_ROWS] @ vectors.T
        order = np.argsort(-block, axis=1, kind="stable")[:, :count]
        places[start : start + _BLOCK_ROWS] = order
        scores[start : start + _BLOCK_ROWS] = np.take_along_axis(block, order, axis=1)
    return places, scores


def _pair_vectors(vectors: Vectors, threshold: float, top_k: int) -> tuple[I64, I64, NDArray[np.float64], int]:
    """Return the pairs of neighbours at the threshold, and how many rows had more neighbours than were considered."""
    # One more, as each vector is its own neighbour.
    places, scores = top_neighbours(vectors, vectors, top_k + 1)
    is_near = scores >= threshold
    num_capped = int(is_near[:, -1].sum()) if scores.shape[1] > top_k else 0
    rows, ranks = np.nonzero(is_near)
    other, score = places[rows, ranks], scores[rows, ranks].astype(np.float64)
    low, high = np.minimum(rows, other), np.maximum(rows, other)
    pairs = pl.DataFrame({"low": low, "high": high, "score": score}).filter(pl.col("low") != pl.col("high"))
    pairs = pairs.group_by("low", "high").agg(pl.col("score").max()).sort("low", "high")
    return pairs["low"].to_numpy(), pairs["high"].to_numpy(), pairs["score"].to_numpy(), num_capped
