"""Writes a query's result: table, JSON, CSV, markdown, Parquet."""

import sys
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
    """Writes a result to stdout or to a file.

    Raises:
        ConfigError: Unknown format, or Parquet to a terminal.
    """
    import polars as pl

    from curator.atomic import write_file

    frame = pl.DataFrame(pl.from_arrow(result))
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


def render_result(frame: "pl.DataFrame", name: str) -> bytes:
    """Gives the bytes of a result in one of `FORMATS`.

    Raises:
        ConfigError: Unknown format.
    """
    import io

    if name == "json":
        import orjson

        rows = [orjson.dumps(row, default=str, option=orjson.OPT_NON_STR_KEYS) for row in frame.iter_rows(named=True)]
        return b"[" + b",\n ".join(rows) + b"]\n"
    if name == "csv":
        return _flatten_lists(_neutralise_formulas(frame)).write_csv().encode()
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
    if cell is None or isinstance(cell, int | float):
        return cell
    text = " ".join(str(cell).split())
    return text if len(text) <= MAX_CELL else text[: MAX_CELL - 1] + "…"


def _render_markdown(frame: "pl.DataFrame") -> str:
    def cell(value: Any) -> str:
        return "" if value is None else str(value).replace("|", "\\|").replace("\n", "<br>")

    lines = ["| " + " | ".join(frame.columns) + " |", "|" + "---|" * len(frame.columns)]
    lines += ["| " + " | ".join(cell(value) for value in row) + " |" for row in frame.iter_rows()]
    return "\n".join(lines) + "\n"


def _neutralise_formulas(frame: "pl.DataFrame") -> "pl.DataFrame":
    """Puts an apostrophe before cells that a spreadsheet would run as a formula."""
    import polars as pl

    text = pl.col(pl.String)
    is_formula = text.str.slice(0, 1).is_in(FORMULA_STARTS)
    return frame.with_columns(pl.when(is_formula).then(pl.concat_str(pl.lit("'"), text)).otherwise(text).name.keep())


def _flatten_lists(frame: "pl.DataFrame") -> "pl.DataFrame":
    import polars as pl

    nested = [name for name, kind in frame.schema.items() if kind.is_nested()]
    return frame.with_columns(
        pl.col(name).map_elements(lambda value: str(list(value)), return_dtype=pl.String) for name in nested
    )
