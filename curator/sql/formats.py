"""Writes a query's result: table, JSON, CSV, markdown, Parquet."""

import sys
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from schemas.errors import ConfigError

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

FORMATS = ("table", "json", "csv", "markdown", "parquet")
MAX_CELL = 60
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def write_result(result: "pa.Table", name: str, output: Path | None) -> None:
    """Writes a result to stdout (`output` absent or `-`) or to a file.

    Raises:
        ConfigError: Unknown format, or Parquet to a terminal.
        ExportError: The file cannot be written.
    """
    from curator.atomic import write_file

    frame = make_frame(result)
    output = None if output == Path("-") else output
    if name == "table" and output is None:
        _print_table(frame)
        return
    if name == "parquet" and output is None and sys.stdout.isatty():
        raise ConfigError("parquet is binary and stdout is a terminal", "add --output FILE.parquet")
    data = render_result(frame, name)
    if output is not None:
        write_file(output, data)
        return
    stream: BinaryIO = sys.stdout.buffer
    stream.write(data)
    stream.flush()


def make_frame(result: "pa.Table") -> "pl.DataFrame":
    """Gives a result as a frame: column names made unique, whole decimals (DuckDB's sums) as integers where they fit."""
    import polars as pl

    frame = pl.DataFrame(pl.from_arrow(result.rename_columns(_name_uniquely(result.column_names))))
    whole = [name for name, kind in frame.schema.items() if isinstance(kind, pl.Decimal) and kind.scale == 0]
    casts = {name: frame[name].cast(pl.Int64, strict=False) for name in whole}
    return frame.with_columns(
        cast.alias(name) for name, cast in casts.items() if cast.null_count() == frame[name].null_count()
    )


def _name_uniquely(names: list[str]) -> list[str]:
    unique: list[str] = []
    for name in names:
        number = 0
        candidate = name
        while candidate in unique:
            number += 1
            candidate = f"{name}_{number}"
        unique.append(candidate)
    return unique


def render_result(frame: "pl.DataFrame", name: str) -> bytes:
    """Gives the bytes of a result in one of `FORMATS`.

    Raises:
        ConfigError: Unknown format.
    """
    import io

    if name == "json":
        rows = [_dump_json(row) for row in frame.iter_rows(named=True)]
        return b"[" + b",\n ".join(rows) + b"]\n"
    if name == "csv":
        return _neutralise_formulas(_flatten_cells(frame)).write_csv().encode()
    if name == "markdown":
        return _render_markdown(frame).encode()
    if name == "parquet":
        buffer = io.BytesIO()
        frame.write_parquet(buffer)
        return buffer.getvalue()
    if name == "table":
        return _render_markdown(frame).encode()
    raise ConfigError(f"format {name!r}: unknown", f"expected one of {', '.join(FORMATS)}")


def _print_table(frame: "pl.DataFrame") -> None:
    from curator.cli.output import print_table

    rows = [[_shorten(cell) for cell in row] for row in frame.iter_rows()]
    print_table("", frame.columns, rows)


def _shorten(cell: Any) -> Any:
    if isinstance(cell, datetime):
        return cell.strftime("%Y-%m-%d %H:%M")
    if cell is None or isinstance(cell, int | float):
        return cell
    text = " ".join(str(cell).split())
    return text if len(text) <= MAX_CELL else text[: MAX_CELL - 1] + "…"


def _render_markdown(frame: "pl.DataFrame") -> str:
    def cell(value: Any) -> str:
        return "" if value is None else str(value).replace("|", "\\|").replace("\n", "<br>")

    lines = ["| " + " | ".join(map(cell, frame.columns)) + " |", "|" + "---|" * len(frame.columns)]
    lines += ["| " + " | ".join(cell(value) for value in row) + " |" for row in frame.iter_rows()]
    return "\n".join(lines) + "\n"


def _neutralise_formulas(frame: "pl.DataFrame") -> "pl.DataFrame":
    """Puts an apostrophe before cells and headers that a spreadsheet would run as a formula."""
    import polars as pl

    safe = [
        pl.when(pl.col(name).str.slice(0, 1).is_in(FORMULA_STARTS))
        .then(pl.concat_str(pl.lit("'"), pl.col(name)))
        .otherwise(pl.col(name))
        .alias(name)
        for name, kind in frame.schema.items()
        if kind == pl.String
    ]
    headers = {name: f"'{name}" for name in frame.columns if name.startswith(FORMULA_STARTS)}
    return frame.with_columns(safe).rename(headers)


def _flatten_cells(frame: "pl.DataFrame") -> "pl.DataFrame":
    """Makes text of what CSV has no cell for: lists and structs as JSON, bytes as hex, categories as their names."""
    import polars as pl

    columns = []
    for name, kind in frame.schema.items():
        if kind.is_nested():
            texts = [None if value is None else _dump_json(value).decode() for value in frame[name].to_list()]
            columns.append(pl.Series(name, texts, dtype=pl.String))
        elif kind == pl.Binary:
            columns.append(frame[name].bin.encode("hex"))
        elif isinstance(kind, pl.Categorical | pl.Enum):
            columns.append(frame[name].cast(pl.String))
    return frame.with_columns(columns)


def _dump_json(value: Any) -> bytes:
    import orjson

    return orjson.dumps(value, default=_plain, option=orjson.OPT_NON_STR_KEYS)


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    return float(value) if isinstance(value, Decimal) and value != value.to_integral_value() else str(value)
