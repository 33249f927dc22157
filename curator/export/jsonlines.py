"""JSON text that every reader splits into the same lines."""

from collections.abc import Iterable
from typing import Any

import orjson

# str.splitlines() and some readers break lines at these; one record became three. They are legal as escapes.
_ESCAPES = (("\u2028", b"\\u2028"), ("\u2029", b"\\u2029"), ("\u0085", b"\\u0085"))
_BREAKS = tuple((character.encode(), escape) for character, escape in _ESCAPES)


def dump_line(row: Any) -> bytes:
    """Gives one row as UTF-8 JSON in the order of its keys, without a line end."""
    text = orjson.dumps(row)
    for character, escape in _BREAKS:
        if character in text:
            text = text.replace(character, escape)
    return text


def dump_lines(rows: Iterable[Any], *, as_array: bool = False) -> bytes:
    """Gives rows as JSONL, or as one JSON array with a row a line."""
    lines = [dump_line(row) for row in rows]
    if as_array:
        return b"[\n" + b",\n".join(lines) + b"\n]\n"
    return b"".join(line + b"\n" for line in lines)
