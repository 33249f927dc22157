"""What dedup would remove at every threshold from 0.70 up: a spanning forest of the stored pairs answers them all."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from warehouse import Warehouse

THRESHOLDS = tuple(round(hundredths / 100, 2) for hundredths in range(70, 101))
TOLERANCE = 1e-6


@dataclass(frozen=True)
class ThresholdCounts:
    """The answer for all thresholds.

    Attributes:
        num_rows: Rows that were compared: those that screening keeps.
        counts: For each of `THRESHOLDS`: `threshold`, `removed`, `clusters`, `largest`.
        links: The pairs that tie clusters together: left, right (ids), similarity; the most similar first.
    """

    num_rows: int
    counts: list[dict[str, Any]]
    links: pl.DataFrame


def count_thresholds(snapshot: Warehouse) -> ThresholdCounts:
    """Counts rows beyond the first of each connected component, at each threshold, from stored pairs: no text is read.

    Exemptions, bridge cuts and collapsed answers of the stage itself are left aside: this is the similarity alone.
    """
    rows = snapshot.read("text_hashes").with_row_index("place")
    forest = _span(_list_pairs(rows, snapshot.read("similar_texts")), rows.height)
    ids = rows["id"]
    links = forest.select(
        ids.gather(forest["left"]).alias("left"), ids.gather(forest["right"]).alias("right"), "similarity"
    )
    return ThresholdCounts(rows.height, [_count(forest, rows.height, at) for at in THRESHOLDS], links)


def _list_pairs(rows: pl.DataFrame, texts: pl.DataFrame) -> pl.DataFrame:
    """Gives pairs of places (left, right, similarity): each row with the first of its text, and the first of similar texts."""
    first = rows.group_by("text_hash").agg(pl.col("place").min().alias("first"))
    copies = rows.join(first, on="text_hash").filter(pl.col("place") != pl.col("first"))
    similar = texts.join(first, left_on="left_hash", right_on="text_hash").join(
        first, left_on="right_hash", right_on="text_hash", suffix="_right"
    )
    return pl.concat(
        [
            copies.select(
                pl.col("first").alias("left"), pl.col("place").alias("right"), pl.lit(1.0).alias("similarity")
            ),
            similar.select(pl.col("first").alias("left"), pl.col("first_right").alias("right"), "similarity"),
        ]
    )


def _span(pairs: pl.DataFrame, num_rows: int) -> pl.DataFrame:
    """Gives the most similar pairs that connect what all pairs connect; cut at any threshold they still do."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import minimum_spanning_tree

    # A stored zero would mean "no edge", so a pair of equal texts gets distance 1, not 0.
    distance = 2.0 - pairs["similarity"].to_numpy().astype(np.float64)
    places = (pairs["left"].to_numpy().astype(np.int32), pairs["right"].to_numpy().astype(np.int32))
    tree = minimum_spanning_tree(coo_array((distance, places), shape=(num_rows, num_rows)).tocsr()).tocoo()
    left, right = tree.coords
    frame = pl.DataFrame({"left": left, "right": right, "similarity": 2.0 - tree.data})
    return frame.sort("similarity", "left", "right", descending=[True, False, False])


def _count(forest: pl.DataFrame, num_rows: int, threshold: float) -> dict[str, Any]:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    near = forest.filter(pl.col("similarity") >= threshold - TOLERANCE)
    places = (near["left"].to_numpy(), near["right"].to_numpy())
    graph = coo_array((np.ones(near.height), places), shape=(num_rows, num_rows))
    _, labels = connected_components(graph, directed=False)
    sizes = np.bincount(labels)
    return {
        "threshold": threshold,
        "removed": near.height,
        "clusters": int((sizes > 1).sum()),
        "largest": int(sizes.max(initial=0)),
    }
