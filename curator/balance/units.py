"""Units: which examples must never be torn apart by a split.

A unit is a connected component over shared unit keys (thread, video, section, scenario) and near-duplicate edges.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from schemas.identity import make_id

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray


class Graph:
    """The unit graph: examples first, then unit keys, as numbered nodes.

    Attributes:
        ids: Example ids in order; node i is example i.
        keys: Unit keys in order; node `len(ids) + j` is key j.
        edges: `(num_edges, 2) int64` pairs of nodes.
    """

    def __init__(self, examples: "pl.DataFrame", pairs: "pl.DataFrame") -> None:
        """Builds the graph.

        Args:
            examples: Frame with `id` (unique) and `unit_keys`.
            pairs: Near-duplicate edges: `left_id`, `right_id`.
        """
        import polars as pl

        ordered = examples.sort("id")
        self.ids: list[str] = ordered["id"].to_list()
        self.keys: list[str] = ordered["unit_keys"].explode().drop_nulls().unique().sort().to_list()
        # Without the schema a column of no names has no type and cannot be joined.
        schema = {"name": pl.String, "node": pl.Int64}
        nodes = pl.DataFrame({"name": self.ids, "node": np.arange(len(self.ids))}, schema)
        key_nodes = pl.DataFrame({"name": self.keys, "node": np.arange(len(self.keys)) + len(self.ids)}, schema)
        by_key = (
            ordered.select(pl.col("id"), pl.col("unit_keys"))
            .explode("unit_keys")
            .drop_nulls()
            .join(nodes, left_on="id", right_on="name")
            .join(key_nodes, left_on="unit_keys", right_on="name", suffix="_key")
        )
        by_text = pairs.join(nodes, left_on="left_id", right_on="name").join(
            nodes, left_on="right_id", right_on="name", suffix="_right"
        )
        self.edges: NDArray[np.int64] = np.concatenate(
            [by_key.select("node", "node_key").to_numpy(), by_text.select("node", "node_right").to_numpy()]
        ).astype(np.int64)

    @property
    def num_nodes(self) -> int:
        """Number of examples and keys together."""
        return len(self.ids) + len(self.keys)


def label_components(num_nodes: int, edges: "NDArray[np.int64]") -> "NDArray[np.int64]":
    """Gives the component number of every node, `(num_nodes,) int64`."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if not num_nodes:
        return np.zeros(0, dtype=np.int64)
    ones = np.ones(len(edges), dtype=np.int8)
    matrix = coo_array((ones, (edges[:, 0], edges[:, 1])), shape=(num_nodes, num_nodes))
    _, labels = connected_components(matrix, directed=False)
    return np.asarray(labels, dtype=np.int64)


def name_unit(example_ids: Sequence[str]) -> str:
    """Gives the id of a unit: a hash of its smallest example id, so that order does not matter."""
    return make_id("unit", min(example_ids))
