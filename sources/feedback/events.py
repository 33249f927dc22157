"""Where events come from: the journal of the service, or files with one event a line."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import SourceError
from sources.protocol import Rejection

MAX_LINE_BYTES = 2**20
"""A longer line holds no event: the longest answer and correction have 32,000 characters."""
_CHUNK_ROWS = 5_000


@dataclass(frozen=True)
class RawEvent:
    """An event as it was received.

    Attributes:
        where: File and line, or journal and sequence number.
        sequence: Place in its input, ascending.
        client: The token by which it came to the service; empty for files.
        body: JSON.
    """

    where: str
    sequence: int
    client: str
    body: bytes


def read_journal(path: Path, after: int) -> Iterator[RawEvent]:
    """Yields the events of a journal after a sequence number, in order; the service may go on writing.

    Raises:
        SourceError: The file is no journal, or cannot be read.
    """
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as connection:
            while True:
                rows = connection.execute(
                    "select sequence, client, body from event where sequence > ? order by sequence limit ?",
                    (after, _CHUNK_ROWS),
                ).fetchall()
                if not rows:
                    return
                for sequence, client, body in rows:
                    yield RawEvent(f"{path.name}#{sequence}", sequence, client, body.encode())
                after = rows[-1][0]
    except sqlite3.Error as error:
        raise SourceError(f"{path}: {error}", "expected the journal of curator serve, or name JSONL files") from error


def read_lines(path: Path, after: int) -> Iterator[RawEvent | Rejection]:
    """Yields the events of a file after a line number; a line that is too long is passed over within 1 MB of memory."""
    with path.open("rb") as handle:
        number = 0
        while line := handle.readline(MAX_LINE_BYTES + 1):
            number += 1
            is_too_long = len(line) > MAX_LINE_BYTES and not line.endswith(b"\n")
            while is_too_long and (rest := handle.readline(MAX_LINE_BYTES)) and not rest.endswith(b"\n"):
                pass
            where = f"{path.name}:{number}"
            if number <= after or not line.strip():
                continue
            if is_too_long:
                yield Rejection(where, "line_too_long", f"over {MAX_LINE_BYTES:,} bytes, expected one event a line")
            else:
                yield RawEvent(where, number, "", line)
