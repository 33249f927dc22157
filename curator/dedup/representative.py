"""Which of several duplicates is best: by source rank, quality and length."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from curator.dedup.errors import DedupError
from curator.dedup.hashing import I64, U64

Ranks = Sequence[int] | Sequence[float] | np.ndarray | pl.Series | None


@dataclass(frozen=True)
class Priority:
    """The order of preference among rows.

    Lower `rank` is better, then higher `quality`, then the longer text (in bytes). What is still equal is ordered by
    the hash of its words, last by the id, so the outcome does not hang on the order of the rows. A missing rank or
    quality is worst.
    """

    ids: pl.Series
    sizes: NDArray[np.int64]
    hashes: U64
    rank: pl.Series | None = None
    quality: pl.Series | None = None

    def order(self, rows: I64) -> I64:
        """Return the rows, best first."""
        if len(rows) < 2:
            return rows
        keys: list[NDArray[Any]] = [self.hashes[rows], -self.sizes[rows]]
        for values, is_higher_better in ((self.quality, True), (self.rank, False)):
            if values is not None:
                taken = values.gather(pl.Series(rows)).cast(pl.Float64)
                keys.append((-taken if is_higher_better else taken).fill_null(float("inf")).to_numpy())
        order = np.lexsort(keys)
        ordered = [key[order] for key in keys]
        is_tied = np.logical_and.reduce([key[1:] == key[:-1] for key in ordered])
        return self._order_tied(rows[order], is_tied)

    def _order_tied(self, rows: I64, is_tied: NDArray[np.bool_]) -> I64:
        """Return the rows with runs of equals (each equal to the one before it) ordered by id."""
        run = np.concatenate(([0], np.cumsum(~is_tied)))
        place = np.flatnonzero(np.concatenate((is_tied, [False])) | np.concatenate(([False], is_tied)))
        if not place.size:
            return rows
        index = pl.Series("row", rows[place])
        columns = {"run": run[place], "id": self.ids.gather(index), "row": index}
        rows = rows.copy()
        rows[place] = pl.DataFrame(columns).sort("run", "id")["row"].to_numpy()
        return rows


def number_series(name: str, values: Ranks, num_rows: int) -> pl.Series | None:
    """Return the values as a Series of one value a row, or None; NaN counts as missing.

    Raises:
        DedupError: The number of values is not the number of rows, or they are not numbers.
    """
    if values is None:
        return None
    series = pl.Series(name, values)
    if len(series) != num_rows:
        raise DedupError(f"{name}: {len(series)} values for {num_rows} texts", "pass one value per text")
    if not (series.dtype.is_numeric() or series.dtype == pl.Null):
        raise DedupError(f"{name}: expected numbers, found {series.dtype}", "pass integers or floats")
    return series.fill_nan(None) if series.dtype.is_float() else series
