"""New signatures against stored ones, on compiled kernels."""

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curator.dedup.bands import SPREAD, Bands, band_keys
from curator.dedup.hashing import U64
from curator.dedup.minhash import NUM_PERM, U16
from curator.dedup.native import load_kernels
from curator.dedup.workspace import BucketSpace, Workers, share_rows

_FIRST_CAPACITY = 1 << 14
_MIN_FILTER_BITS, _BITS_A_KEY = 16, 16
_FREE = np.uint64(0xFFFFFFFFFFFFFFFF)


def probe_buckets(old: U16, new: U16, bands: Bands, least: int) -> U64:
    """Return the pairs (old row << 32 | new row) that share a band and agree in enough values, some of them twice."""
    kernels = load_kernels()
    keys = band_keys(new, bands)
    rows = np.arange(len(new), dtype=np.uint32)
    spaces = [BucketSpace(len(new), len(new)) for _ in range(bands.count)]
    for band, space in enumerate(spaces):
        space.slots.fill(_FREE)
        kernels.call(
            "chain_rows",
            *(keys, len(new), band, rows, len(new)),
            *(space.slots, len(space.slots) - 1, space.previous, space.depth, space.meetings),
        )
    slots = np.concatenate([space.slots for space in spaces])
    previous = np.concatenate([space.previous[: len(new)] for space in spaces])
    depth = np.concatenate([space.depth[: len(new)] for space in spaces])

    firsts = _set_bits(new[:, : bands.count * bands.width : bands.width].T, 16)
    filter_bits = _MIN_FILTER_BITS
    while 1 << filter_bits < _BITS_A_KEY * len(new):
        filter_bits += 1
    filters = _set_bits((keys.astype(np.uint64) * np.uint64(SPREAD)) >> np.uint64(64 - filter_bits), filter_bits)

    def probe(_space: None, job: tuple[int, int]) -> U64:
        codes = np.empty(_FIRST_CAPACITY, dtype=np.uint64)
        while True:
            count = kernels.call(
                "probe_buckets",
                *(old, *job, new, len(new), bands.count, bands.width),
                *(slots, len(spaces[0].slots), previous, depth, firsts, filters, filter_bits, least, codes, len(codes)),
            )
            if count <= len(codes):
                return codes[:count].copy()
            codes = np.empty(count, dtype=np.uint64)

    num_threads = os.cpu_count() or 1
    workers: Workers[None] = Workers(num_threads, lambda: None)
    sizes = np.full(len(old), NUM_PERM, dtype=np.int64)
    return np.concatenate(workers.run(probe, share_rows(sizes, num_threads)))


def _set_bits(places: NDArray[Any], bits: int) -> NDArray[np.uint8]:
    """Return one bitmap a row of places, 2**bits bits in which they are set."""
    is_set = np.zeros((len(places), 1 << bits), dtype=np.uint8)
    is_set[np.arange(len(places))[:, None], places.astype(np.int64)] = 1
    return np.packbits(is_set, axis=1, bitorder="little")
