"""A picture of a result: which columns it shows, and its values as the page draws them."""

import math
from typing import Any

import polars as pl

KINDS = ("bar", "line", "histogram")
MAX_LABEL = 40


def pick_columns(frame: pl.DataFrame, kind: str, x: str, y: str) -> tuple[str, str]:
    """Gives the columns of the axes: those asked for where they exist, else the first that fit."""
    names = frame.columns
    if x not in names:
        x = names[0]
    if y not in names:
        # The first column mostly says what a row is, even where it is a figure such as a year.
        figures = [name for name, column_kind in frame.schema.items() if column_kind.is_numeric() and name != x]
        y = figures[0] if figures else names[-1]
    return (y, y) if kind == "histogram" else (x, y)


def draw_result(frame: pl.DataFrame, kind: str, x: str, y: str) -> dict[str, Any]:
    """Gives a picture in the form that the page's script draws (`assets/src/charts.js`)."""
    column = frame[x]
    is_scale = column.dtype.is_numeric() and kind == "line"
    labels = [_number(value) for value in column] if is_scale else [_label(value) for value in column]
    return {
        "kind": kind,
        "x": labels,
        "x_kind": "number" if is_scale else "text",
        "x_title": x,
        "y_title": y,
        "series": [{"name": y, "values": [_number(value) for value in frame[y]]}],
    }


def _number(value: Any) -> float | int | None:
    if isinstance(value, bool) or value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return value if isinstance(value, int) else (number if math.isfinite(number) else None)


def _label(value: Any) -> str:
    text = " ".join(str(value).split()) if value is not None else "null"
    return text if len(text) <= MAX_LABEL else text[: MAX_LABEL - 1] + "…"
