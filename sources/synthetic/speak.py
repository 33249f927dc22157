"""Puts prepared rows into words: runs the machine and hands its bytes over as columns."""

from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import polars as pl
import pyarrow as pa

from schemas.errors import ConfigError
from schemas.identity import ID_BYTES
from sources.synthetic.kernel_output import FULL, TOO_DEEP, U8
from sources.synthetic.machine import Buffers, write_rows
from sources.synthetic.noise import I64
from sources.synthetic.prepare import Prepared

SOURCE = "synthetic"
# Bytes a row at first; a buffer that fills up doubles.
_CONTENT_BYTES, _METADATA_BYTES, _SCENARIO_BYTES = 2400, 1200, 900


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
    done, status = 0, FULL
    while done < len(at) and status != TOO_DEEP:
        done, status = write_rows(prepared.code, prepared.scopes, prepared.rows, at, done, out)
        if status == FULL:
            out = _grow(out)
    if status == TOO_DEEP:
        raise ConfigError(f"{prepared.topic.compiled.place.spot()}: phrases name each other in a circle", "break it")
    _fill_holes(out)
    return Spoken(
        pl.Series(_hash_documents(out, prefix, prepared.numbers[at]), dtype=pl.String),
        _as_series(out.contents, out.content_ends),
        _as_series(out.metadata, out.metadata_ends),
        out.is_spoken,
    )


def _make_buffers(count: int) -> Buffers:
    sizes = (_CONTENT_BYTES, _METADATA_BYTES, _SCENARIO_BYTES)
    contents, metadata, scenarios = (np.empty(max(size * count, 1 << 14), dtype=np.uint8) for size in sizes)
    ends = [np.zeros(count + 1, dtype=np.int64) for _ in sizes]
    holes, is_spoken = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.uint8)
    return Buffers(contents, ends[0], metadata, ends[1], scenarios, ends[2], holes, is_spoken)


def _grow(out: Buffers) -> Buffers:
    return out._replace(
        contents=np.concatenate([out.contents, np.empty_like(out.contents)]),
        metadata=np.concatenate([out.metadata, np.empty_like(out.metadata)]),
        scenarios=np.concatenate([out.scenarios, np.empty_like(out.scenarios)]),
    )


def _fill_holes(out: Buffers) -> None:
    """Writes the ids of the scenarios where the metadata left room for them."""
    spoken = np.flatnonzero(out.is_spoken)
    parts = out.scenarios.data
    ends = out.scenario_ends.tolist()
    ids = b"".join(
        blake2b(parts[ends[row] : ends[row + 1]], digest_size=ID_BYTES).hexdigest().encode() for row in spoken.tolist()
    )
    characters = np.frombuffer(ids, dtype=np.uint8).reshape(len(spoken), 2 * ID_BYTES)
    out.metadata[out.holes[spoken][:, None] + np.arange(2 * ID_BYTES)] = characters


def _hash_documents(out: Buffers, prefix: str, numbers: I64) -> list[str]:
    """Gives `document_id` of each row; what all share is encoded once."""
    start = b"".join(len(part).to_bytes(8, "little") + part for part in (b"document", SOURCE.encode()))
    key_start = prefix.encode()
    contents = out.contents.data
    ids, first = [], 0
    for number, end in zip(numbers.tolist(), out.content_ends[1:].tolist(), strict=True):
        key = b"%b%d" % (key_start, number)
        sizes = len(key).to_bytes(8, "little"), (end - first).to_bytes(8, "little")
        data = b"".join((start, sizes[0], key, sizes[1], contents[first:end]))
        ids.append(blake2b(data, digest_size=ID_BYTES).hexdigest())
        first = end
    return ids


def _as_series(texts: U8, ends: I64) -> pl.Series:
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(texts[: ends[-1]])]
    series = pl.from_arrow(pa.Array.from_buffers(pa.large_string(), len(ends) - 1, buffers))
    if not isinstance(series, pl.Series):
        raise TypeError("a string array gave no series")
    return series
