"""Which of several duplicates is best: by source rank, quality, length, then the text itself."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from curator.dedup.hashing import I64

Ranks = Sequence[int] | Sequence[float] | np.ndarray | pl.Series | None


@dataclass(frozen=True)
class Priority:
    """The order of preference among rows.

    Lower `rank` is better, then higher `quality`, then the longer text. What is still equal is ordered by the text
    and last by the id, so the outcome does not hang on the order of the rows. A missing rank or quality is worst.
    """

    texts: pl.Series
    ids: pl.Series
    rank: pl.Series | None = None
    quality: pl.Series | None = None

    def order(self, rows: I64) -> I64:
        """Return the rows, best first."""
        if len(rows) < 2:
            return rows
        index = pl.Series("row", rows)
        text = self.texts.gather(index)
        columns = {"row": index, "size": text.str.len_bytes(), "text": text, "id": self.ids.gather(index)}
        keys, descending = ["size", "text", "id"], [True, False, False]
        for name, values, is_descending in (("quality", self.quality, True), ("rank", self.rank, False)):
            if values is not None:
                columns[name] = values.gather(index)
                keys.insert(0, name)
                descending.insert(0, is_descending)
        ordered = pl.DataFrame(columns).sort(keys, descending=descending, nulls_last=True)
        return ordered["row"].to_numpy()


def number_series(name: str, values: Ranks, num_rows: int) -> pl.Series | None:
    """Return the values as a Series of one value a row, or None; NaN counts as missing.

    Raises:
        DedupError: The number of values is not the number of rows, or they are not numbers.
    """
    from curator.dedup.errors import DedupError

    if values is None:
        return None
    series = pl.Series(name, values)
    if len(series) != num_rows:
        raise DedupError(f"{name}: {len(series)} values for {num_rows} texts", "pass one value per text")
    if not (series.dtype.is_numeric() or series.dtype == pl.Null):
        raise DedupError(f"{name}: expected numbers, found {series.dtype}", "pass integers or floats")
    return series.fill_nan(None) if series.dtype.is_float() else series
