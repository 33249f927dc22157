"""Scratch memory of the kernels: one set a thread, made once and handed round."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

Space = TypeVar("Space")
Job = TypeVar("Job")
Answer = TypeVar("Answer")

# Room for the block that is read or written past the end of a text.
_PADDING = 512
_JOBS_A_THREAD = 4
_MIN_FILTER_BITS, _BITS_A_KEY = 10, 8


class TextSpace:
    """Memory to cut one text at a time into shingles; untouched pages cost nothing."""

    def __init__(self, max_size_bytes: int) -> None:
        # Folding can lengthen a text, and each byte of the result can be a token.
        capacity = 2 * max_size_bytes + _PADDING
        self.scratch = np.empty(capacity, dtype=np.uint8)
        self.edges = np.empty(2 * capacity, dtype=np.int32)
        self.hashes = np.empty(capacity, dtype=np.uint64)
        self.shingles = np.empty(capacity, dtype=np.uint64)
        self.mixed = np.empty(capacity, dtype=np.uint32)
        self.minima = np.empty(64, dtype=np.uint32)


class SetSpace:
    """Memory for two sets of shingles (see `kernels.verify`)."""

    def __init__(self, max_shingles: int) -> None:
        self.capacity = 16
        while self.capacity < 2 * max_shingles:
            self.capacity *= 2
        self.slots = np.empty(2 * self.capacity, dtype=np.uint64)
        self.stamps = np.zeros(3 * self.capacity, dtype=np.int32)
        self.last_stamp = 0


class JoinSpace:
    """Memory of the exact join: a text, a set, and how many texts have each shingle."""

    def __init__(self, max_size_bytes: int, num_counters: int) -> None:
        self.text = TextSpace(max_size_bytes)
        self.sets = SetSpace(2 * max_size_bytes + 2)
        self.counters = np.zeros(num_counters, dtype=np.uint8)


class BucketSpace:
    """Memory for the buckets of one band (see `kernels.buckets`)."""

    def __init__(self, num_rows: int, num_nodes: int) -> None:
        self.filter_bits = _MIN_FILTER_BITS
        while 1 << self.filter_bits < _BITS_A_KEY * num_nodes:
            self.filter_bits += 1
        self.filters = np.empty(2 << self.filter_bits >> 6, dtype=np.uint64)
        self.repeats = np.empty(num_nodes + 1, dtype=np.uint32)
        self.slots = np.empty(num_slots(num_nodes), dtype=np.uint64)
        self.previous = np.empty(num_rows + 1, dtype=np.uint32)
        self.depth = np.empty(num_rows + 1, dtype=np.uint32)
        self.meetings = np.empty(num_nodes + 1, dtype=np.uint32)


def num_slots(num_keys: int) -> int:
    """Return the places of a table for so many keys: a power of two, at least half as many again."""
    places = 16
    while 2 * places < 3 * num_keys:
        places *= 2
    return places


class Workers(Generic[Space]):
    """Threads that run jobs, each with a workspace of its own.

    Attributes:
        spaces: The workspaces made so far.
    """

    def __init__(self, num_threads: int, make_space: Callable[[], Space]) -> None:
        self._num_threads = num_threads
        self._make_space = make_space
        self._free: list[Space] = []
        self.spaces: list[Space] = []

    def run(self, task: Callable[[Space, Job], Answer], jobs: Sequence[Job]) -> list[Answer]:
        """Return the answers of task(space, job), in the order of the jobs."""

        def work(job: Job) -> Answer:
            space = self._take()
            answer = task(space, job)
            self._free.append(space)
            return answer

        if self._num_threads == 1 or len(jobs) < 2:
            return [work(job) for job in jobs]
        with ThreadPoolExecutor(self._num_threads) as pool:
            return list(pool.map(work, jobs))

    def _take(self) -> Space:
        try:
            return self._free.pop()
        except IndexError:
            space = self._make_space()
            self.spaces.append(space)
            return space


def share_rows(sizes: NDArray[np.int64], num_threads: int) -> list[tuple[int, int]]:
    """Return ranges of rows with about equal bytes, several a thread."""
    num_jobs = 1 if num_threads == 1 else num_threads * _JOBS_A_THREAD
    ends = np.cumsum(sizes + 1)
    total = int(ends[-1]) if len(ends) else 0
    cuts = np.searchsorted(ends, [total * job // num_jobs for job in range(1, num_jobs)])
    bounds = [0, *cuts.tolist(), len(sizes)]
    return [(begin, end) for begin, end in pairwise(bounds) if begin < end]
