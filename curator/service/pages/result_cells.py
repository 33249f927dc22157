"""Cells of a result table: plain text, figures aligned, ids that lead to the row."""

import json
import re
from datetime import datetime
from typing import Any

import polars as pl

MAX_CELL = 200
EXAMPLE_ID = re.compile(r"[0-9a-f]{32}")
ID_COLUMNS = frozenset({"id", "example_id", "subject_id", "representative_id", "partner"})


def describe_columns(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """Gives name, kind and whether it holds figures, of each column."""
    return [
        {"name": name, "kind": str(kind).lower(), "is_number": kind.is_numeric()} for name, kind in frame.schema.items()
    ]


def show_rows(frame: pl.DataFrame) -> list[list[dict[str, Any]]]:
    """Gives the cells of each row: text, whether it is null or a figure, and where an id leads."""
    names = frame.columns
    return [[_show(name, value) for name, value in zip(names, row, strict=True)] for row in frame.iter_rows()]


def _show(name: str, value: Any) -> dict[str, Any]:
    text = _write(value)
    leads = name in ID_COLUMNS and isinstance(value, str) and EXAMPLE_ID.fullmatch(value)
    return {
        "text": text if len(text) <= MAX_CELL else text[: MAX_CELL - 1] + "…",
        "is_null": value is None,
        "is_number": isinstance(value, int | float) and not isinstance(value, bool),
        "link": f"/rows/{value}" if leads else None,
    }


def _write(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int | float):
        return _write_number(value)
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return " ".join(str(value).split())


def _write_number(value: float) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.4g}" if abs(value) < 1_000 else f"{value:,.1f}"
