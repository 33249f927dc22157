"""Token hashes to shingle hashes; the arithmetic is that of `curator.dedup.hashing`."""

import numpy as np

from curator.dedup.hashing import FINISH_FACTOR, WORD_ROTATION
from curator.dedup.kernels.jit import jit
from curator.dedup.kernels.pointers import U32s, U64s
from curator.dedup.kernels.simd import mix_fives, shingle_fives

_WIDTH = np.uint64(64)
_LAST_BIT = np.uint64(63)
_FINISH_FACTOR = np.uint64(FINISH_FACTOR)
_ZERO = np.uint64(0)
_HALF = np.uint64(32)
_LAST = np.uint64(29)
_LOW_HALF = np.uint64(0xFFFFFFFF)


@jit
def finish(value: np.uint64) -> np.uint64:
    """Return the value mixed so that every input bit reaches the low and the high half."""
    value ^= value >> _HALF
    value *= _FINISH_FACTOR
    return value ^ (value >> _LAST)


@jit
def rotate(value: np.uint64, words: int) -> np.uint64:
    """Return a word hash rotated for the number of words that follow it."""
    bits = np.uint64(words * WORD_ROTATION % 64)
    return (value << bits) | (value >> ((_WIDTH - bits) & _LAST_BIT))


@jit
def shingle_tokens(hashes: U64s, count: int, ngram: int, shingles: U64s) -> int:
    """Write the hash of each run of `ngram` tokens (of all, if fewer) and return their number.

    Runs of five, the usual size, take one pass of vector instructions. Other sizes go token by token over all runs,
    rather than run by run: loops that become vector code. Hashes must hold 11 entries more than there are runs, and
    shingles 7.
    """
    if count == 0:
        return 0
    size = min(count, ngram)
    total = count - size + 1
    if size == 5:
        shingle_fives(hashes, total, shingles)
        return total
    for at in range(total):
        shingles[at] = _ZERO
    for step in range(size):
        for at in range(total):
            shingles[at] += rotate(hashes[at + step], size - 1 - step)
    for at in range(total):
        shingles[at] = finish(shingles[at])
    return total


@jit
def shingle_and_mix(hashes: U64s, count: int, ngram: int, shingles: U64s, mixed: U32s) -> np.uint64:
    """Do as `shingle_tokens` and `mix_hashes`, and return what `hash_stream` returns."""
    if ngram == 5 and count >= 5:
        return finish(mix_fives(hashes, count - 4, shingles, mixed))
    count = shingle_tokens(hashes, count, ngram, shingles)
    mix_hashes(shingles, count, mixed)
    return hash_stream(shingles, count)


@jit
def num_shingles(count: int, ngram: int) -> int:
    """Return how many shingles so many tokens make."""
    return count - min(count, ngram) + 1 if count > 0 else 0


@jit
def hash_stream(shingles: U64s, count: int) -> np.uint64:
    """Return one hash over all shingles in order, 0 for none."""
    total = _ZERO
    for at in range(count):
        total += shingles[at] * np.uint64(2 * at + 1)
    return finish(total) if count > 0 else _ZERO


@jit
def is_listed(value: np.uint64, table: U64s, mask: int) -> bool:
    """Return whether an open-addressing table of mask + 1 places (0: free) holds the value."""
    place = np.int64(value & np.uint64(mask))
    while table[place] != _ZERO:
        if table[place] == value:
            return True
        place = (place + 1) & mask
    return False


@jit
def drop_listed(shingles: U64s, count: int, table: U64s, mask: int) -> int:
    """Move the shingles that are not in the table to the front and return their number.

    If all are in it, they stay: a text made of boilerplate is still a text.
    """
    kept = 0
    for at in range(count):
        if not is_listed(shingles[at], table, mask):
            shingles[kept] = shingles[at]
            kept += 1
    return kept if kept > 0 else count


@jit
def mix_hashes(shingles: U64s, count: int, mixed: U32s) -> None:
    """Write the low half of each hash, mixed by the MurmurHash3 finaliser."""
    for at in range(count):
        value = np.uint32(shingles[at] & _LOW_HALF)
        value ^= value >> np.uint32(16)
        value = np.uint32(value * np.uint32(0x85EBCA6B))
        value ^= value >> np.uint32(13)
        value = np.uint32(value * np.uint32(0xC2B2AE35))
        mixed[at] = value ^ (value >> np.uint32(16))
