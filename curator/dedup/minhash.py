"""MinHash signatures: permutations, and the numpy form of signing.

A signature holds, for each permutation k, the minimum over the shingles x of `a[k] * x + b[k]` modulo 2**32. The
permutations are those of datasketch 2.0's default scheme (affine32): a is odd, so each is a bijection, and x is mixed
by the MurmurHash3 finaliser beforehand.
"""

import numpy as np
from numpy.typing import NDArray

from curator.dedup.hashing import U64
from curator.dedup.shingles import Ragged

U32 = NDArray[np.uint32]
U16 = NDArray[np.uint16]

NUM_PERM = 64
EMPTY = 0xFFFFFFFF


def draw_permutations(num_perm: int = NUM_PERM, seed: int = 1) -> tuple[U32, U32]:
    """Return the factors `a` (odd) and offsets `b`, each (num_perm,) uint32, as datasketch draws them."""
    generator = np.random.RandomState(seed)
    factors = generator.randint(0, 1 << 31, num_perm, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    return factors, generator.randint(0, 1 << 32, num_perm, dtype=np.uint32)


def mix_hashes(hashes: U64 | U32) -> U32:
    """Return the low 32 bits of each hash, mixed by the MurmurHash3 finaliser."""
    mixed = hashes.astype(np.uint32)
    mixed ^= mixed >> np.uint32(16)
    mixed *= np.uint32(0x85EBCA6B)
    mixed ^= mixed >> np.uint32(13)
    mixed *= np.uint32(0xC2B2AE35)
    return mixed ^ (mixed >> np.uint32(16))


def sign_rows(shingles: Ragged, num_perm: int = NUM_PERM, seed: int = 1) -> U32:
    """Return the signatures, (num_rows, num_perm) uint32; a row without shingles is all `EMPTY`."""
    signatures = np.full((len(shingles.offsets) - 1, num_perm), EMPTY, dtype=np.uint32)
    filled = np.flatnonzero(shingles.counts())
    if not filled.size:
        return signatures
    starts = shingles.offsets[:-1][filled]
    mixed = mix_hashes(shingles.values)
    for at, (factor, offset) in enumerate(zip(*draw_permutations(num_perm, seed), strict=True)):
        signatures[filled, at] = np.minimum.reduceat(mixed * factor + offset, starts)
    return signatures


def narrow_signatures(signatures: U32) -> U16:
    """Return the low 16 bits of each value: what is kept and compared.

    Two different shingles agree in them once in 65,536 times, which costs a needless verification and nothing else.
    """
    return signatures.astype(np.uint16)
