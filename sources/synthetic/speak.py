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
# Bytes of a row's turns and metadata at first; a buffer that fills up doubles.
_ROW_BYTES = (2400, 1200)
_SCRATCH_BYTES = 1 << 14
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


def speak_rows(prepared: Prepared, at: I64, prefix: str) -> Spoken:
    """Writes some of the prepared rows.

    Args:
        prepared: The rows.
        at: Which of them; a rule has to hold for each.
        prefix: Natural keys are this and the row number.

    Raises:
        ConfigError: Phrases name each other in a circle.
    """
    out = _make_buffers(len(at))
    key = Key(_HEAD, np.frombuffer(prefix.encode(), dtype=np.uint8))
    done, status = 0, FULL
    while done < len(at) and status != TOO_DEEP:
        done, status = write_rows(prepared.code, prepared.scopes, prepared.rows, at, done, key, out)
        if status == FULL:
            out = _grow(out)
    if status == TOO_DEEP:
        raise ConfigError(f"{prepared.topic.compiled.place.spot()}: phrases name each other in a circle", "break it")
    return Spoken(
        _as_series(out.ids, np.arange(len(at) + 1) * (2 * ID_BYTES)),
        _as_series(out.contents, out.content_ends),
        _as_series(out.metadata, out.metadata_ends),
        out.is_spoken,
    )


def _make_buffers(count: int) -> Buffers:
    contents, metadata = (np.empty(max(size * count, _SCRATCH_BYTES), dtype=np.uint8) for size in _ROW_BYTES)
    content_ends, metadata_ends = (np.zeros(count + 1, dtype=np.int64) for _ in _ROW_BYTES)
    ids, is_spoken = np.zeros(2 * ID_BYTES * count, dtype=np.uint8), np.zeros(count, dtype=np.uint8)
    scratch = np.empty(_SCRATCH_BYTES, dtype=np.uint8)
    return Buffers(contents, content_ends, metadata, metadata_ends, ids, is_spoken, scratch)


def _grow(out: Buffers) -> Buffers:
    return out._replace(
        contents=np.concatenate([out.contents, np.empty_like(out.contents)]),
        metadata=np.concatenate([out.metadata, np.empty_like(out.metadata)]),
        scratch=np.concatenate([out.scratch, np.empty_like(out.scratch)]),
    )


def _as_series(texts: U8, ends: I64) -> pl.Series:
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(texts[: ends[-1]])]
    series = pl.from_arrow(pa.Array.from_buffers(pa.large_string(), len(ends) - 1, buffers))
    if not isinstance(series, pl.Series):
        raise TypeError("a string array gave no series")
    return series
