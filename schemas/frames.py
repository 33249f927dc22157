"""Polars frames of the nouns: made from rows, and checked column by column."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from schemas.document import DOCUMENT_COLUMNS
from schemas.errors import SourceError
from schemas.example import EXAMPLE_COLUMNS
from schemas.verdict import VERDICT_COLUMNS

if TYPE_CHECKING:
    import polars as pl


def frame_schema(columns: Mapping[str, str]) -> "dict[str, pl.DataType]":
    """Gives the polars types of a column list."""
    import polars as pl

    types: dict[str, pl.DataType] = {
        "text": pl.String(),
        "text[]": pl.List(pl.String()),
        "timestamp": pl.Datetime("us", "UTC"),
        "bool": pl.Boolean(),
        "real": pl.Float64(),
        "int": pl.Int64(),
    }
    return {name: types[kind.rstrip("?")] for name, kind in columns.items()}


def make_frame(rows: Iterable[Mapping[str, Any]], columns: Mapping[str, str]) -> "pl.DataFrame":
    """Builds a frame with exactly these columns; keys missing in a row become null."""
    import polars as pl

    materialised = list(rows)
    schema = frame_schema(columns)
    data = {name: [row.get(name) for row in materialised] for name in columns}
    return pl.DataFrame([_make_column(name, values, schema[name]) for name, values in data.items()], schema=schema)


def _make_column(name: str, values: list[Any], kind: "pl.DataType") -> "pl.Series":
    import orjson
    import polars as pl

    if kind != pl.List(pl.String):
        return pl.Series(name, values, dtype=kind)
    # Strict, as every column of texts is: JSON would take a number for its digits.
    pl.Series(name, [member for value in values if value is not None for member in value], dtype=pl.String)
    # polars takes a list a row as a column of its own, most of the time that a frame takes; JSON it reads whole.
    lists = [None if value is None else orjson.dumps(value).decode() for value in values]
    return pl.Series(name, lists, dtype=pl.String).str.json_decode(kind)


def document_frame(rows: Iterable[Mapping[str, Any]]) -> "pl.DataFrame":
    """Builds a frame of documents (`DOCUMENT_COLUMNS`)."""
    return make_frame(rows, DOCUMENT_COLUMNS)


def example_frame(rows: Iterable[Mapping[str, Any]]) -> "pl.DataFrame":
    """Builds a frame of examples (`EXAMPLE_COLUMNS`)."""
    return make_frame(rows, EXAMPLE_COLUMNS)


def verdict_frame(rows: Iterable[Mapping[str, Any]]) -> "pl.DataFrame":
    """Builds a frame of verdicts (`VERDICT_COLUMNS`)."""
    return make_frame(rows, VERDICT_COLUMNS)


def check_frame(frame: "pl.DataFrame", columns: Mapping[str, str], what: str) -> None:
    """Proves that a frame has the columns, types and non-null cells that it must have.

    Args:
        frame: The frame to check.
        columns: Such as `DOCUMENT_COLUMNS`.
        what: Named in the error, such as `batch of reddit`.

    Raises:
        SourceError: A column is absent, unknown, of another type, or null where it must not be.
    """
    expected = frame_schema(columns)
    if dict(frame.schema) != expected:
        found = {name: str(kind) for name, kind in frame.schema.items()}
        raise SourceError(
            f"{what}: columns are {found}, expected { ({n: str(t) for n, t in expected.items()}) }",
            "build frames with schemas.frames.document_frame or example_frame",
        )
    required = [name for name, kind in columns.items() if not kind.endswith("?")]
    nulls = frame.select(required).null_count().row(0, named=True)
    bad = [name for name, count in nulls.items() if count]
    if bad:
        raise SourceError(f"{what}: null in {', '.join(bad)}, which must never be null", "")
