"""Which texts a new text can change the verdict of: those that pairs tie to it, directly or through others."""

import numpy as np
import polars as pl

from curator.dedup.clusters import label_components


def touched_texts(pairs: pl.DataFrame, hashes: pl.Series) -> pl.Series:
    """Return the given texts and all that are connected with them, sorted; texts without words (0) touch nothing.

    Args:
        pairs: left_hash and right_hash (UInt64) of all near-duplicate pairs.
        hashes: The texts to begin with (UInt64).
    """
    begin = hashes.filter(hashes != 0).unique().sort()
    nodes = pl.concat([pairs["left_hash"], pairs["right_hash"], begin]).unique().sort().to_numpy()
    left, right = (np.searchsorted(nodes, pairs[side].to_numpy()) for side in ("left_hash", "right_hash"))
    component = label_components(len(nodes), left, right)
    is_touched = np.zeros(len(nodes), dtype=bool)
    is_touched[component[np.searchsorted(nodes, begin.to_numpy())]] = True
    return pl.Series("text_hash", nodes[is_touched[component]], dtype=pl.UInt64)
