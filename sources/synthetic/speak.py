"""Puts prepared rows into words: runs the machine and hands its bytes over as columns."""

from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa

from schemas.errors import ConfigError
from schemas.identity import ID_BYTES
from sources.synthetic.kernel_output import FULL, TOO_DEEP, U8
from sources.synthetic.machine import Buffers, Key, write_rows
from sources.synthetic.noise import I64
from sources.synthetic.prepare import Prepared

SOURCE = "synthetic"
# Bytes that a sheet has at first; one that fills up doubles.
_SHEET_BYTES = 1 << 21
# Of `schemas.identity.make_id`: each part behind its length.
_HEAD = np.frombuffer(
    b"".join(len(part).to_bytes(8, "little") + part for part in (b"document", SOURCE.encode())), dtype=np.uint8
)


@dataclass(frozen=True)
class Spoken:
    """Rows in words.

    Attributes:
        ids: Of the documents.
        content: The turns as canonical JSON.
        metadata: What is worth knowing, as canonical JSON.
        is_spoken: Where there is something to say; elsewhere the texts are empty.
    """

    ids: pl.Series
    content: pl.Series
    metadata: pl.Series
    is_spoken: U8


class Sheet:
    """Memory that rows are written on, again and again: what is written is copied off, without the room left."""

    def __init__(self) -> None:
        self.contents, self.metadata, self.scratch = (np.empty(_SHEET_BYTES, dtype=np.uint8) for _ in range(3))

    def grow(self) -> None:
        """Doubles the memory and keeps what is written."""
        self.contents, self.metadata, self.scratch = (
            np.concatenate([texts, np.empty_like(texts)]) for texts in (self.contents, self.metadata, self.scratch)
        )


def speak_rows(prepared: Prepared, at: I64, prefix: str, sheet: Sheet) -> Spoken:
    """Writes some of the prepared rows.

    Args:
        prepared: The rows.
        at: Which of them; a rule has to hold for each.
        prefix: Natural keys are this and the row number.
        sheet: What they are written on.

    Raises:
        ConfigError: Phrases name each other in a circle.
    """
    key = Key(_HEAD, np.frombuffer(prefix.encode(), dtype=np.uint8))
    content_ends, metadata_ends = (np.zeros(len(at) + 1, dtype=np.int64) for _ in range(2))
    ids, is_spoken = np.zeros(2 * ID_BYTES * len(at), dtype=np.uint8), np.zeros(len(at), dtype=np.uint8)
    done, status = 0, FULL
    while done < len(at) and status != TOO_DEEP:
        out = Buffers(sheet.contents, content_ends, sheet.metadata, metadata_ends, ids, is_spoken, sheet.scratch)
        done, status = write_rows(prepared.code, prepared.scopes, prepared.rows, at, done, key, out)
        if status == FULL:
            sheet.grow()
    if status == TOO_DEEP:
        raise ConfigError(f"{prepared.topic.compiled.place.spot()}: phrases name each other in a circle", "break it")
    return Spoken(
        _as_series(ids, np.arange(len(at) + 1) * (2 * ID_BYTES)),
        _as_series(sheet.contents, content_ends),
        _as_series(sheet.metadata, metadata_ends),
        is_spoken,
    )


def _as_series(texts: U8, ends: I64) -> pl.Series:
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(texts[: ends[-1]].tobytes())]
    series = pl.from_arrow(pa.Array.from_buffers(pa.large_string(), len(ends) - 1, buffers))
    if not isinstance(series, pl.Series):
        raise TypeError("a string array gave no series")
    return series
