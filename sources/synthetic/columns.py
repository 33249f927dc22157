"""SQL expressions over drawn columns, and columns as text."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
import polars as pl
from numpy.typing import NDArray

from schemas.errors import ConfigError
from sources.synthetic.place import Place

Strings = NDArray[np.object_]


def parse_sql(text: str, place: Place) -> pl.Expr:
    """Gives the polars expression of an SQL expression.

    Raises:
        ConfigError: It is not one; the message names file, line and key.
    """
    try:
        return _parse(text)
    except (pl.exceptions.PolarsError, ValueError, TypeError) as error:
        raise ConfigError(f"{place.spot(text)}: {text!r} is not an SQL expression: {_one_line(error)}", "") from error


def root_names(text: str, place: Place) -> set[str]:
    """Gives the columns that an SQL expression reads."""
    return set(parse_sql(text, place).meta.root_names())


def evaluate(frame: pl.DataFrame, text: str, place: Place) -> pl.Series:
    """Gives the value of an SQL expression for each row of a frame.

    Raises:
        ConfigError: The expression does not fit the columns.
    """
    expression = parse_sql(text, place)
    try:
        values = frame.select(expression.alias("value")).get_column("value")
    except pl.exceptions.PolarsError as error:
        raise ConfigError(f"{place.spot(text)}: {text!r} cannot be evaluated: {_one_line(error)}", "") from error
    # A constant gives one value, whatever the height of the frame.
    return values if len(values) == frame.height else values.new_from_index(0, frame.height)


def evaluate_claim(frame: pl.DataFrame, text: str | None, place: Place) -> NDArray[np.bool_]:
    """Gives where a condition holds (null counts as false; no condition holds everywhere).

    Raises:
        ConfigError: The expression gives something else than true or false.
    """
    if text is None:
        return np.ones(frame.height, dtype=np.bool_)
    values = evaluate(frame, text, place)
    if values.dtype != pl.Boolean:
        found = f"{place.spot(text)}: {text!r} gives {values.dtype}, expected true or false"
        raise ConfigError(found, "compare with something")
    filled = values.fill_null(value=False) if values.null_count() else values
    return filled.to_numpy().astype(np.bool_)


def evaluate_claims(frame: pl.DataFrame, texts: Sequence[str], place: Place) -> dict[str, NDArray[np.bool_]]:
    """Gives where each of several conditions holds, in one pass."""
    if len(texts) < 2:
        return {text: evaluate_claim(frame, text, place) for text in texts}
    expressions = [parse_sql(text, place).alias(str(number)) for number, text in enumerate(texts)]
    try:
        columns = frame.select(pl.repeat(None, pl.len()).alias("_"), *expressions).get_columns()[1:]
    except pl.exceptions.PolarsError:
        # One of them does not fit; alone it is reported with its line.
        return {text: evaluate_claim(frame, text, place) for text in texts}
    if any(column.dtype != pl.Boolean for column in columns):
        return {text: evaluate_claim(frame, text, place) for text in texts}
    filled = (column.fill_null(value=False) if column.null_count() else column for column in columns)
    return {text: column.to_numpy().astype(np.bool_) for text, column in zip(texts, filled, strict=True)}


def spell_columns(frame: pl.DataFrame, names: Iterable[str]) -> dict[str, Strings]:
    """Gives columns as they stand inside a JSON string: 185 for 185.0, 7.5, at most two decimals, "" for null.

    Line ends stay as they are until the whole text is tidied.
    """
    expressions = [_spell(name, frame.schema[name]) for name in names]
    return {name: strings(column.to_list()) for name, column in frame.select(expressions).to_dict().items()}


def strings(texts: Sequence[str]) -> Strings:
    """Gives texts as an array that can be indexed by row numbers."""
    column = np.empty(len(texts), dtype=np.object_)
    column[:] = texts
    return column


def _spell(name: str, kind: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    if kind.is_float() or kind.is_decimal():
        spelled = column.cast(pl.Float64).round(2).cast(pl.String).str.replace(r"\.0$", "")
    elif kind != pl.String:
        spelled = column.cast(pl.String)
    else:
        spelled = column.str.replace_all("\\", "\\\\", literal=True).str.replace_all('"', '\\"', literal=True)
        spelled = spelled.str.replace_all("\t", "\\t", literal=True)
    return spelled.fill_null("")


@lru_cache(maxsize=4096)
def _parse(text: str) -> pl.Expr:
    return pl.sql_expr(text)


def _one_line(error: Exception) -> str:
    return re.sub(r"\s+", " ", str(error).strip().split("\n", 1)[0])
