"""SQL expressions over drawn columns, and columns as text."""

import re

import numpy as np
import polars as pl
from numpy.typing import NDArray

from schemas.errors import ConfigError
from sources.synthetic.place import Place

_NEEDS_ESCAPE = r'["\\\t]'


def parse_sql(text: str, place: Place) -> pl.Expr:
    """Gives the polars expression of an SQL expression.

    Raises:
        ConfigError: It is not one; the message names file, line and key.
    """
    try:
        return pl.sql_expr(text)
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
        return frame.select(pl.repeat(None, pl.len()).alias("_"), expression.alias("value")).get_column("value")
    except pl.exceptions.PolarsError as error:
        raise ConfigError(f"{place.spot(text)}: {text!r} cannot be evaluated: {_one_line(error)}", "") from error


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
    return values.fill_null(value=False).to_numpy().astype(np.bool_)


def spell_column(values: pl.Series) -> pl.Series:
    """Gives a column as it stands inside a JSON string: 185 for 185.0, 7.5, at most two decimals.

    Line ends stay as they are until the whole text is tidied.
    """
    if values.dtype.is_float() or values.dtype.is_decimal():
        return values.cast(pl.Float64).round(2).cast(pl.String).str.replace(r"\.0$", "")
    if values.dtype != pl.String:
        return values.cast(pl.String)
    if not values.str.contains(_NEEDS_ESCAPE).any():
        return values
    for raw, escaped in (("\\", "\\\\"), ('"', '\\"'), ("\t", "\\t")):
        values = values.str.replace_all(raw, escaped, literal=True)
    return values


def _one_line(error: Exception) -> str:
    return re.sub(r"\s+", " ", str(error).strip().split("\n", 1)[0])
