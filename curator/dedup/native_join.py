"""The exact join on compiled kernels: what `exact_join` does with numpy, without storing shingles.

One pass over the texts counts in how many each shingle occurs, a second writes the prefix of each text: its rarest
shingles, less those no other text has. Then texts are paired that meet in one of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curator.dedup.exact_join import prefix_sizes
from curator.dedup.hashing import I64, U64
from curator.dedup.minhash import U32
from curator.dedup.text_source import TextSource
from curator.dedup.workspace import JoinSpace, Workers, share_rows

_BYTES_A_SHINGLE = 5
_MIN_COUNTERS, _MAX_COUNTERS = 1 << 16, 1 << 26
_FIRST_BATCH, _LARGEST_BATCH = 1 << 16, 1 << 22


@dataclass(frozen=True)
class _Prefixes:
    """The prefix of row r is postings[starts[r] : starts[r] + lengths[r]], ascending."""

    postings: U64
    starts: I64
    lengths: I64
    num_distinct: U32


def find_candidates(source: TextSource, rows: I64, threshold: float, labels: I64 | None) -> Iterator[U64]:
    """Yield the pairs of rows (smaller << 32 | larger, sorted) that can reach the threshold, in batches.

    Args:
        source: The texts.
        rows: The rows to compare, ascending.
        threshold: Jaccard similarity, above 0.
        labels: Component of each row; pairs within one are left out. The caller may join components between batches.
    """
    prefixes = _list_prefixes(source, rows.astype(np.uint32), threshold)
    owners = np.repeat(rows, prefixes.lengths[rows]).astype(np.uint32)
    at = np.repeat(prefixes.starts[rows], prefixes.lengths[rows])
    run = np.cumsum(prefixes.lengths[rows]) - prefixes.lengths[rows]
    at += np.arange(len(at)) - np.repeat(run, prefixes.lengths[rows])
    values = prefixes.postings[at]
    order = np.argsort(values, kind="stable")
    values, owners = values[order], owners[order]
    ends = np.append(np.flatnonzero(values[1:] != values[:-1]) + 1, len(values))
    group_ends = np.repeat(ends, np.diff(ends, prepend=0))
    largest = int(np.diff(ends, prepend=0).max(initial=0))
    place, capacity = np.zeros(1, dtype=np.int64), max(_FIRST_BATCH, largest)
    while place[0] < len(values):
        codes = np.empty(capacity, dtype=np.uint64)
        count = source.kernels.call(
            "pair_postings",
            *(owners, values, group_ends, int(place[0]), len(values)),
            *(prefixes.postings, prefixes.starts, prefixes.lengths, prefixes.num_distinct, float(threshold)),
            *(place if labels is None else labels, int(labels is not None), codes, capacity, place),
        )
        yield np.sort(codes[:count])
        capacity = max(largest, min(2 * capacity, _LARGEST_BATCH))


def _list_prefixes(source: TextSource, rows: U32, threshold: float) -> _Prefixes:
    sizes = source.located.sizes
    num_counters = _MIN_COUNTERS
    while num_counters < min(_MAX_COUNTERS, int(sizes.sum()) // _BYTES_A_SHINGLE):
        num_counters *= 2
    num_distinct = np.zeros(len(sizes), dtype=np.uint32)
    workers = Workers(source.num_threads, lambda: JoinSpace(int(sizes.max(initial=0)), num_counters))
    jobs = share_rows(sizes[rows], source.num_threads)

    def count(space: JoinSpace, job: tuple[int, int]) -> None:
        space.sets.last_stamp = source.kernels.call(
            "count_shingles", *_arguments(source, rows, job, space), space.counters, num_counters - 1, num_distinct
        )

    workers.run(count, jobs)
    counters = _add_counters([space.counters for space in workers.spaces])
    prefix = prefix_sizes(num_distinct.astype(np.int64), threshold)
    prefix[num_distinct == 0] = 0
    starts = np.cumsum(prefix) - prefix
    postings = np.empty(int(prefix.sum()), dtype=np.uint64)
    lengths = np.zeros(len(sizes), dtype=np.int64)

    def list_one(space: JoinSpace, job: tuple[int, int]) -> None:
        space.sets.last_stamp = source.kernels.call(
            "list_prefixes",
            *_arguments(source, rows, job, space),
            *(counters, num_counters - 1, prefix, starts, postings, lengths),
        )

    workers.run(list_one, jobs)
    return _Prefixes(postings, starts, lengths, num_distinct)


def _arguments(
    source: TextSource, rows: U32, job: tuple[int, int], space: JoinSpace
) -> tuple[NDArray[np.generic] | int, ...]:
    text, sets = space.text, space.sets
    return (
        *(source.located.addresses, source.located.marked_sizes, rows, *job, *source.cutting()),
        *(text.scratch, text.edges, text.hashes, text.shingles, sets.slots, sets.stamps, sets.last_stamp),
    )


def _add_counters(parts: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Return the sums, 255 where they would not fit; the first part is overwritten."""
    total = parts[0] if parts else np.zeros(1, dtype=np.uint8)
    for part in parts[1:]:
        np.add(total, np.minimum(part, 255 - total), out=total)
    return total
