"""Reads rows out of JSON, JSONL, CSV, TSV, Parquet and MedQuAD files, one at a time.

A broken line or row becomes a rejection with its place; the rows around it are read.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from sources.dataset.json_stream import JsonStreamError, stream_array
from sources.protocol import Rejection

SUFFIXES = (".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".parquet", ".xml")
MAX_LINE_BYTES = 16 * 2**20
PARQUET_BATCH_ROWS = 1000

_SIGNATURES = {b"%PDF-": "a PDF", b"PK\x03\x04": "a zip archive", b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}


@dataclass(frozen=True)
class Row:
    """One row of a dataset file.

    Attributes:
        number: 1-based place among the rows.
        line: 1-based line of the file where it has lines, else None.
        cells: Column to value.
        extra: What the file knows beside the columns: `url`, `attribution`.
    """

    number: int
    line: int | None
    cells: dict[str, Any]
    extra: dict[str, str] = field(default_factory=dict)


class NoRowsError(Exception):
    """The file holds no rows at all; says what it holds."""

    def __init__(self, reason: str, detail: str, *, is_fault: bool = False) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.is_fault = is_fault


def read_rows(path: Path) -> Iterator[Row | Rejection]:
    """Yields the rows of a file by its ending, and a rejection for each that is broken.

    Raises:
        NoRowsError: The file is of another format than its ending says, or holds something other than rows.
    """
    suffix = path.suffix.lower()
    try:
        if suffix == ".parquet":
            yield from _read_parquet(path)
            return
        with path.open("rb") as handle:
            _check_signature(handle)
        if suffix == ".xml":
            from sources.dataset.medquad import read_medquad

            yield from read_medquad(path)
        elif suffix in (".csv", ".tsv"):
            yield from _read_table(path, "\t" if suffix == ".tsv" else None)
        elif suffix == ".json" and _is_array(path):
            yield from _read_array(path)
        else:
            yield from _read_lines(path)
    except OSError as error:
        raise NoRowsError("unreadable", error.strerror or str(error), is_fault=True) from error


def _check_signature(handle: BinaryIO) -> None:
    begin = handle.read(8)
    if not begin:
        raise NoRowsError("empty_file", "nothing in it")
    for signature, what in _SIGNATURES.items():
        if begin.startswith(signature):
            raise NoRowsError("not_text", f"begins like {what}, expected text rows; unpack it first", is_fault=True)


def _is_array(path: Path) -> bool:
    """Tells an array from lines of objects in a `.json` file; one single object is neither.

    Raises:
        NoRowsError: The file is one object.
    """
    import orjson

    with path.open("rb") as handle:
        first = handle.readline(MAX_LINE_BYTES).removeprefix(b"\xef\xbb\xbf").strip()
        while not first and handle.tell() < path.stat().st_size:
            first = handle.readline(MAX_LINE_BYTES).strip()
        rest = handle.read(2**16).strip()
    if not first.startswith(b"{"):
        return True
    try:
        value = orjson.loads(first)
    except orjson.JSONDecodeError:
        value = None
    if value is None or not rest:
        raise NoRowsError("not_rows", f"one JSON object{_name_keys(path)}, expected an array of rows")
    return False


def _name_keys(path: Path) -> str:
    import orjson

    if path.stat().st_size > MAX_LINE_BYTES:
        return ""
    try:
        value = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError:
        return ""
    lists = [key for key, item in value.items() if isinstance(item, list) and item and isinstance(item[0], dict)]
    keys = ", ".join(list(value)[:6])
    return f" with keys {keys}" + (f" (take its rows out: jq .{lists[0]} FILE)" if lists else "")


def _read_array(path: Path) -> Iterator[Row | Rejection]:
    number = 0
    with path.open("rb") as handle:
        try:
            for number, (line, value) in enumerate(stream_array(handle), 1):
                yield _as_row(value, number, line, path)
        except JsonStreamError as error:
            detail = f"{error.detail}; the {number} rows before are kept, what follows in this array is lost"
            yield Rejection(f"{path}:{error.line}", error.reason, detail)


def _read_lines(path: Path) -> Iterator[Row | Rejection]:
    import orjson

    number = 0
    with path.open("rb") as handle:
        for line, data in _bounded_lines(handle):
            if data is None:
                detail = f"longer than {MAX_LINE_BYTES // 2**20} MB"
                yield Rejection(f"{path}:{line}", "line_too_long", detail)
                continue
            text = data.removeprefix(b"\xef\xbb\xbf") if line == 1 else data
            if not text.strip():
                continue
            number += 1
            try:
                value = orjson.loads(text)
            except orjson.JSONDecodeError as error:
                yield _broken_line(text, f"{path}:{line}", error.msg)
                continue
            yield _as_row(value, number, line, path)


def _broken_line(data: bytes, where: str, message: str) -> Rejection:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        return Rejection(where, "invalid_utf8", f"byte 0x{data[error.start]:02x} is not UTF-8")
    return Rejection(where, "broken_json", message)


def _bounded_lines(handle: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """Yields (line number, line); None for a line that is too long, of which no more than a part is in memory."""
    number = 0
    while data := handle.readline(MAX_LINE_BYTES):
        number += 1
        if len(data) < MAX_LINE_BYTES or data.endswith(b"\n"):
            yield number, data
            continue
        while data and not data.endswith(b"\n"):
            data = handle.readline(MAX_LINE_BYTES)
        yield number, None


def _as_row(value: Any, number: int, line: int | None, path: Path) -> Row | Rejection:
    if isinstance(value, dict):
        return Row(number, line, value)
    where = f"{path}:{line}" if line is not None else f"{path} row {number}"
    return Rejection(where, "not_an_object", f"a {type(value).__name__}, expected an object with named columns")


def _read_table(path: Path, delimiter: str | None) -> Iterator[Row | Rejection]:
    csv.field_size_limit(MAX_LINE_BYTES)
    # Undecodable bytes travel as lone surrogates, so that one bad row does not cost the rest of the file.
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as handle:
        sign = delimiter or _find_delimiter(handle.readline())
        handle.seek(0)
        reader = csv.reader(handle, delimiter=sign)
        header = [name.strip() for name in next(reader, [])]
        if len(header) < 2:
            raise NoRowsError("not_rows", f"one column ({', '.join(header)[:80]}), expected a header with two or more")
        number = 0
        while True:
            first_line = reader.line_num + 1
            try:
                cells = next(reader, None)
            except csv.Error as error:
                yield Rejection(f"{path}:{first_line}", "broken_csv", str(error))
                continue
            if cells is None:
                return
            if any(cell.strip() for cell in cells):
                number += 1
                yield _table_row(header, cells, number, first_line, path)


def _find_delimiter(header: str) -> str:
    return max(",;\t|", key=header.count)


def _table_row(header: list[str], cells: list[str], number: int, line: int, path: Path) -> Row | Rejection:
    if len(cells) != len(header):
        detail = f"{len(cells)} cells, the header has {len(header)}; quote cells that hold the separator"
        return Rejection(f"{path}:{line}", "wrong_cell_count", detail)
    if any(not _is_storable(cell) for cell in cells):
        return Rejection(f"{path}:{line}", "invalid_utf8", "bytes that are not UTF-8; convert with iconv -t UTF-8")
    return Row(number, line, dict(zip(header, cells, strict=True)))


def _is_storable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _read_parquet(path: Path) -> Iterator[Row | Rejection]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=PARQUET_BATCH_ROWS):
                for cells in batch.to_pylist():
                    number += 1
                    yield Row(number, None, cells)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        yield Rejection(str(path), "broken_parquet", f"after {number} rows: {str(error).splitlines()[0]}")
