"""Texts in whatever form they come, as one thing: a list of strings or the addresses of their UTF-8 bytes."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import polars as pl

from curator.dedup.errors import DedupError

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

# Anything that holds texts: a list, a numpy array, a polars Series, a pyarrow Array or ChunkedArray.
Texts: TypeAlias = "Sequence[str | None] | pl.Series | np.ndarray[Any, Any] | pa.Array | pa.ChunkedArray"


def text_series(texts: Texts) -> pl.Series:
    """Return the texts as a polars Series of strings; null becomes the empty text.

    Raises:
        DedupError: A value is not a string.
    """
    series = texts if isinstance(texts, pl.Series) else _read_foreign(texts)
    if series.dtype in (pl.Categorical, pl.Enum):
        series = series.cast(pl.String)
    if series.dtype == pl.Null:
        series = series.cast(pl.String)
    if series.dtype != pl.String:
        raise DedupError(f"texts: expected strings, found {series.dtype}", "select the text column first")
    return series.fill_null("") if series.null_count() else series


def _read_foreign(texts: Any) -> pl.Series:
    try:
        if hasattr(texts, "__arrow_c_array__") or hasattr(texts, "__arrow_c_stream__"):
            return pl.Series("text", texts)
        values = cast("Iterable[str | None]", texts)
        return pl.Series("text", list(values), dtype=pl.String, strict=True)
    except (TypeError, pl.exceptions.PolarsError) as error:
        raise DedupError(f"texts: expected strings or nulls, found {error}", "convert the values to str") from error
