"""Connected components where the edges do not fit one machine: large-star and small-star, as joins of Daft frames.

Two steps alternate until nothing moves (Kiveris et al., Connected Components in MapReduce and Beyond, 2014). Large-star
ties each node's larger neighbours to the smallest node it knows, small-star its smaller ones; both keep the components
and shorten the paths, until each component is a star around its smallest node. O(log² n) rounds, in practice under ten.
"""

from typing import TYPE_CHECKING, Any

from curator.dedup.errors import DedupError

if TYPE_CHECKING:
    import daft

MAX_ROUNDS = 64


def label_components_daft(daft: Any, edges: "daft.DataFrame") -> "daft.DataFrame":
    """Return node and label (the smallest node of its component) of every node that has an edge to another.

    Args:
        daft: The imported module.
        edges: Columns left and right, of one integer type; edges from a node to itself are ignored.

    Raises:
        DedupError: The stars have not settled after `MAX_ROUNDS` rounds.
    """
    col = daft.col
    stars = _direct(daft, edges.select("left", "right").where(col("left") != col("right")))
    for _ in range(MAX_ROUNDS):
        after = _small_star(daft, _large_star(daft, stars))
        if _are_equal(stars, after):
            return after.select(col("left").alias("node"), col("right").alias("label")).union(
                after.select(col("right").alias("node"), col("right").alias("label"))
            )
        stars = after
    raise DedupError(f"connected components: not settled after {MAX_ROUNDS} rounds", "report the input")


def _direct(daft: Any, edges: Any) -> Any:
    """Return each edge once, from the larger node (left) to the smaller (right); computed now, as rounds build on it."""
    one, other = daft.col("left"), daft.col("right")
    return (
        edges.select(_larger(daft, one, other).alias("left"), _smaller(daft, one, other).alias("right"))
        .distinct()
        .collect()
    )


def _large_star(daft: Any, edges: Any) -> Any:
    """Return the edges from each node's larger neighbours to the smallest of the node and its neighbours."""
    col = daft.col
    seen = edges.union_all(edges.select(col("right").alias("left"), col("left").alias("right")))
    # A node whose neighbours are all larger is the smallest it knows itself.
    least = seen.groupby("left").agg(col("right").min().alias("nearest"))
    centre = least.select("left", _smaller(daft, col("left"), col("nearest")).alias("centre"))
    larger = seen.where(col("right") > col("left")).join(centre, on="left")
    return _direct(daft, larger.select(col("right").alias("left"), col("centre").alias("right")))


def _small_star(daft: Any, edges: Any) -> Any:
    """Return the edges from each node and its smaller neighbours to the smallest of these."""
    col = daft.col
    centre = edges.groupby("left").agg(col("right").min().alias("centre"))
    smaller = edges.join(centre, on="left").where(col("right") != col("centre"))
    moved = smaller.select(col("right").alias("left"), col("centre").alias("right"))
    return _direct(daft, moved.union_all(centre.select("left", col("centre").alias("right"))))


def _smaller(daft: Any, one: Any, other: Any) -> Any:
    return daft.functions.when(one < other, then=one).otherwise(other)


def _larger(daft: Any, one: Any, other: Any) -> Any:
    return daft.functions.when(one < other, then=other).otherwise(one)


def _are_equal(before: Any, after: Any) -> bool:
    """Return whether two sets of edges are the same."""
    if before.count_rows() != after.count_rows():
        return False
    missing: int = before.join(after, on=["left", "right"], how="anti").count_rows()
    return missing == 0
