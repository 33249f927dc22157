"""Tables of posts or comments (CSV with Reddit's field names, such as the top-2013 collection)."""

import csv
import re
from collections.abc import Iterator
from typing import Any

from sources.files import FoundFile
from sources.protocol import Rejection
from sources.reddit.lines import Block, Start, read_blocks
from sources.reddit.offline import Piece
from sources.reddit.raw import make_raw_frame
from sources.reddit.shape import Shaper

ROWS_A_PIECE = 5000
REQUIRED = ({"id", "name"}, {"created_utc"}, {"title", "body"})
_SUBREDDIT = re.compile(r"/r/(\w+)/comments/")


def read_table(file: FoundFile, shaper: Shaper, start: Start) -> Iterator[Piece]:
    """Yields the rows of a table; a resumed one is read again up to where it stopped."""
    name = file.path.name
    refused: list[Rejection] = []
    lines = _read_lines(file, name, shaper, refused)
    try:
        rows = csv.DictReader(lines, restval=None, restkey="")
        missing = [words for words in REQUIRED if not words & set(rows.fieldnames or ())]
    except csv.Error as error:
        yield Piece(None, (*refused, Rejection(f"{name}:line 1", "broken_csv", str(error))))
        return
    if missing:
        words = " and ".join(" or ".join(sorted(group)) for group in missing)
        yield Piece(None, (*refused, Rejection(name, "unknown_columns", f"no column {words}; is it from Reddit?")))
        return
    for records, places, line in _group(rows, name, start.line, refused):
        taken, refused[:] = tuple(refused), []
        raw = make_raw_frame(records)
        shaped = shaper.shape(raw, lambda row, places=places: f"{name}:line {places[row]}")  # type: ignore[misc]
        yield Piece(shaped.documents, (*taken, *shaped.rejections), len(raw), shaped.num_unwanted, Start(line, line))


def _group(
    rows: "csv.DictReader[str]", name: str, start_line: int, refused: list[Rejection]
) -> Iterator[tuple[list[dict[str, Any]], list[int], int]]:
    records: list[dict[str, Any]] = []
    places: list[int] = []
    while True:
        first_line = rows.line_num + 1
        try:
            row = next(rows, None)
        except csv.Error as error:
            refused.append(Rejection(f"{name}:line {first_line}", "broken_csv", str(error)))
            continue
        if row is None:
            break
        if first_line <= start_line:
            refused.clear()
            continue
        record = _read_row(row, f"{name}:line {first_line}", refused)
        if record is not None:
            records.append(record)
            places.append(first_line)
        if len(records) >= ROWS_A_PIECE:
            yield records, places, rows.line_num
            records, places = [], []
    yield records, places, rows.line_num


def _read_row(row: dict[str, Any], where: str, refused: list[Rejection]) -> dict[str, Any] | None:
    if any(value is None for value in row.values()) or "" in row:
        refused.append(Rejection(where, "broken_csv", "another number of cells than the header has"))
        return None
    if not _is_utf8("".join(row.values())):
        refused.append(Rejection(where, "invalid_utf8", "expected UTF-8; convert the file with iconv -t UTF-8"))
        return None
    # An empty cell means absent, but a link post really has an empty text.
    record: dict[str, Any] = {key: value for key, value in row.items() if value != "" or key == "selftext"}
    record.setdefault("id", record.get("name"))
    match = _SUBREDDIT.search(record.get("permalink", ""))
    if match and "subreddit" not in record:
        record["subreddit"] = match[1]
    return record


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _read_lines(file: FoundFile, name: str, shaper: Shaper, refused: list[Rejection]) -> Iterator[str]:
    is_first = True
    for item in read_blocks(file.path, name, Start(), shaper.options.max_window):
        if isinstance(item, Rejection):
            refused.append(item)
            continue
        text = _decode(item, is_first=is_first)
        is_first = False
        # Not splitlines(): it would also cut at U+2028 and form feeds, which are text here.
        yield from (line + "\n" for line in text.split("\n")[:-1])


def _decode(block: Block, *, is_first: bool) -> str:
    data = block.data if block.data.endswith(b"\n") else block.data + b"\n"
    # Broken bytes are carried to the row they belong to, which is then refused.
    text = data.decode("utf-8", "surrogateescape")
    return text.removeprefix("\ufeff") if is_first else text
