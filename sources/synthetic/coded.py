"""Columns as a few texts and, for each row, which of them: a number is put into words once, not once a row."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sources.synthetic.noise import I64

I32 = NDArray[np.int32]
_SPECIAL = re.compile(r'["\\\x00-\x1f]')


@dataclass(frozen=True)
class Coded:
    """A column.

    Attributes:
        texts: Its values as they stand inside a JSON string, but for line ends: UTF-8, one behind the other.
        sizes: (num_values,) bytes of each.
        codes: (num_rows,) int32, index of the value; -1 where it is null.
        is_text: Whether the values are texts (quoted in JSON) or numbers and truth values.
    """

    texts: bytes
    sizes: I64
    codes: I32
    is_text: bool

    def at(self, rows: NDArray[Any]) -> "Coded":
        """Gives the column at some rows."""
        return replace(self, codes=self.codes[rows])


def code_series(series: pl.Series) -> Coded:
    """Codes a column by its distinct values."""
    if series.dtype == pl.String:
        values = series.drop_nulls().unique()
        codes = series.cast(pl.Enum(values)).to_physical().cast(pl.Int32).fill_null(-1).to_numpy()
        return _pack([escape(text) for text in values.to_list()], codes, is_text=True)
    distinct, inverse = np.unique(series.fill_null(0).to_numpy(), return_inverse=True)
    codes = inverse.astype(np.int32)
    if series.null_count():
        codes[series.is_null().to_numpy()] = -1
    return _pack([spell(value) for value in distinct.tolist()], codes, is_text=False)


def code_values(series: pl.Series) -> Coded:
    """Codes a column row by row: row k is value k."""
    codes = np.arange(len(series), dtype=np.int32)
    if series.null_count():
        codes[series.is_null().to_numpy()] = -1
    is_text = series.dtype == pl.String
    spelled = escape if is_text else spell
    return _pack(["" if value is None else spelled(value) for value in series.to_list()], codes, is_text)


def _pack(texts: Sequence[str], codes: I32, is_text: bool) -> Coded:
    encoded = [text.encode() for text in texts]
    return Coded(b"".join(encoded), np.array([len(text) for text in encoded], dtype=np.int64), codes, is_text)


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
