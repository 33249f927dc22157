"""Columns as a few texts and, for each row, which of them: a number is put into words once, not once a row."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

I32 = NDArray[np.int32]
_SPECIAL = re.compile(r'["\\\x00-\x1f]')


@dataclass(frozen=True)
class Coded:
    """A column.

    Attributes:
        texts: Its values as they stand inside a JSON string, but for line ends.
        codes: (num_rows,) int32, index into the texts; -1 where the value is null.
        is_text: Whether the values are texts (quoted in JSON) or numbers and truth values.
    """

    texts: Sequence[str]
    codes: I32
    is_text: bool

    def at(self, rows: NDArray[Any]) -> "Coded":
        """Gives the column at some rows."""
        return Coded(self.texts, self.codes[rows], self.is_text)


def code_series(series: pl.Series) -> Coded:
    """Codes a column by its distinct values."""
    if series.dtype == pl.String:
        values = series.drop_nulls().unique()
        codes = series.cast(pl.Enum(values)).to_physical().cast(pl.Int32).fill_null(-1).to_numpy()
        return Coded([escape(text) for text in values.to_list()], codes, is_text=True)
    distinct, inverse = np.unique(series.fill_null(0).to_numpy(), return_inverse=True)
    codes = inverse.astype(np.int32)
    if series.null_count():
        codes[series.is_null().to_numpy()] = -1
    return Coded([spell(value) for value in distinct.tolist()], codes, is_text=False)


def code_values(series: pl.Series) -> Coded:
    """Codes a column row by row: row k is value k."""
    codes = np.arange(len(series), dtype=np.int32)
    if series.null_count():
        codes[series.is_null().to_numpy()] = -1
    is_text = series.dtype == pl.String
    spelled = escape if is_text else spell
    return Coded(["" if value is None else spelled(value) for value in series.to_list()], codes, is_text)


def spell(value: Any) -> str:
    """Gives a number or truth value as coaches write it: 185 for 185.0, 7.5, at most two decimals."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return repr(round(float(value), 2) + 0.0).removesuffix(".0")


def escape(text: str) -> str:
    """Gives the text fit for the inside of a JSON string, but for line ends: tidying still has to see them."""
    if _SPECIAL.search(text) is None:
        return text
    return "\n".join(json.dumps(line, ensure_ascii=False)[1:-1] for line in text.split("\n"))
