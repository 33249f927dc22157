"""datasketch-compatible signatures on compiled kernels."""

import os

import numpy as np
import polars as pl
from numpy.typing import NDArray

from curator.dedup.addresses import TextAddresses
from curator.dedup.hashing import I64, U64
from curator.dedup.minhash import U32, draw_permutations
from curator.dedup.native import load_kernels
from curator.dedup.normalize import canonical_text
from curator.dedup.workspace import TextSpace, Workers, share_rows

_BLOCK = 64
_MESSAGE_WORDS = 16 * 16 + 80


class _Sha1Space:
    """Memory to sketch one text at a time."""

    def __init__(self, max_size_bytes: int) -> None:
        self.text = TextSpace(max_size_bytes)
        self.canonical = np.empty(len(self.text.scratch), dtype=np.uint8)
        self.message = np.empty(_MESSAGE_WORDS, dtype=np.uint32)


def sketch_compiled(
    texts: pl.Series, num_perm: int, seed: int, ngram: int, *, mask_numbers: bool, num_threads: int | None
) -> U32:
    """Return the signatures, (len(texts), num_perm) uint32; see `sketch_texts`."""
    located = TextAddresses(texts)
    factors, offsets = draw_permutations(num_perm, seed)
    padded = -num_perm % _BLOCK
    permutations = (np.pad(factors, (0, padded)), np.pad(offsets, (0, padded)))
    threads = num_threads or os.cpu_count() or 1
    signatures, is_complex = _run(located.addresses, located.marked_sizes, permutations, ngram, mask_numbers, threads)
    rows = np.flatnonzero(is_complex)
    if rows.size:
        located.replace(rows, [canonical_text(text) for text in texts.gather(pl.Series(rows))])
        part = located.addresses[rows], located.marked_sizes[rows]
        signatures[rows] = _run(*part, permutations, ngram, mask_numbers, threads)[0]
    return signatures[:, :num_perm]


def _run(
    addresses: U64, sizes: I64, permutations: tuple[U32, U32], ngram: int, masks_numbers: bool, num_threads: int
) -> tuple[U32, NDArray[np.uint8]]:
    kernels = load_kernels()
    num_perm = len(permutations[0])
    signatures = np.empty((len(sizes), num_perm), dtype=np.uint32)
    is_complex = np.zeros(len(sizes), dtype=np.uint8)

    def sketch(space: _Sha1Space, job: tuple[int, int]) -> None:
        text = space.text
        kernels.call(
            "sketch_sha1",
            *(addresses, sizes, *job, kernels.table, int(masks_numbers), ngram, *permutations, num_perm),
            *(text.scratch, text.edges, space.canonical, space.message, text.mixed, text.minima),
            *(is_complex, signatures),
        )

    lengths = np.abs(sizes)
    workers = Workers(num_threads, lambda: _Sha1Space(int(lengths.max(initial=0))))
    workers.run(sketch, share_rows(lengths, num_threads))
    return signatures, is_complex
