"""Signatures as datasketch 2.0 makes them, bit by bit, and its LeanMinHash in and out.

datasketch hashes the UTF-8 bytes of each shingle (words joined by single spaces) with SHA-1, takes the first four bytes
as a little-endian number, mixes it and permutes it; that is what `sketch_texts` returns, some dozens of times faster.
"""

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from curator.dedup.columns import Texts, text_series
from curator.dedup.errors import DedupError
from curator.dedup.index import wants_kernels
from curator.dedup.minhash import EMPTY, U32, draw_permutations, mix_hashes
from curator.dedup.normalize import split_words

if TYPE_CHECKING:
    from datasketch import LeanMinHash

_SCHEME = "affine32"


def sketch_texts(
    texts: Texts,
    num_perm: int = 128,
    seed: int = 1,
    ngram: int = 5,
    *,
    mask_numbers: bool = False,
    num_threads: int | None = None,
) -> U32:
    """Return the signatures datasketch 2.0 would make of the shingles, (len(texts), num_perm) uint32.

    Row i equals `MinHash(num_perm, seed)` after `update_batch` of the shingles of text i. A text without words has all
    values 2**32 - 1, like an empty MinHash.
    """
    series = text_series(texts)
    if wants_kernels(len(series)):
        from curator.dedup.native_sketches import sketch_compiled

        return sketch_compiled(series, num_perm, seed, ngram, mask_numbers=mask_numbers, num_threads=num_threads)
    factors, offsets = draw_permutations(num_perm, seed)
    signatures = np.full((len(series), num_perm), EMPTY, dtype=np.uint32)
    for row, text in enumerate(series):
        words = split_words(text, mask_numbers=mask_numbers)
        if words:
            starts = range(max(1, len(words) - ngram + 1))
            hashes = [_hash_shingle(" ".join(words[at : at + ngram])) for at in starts]
            mixed = mix_hashes(np.array(hashes, dtype=np.uint32))
            signatures[row] = (mixed[:, None] * factors + offsets).min(axis=0)
    return signatures


def _hash_shingle(shingle: str) -> int:
    digest = hashlib.sha1(shingle.encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest[:4], "little")


def export_lean(signatures: U32, seed: int = 1) -> list["LeanMinHash"]:
    """Return each signature as a datasketch LeanMinHash."""
    from datasketch import LeanMinHash

    return [LeanMinHash(seed=seed, hashvalues=row, scheme=_SCHEME) for row in signatures]


def import_lean(sketches: Sequence["LeanMinHash"], seed: int = 1) -> U32:
    """Return the signatures of LeanMinHash objects, (len(sketches), num_perm) uint32.

    Raises:
        DedupError: They were not all made with the same seed, number of permutations and scheme affine32.
    """
    kinds = {(sketch.seed, len(sketch), sketch.scheme) for sketch in sketches}
    if any(kind[0] != seed or kind[2] != _SCHEME for kind in kinds) or len(kinds) > 1:
        raise DedupError(
            f"LeanMinHash: expected seed {seed}, scheme {_SCHEME} and one length, found {sorted(kinds)}",
            "sketch the texts anew with datasketch 2.0's defaults",
        )
    return np.array([sketch.hashvalues for sketch in sketches], dtype=np.uint32)
