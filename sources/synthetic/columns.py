"""SQL expressions over drawn columns."""

import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import polars as pl
from numpy.typing import NDArray

from schemas.errors import ConfigError
from sources.synthetic.place import Place


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
    parse_sql(text, place)
    return set(_roots(text))


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


@lru_cache(maxsize=4096)
def _parse(text: str) -> pl.Expr:
    return pl.sql_expr(text)


@lru_cache(maxsize=4096)
def _roots(text: str) -> frozenset[str]:
    return frozenset(_parse(text).meta.root_names())


def _one_line(error: Exception) -> str:
    return re.sub(r"\s+", " ", str(error).strip().split("\n", 1)[0])
