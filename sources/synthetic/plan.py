"""Which rows a run consists of: how many of each category and language, in an order whose beginning never changes."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sources.synthetic.noise import I64

# Shares are met exactly at every multiple of this many rows, and within one row a stream in between.
_PERIOD = 1000

Stream = tuple[str, str]
"""Category and language; rows are numbered within their stream."""


@dataclass(frozen=True)
class Segment:
    """Rows that follow one repeating order of streams."""

    streams: tuple[Stream, ...]
    order: I64
    count: int


@dataclass(frozen=True)
class Stretch:
    """Some rows in a row.

    Attributes:
        streams: Stream of each row, as an index.
        numbers: Row number within its stream.
        names: What the indexes stand for.
    """

    streams: I64
    numbers: I64
    names: tuple[Stream, ...]


@dataclass(frozen=True)
class Plan:
    """All rows of a run."""

    segments: tuple[Segment, ...]
    first_numbers: Mapping[Stream, int]

    @property
    def count(self) -> int:
        """Number of rows."""
        return sum(segment.count for segment in self.segments)

    def cut(self, start: int, stop: int) -> list[Stretch]:
        """Gives the rows from `start` up to `stop`, segment by segment."""
        stretches, offset = [], 0
        for segment in self.segments:
            low, high = max(start - offset, 0), min(stop - offset, segment.count)
            if low < high:
                stretches.append(self._stretch(segment, low, high))
            offset += segment.count
        return stretches

    def _stretch(self, segment: Segment, low: int, high: int) -> Stretch:
        index = np.arange(low, high, dtype=np.int64)
        period = len(segment.order)
        streams = segment.order[index % period]
        rank, totals = _rank_within(segment.order)
        numbers = rank[index % period] + (index // period) * totals[streams]
        firsts = np.array([self.first_numbers.get(stream, 0) for stream in segment.streams], dtype=np.int64)
        return Stretch(streams, numbers + firsts[streams], segment.streams)


def make_segment(shares: Mapping[Stream, float], count: int) -> Segment:
    """Gives `count` rows shared out in proportion; every beginning of them is as well, within one row a stream."""
    streams = tuple(shares)
    weights = np.array([shares[stream] for stream in streams], dtype=np.float64)
    weights /= weights.sum()
    order = np.empty(_PERIOD, dtype=np.int64)
    given = np.zeros(len(streams))
    for index in range(_PERIOD):
        order[index] = int(np.argmax(weights * (index + 1) - given))
        given[order[index]] += 1
    return Segment(streams, order, count)


def _rank_within(order: I64) -> tuple[I64, I64]:
    totals = np.bincount(order)
    rank = np.empty(len(order), dtype=np.int64)
    for stream in range(len(totals)):
        at = np.flatnonzero(order == stream)
        rank[at] = np.arange(len(at))
    return rank, totals
