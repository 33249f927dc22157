"""How words, shingles and whole texts become 64-bit numbers: constants and the numpy form.

All arithmetic is modulo 2**64. A word is hashed eight bytes at a time, so that most words cost one multiplication:

    hash = length * LENGTH_FACTOR
    for each 8-byte little-endian chunk (the last one padded with zeros):
        hash = (hash ^ chunk) * CHUNK_FACTOR
        hash ^= hash >> 32

A run of words is the sum of its word hashes, each rotated by `WORD_ROTATION` bits for every word that follows it, then
mixed by `finish`. The compiled kernels do the same arithmetic; tests compare the two bit by bit.
"""

from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

U64 = NDArray[np.uint64]
I64 = NDArray[np.int64]

# Odd constants: 2**64 / golden ratio, and two of the multipliers found for the SplitMix64 and MurmurHash3 finalisers.
LENGTH_FACTOR = 0x9E3779B97F4A7C15
CHUNK_FACTOR = 0xBF58476D1CE4E5B9
FINISH_FACTOR = 0xFF51AFD7ED558CCD
# Odd, so that the places of a run of up to 64 words are all rotated differently.
WORD_ROTATION = 19

_SPACE = 0x20
_CHUNK_BYTES = 8


def finish(values: U64) -> U64:
    """Return the values mixed so that every input bit reaches the low and the high half."""
    values = values ^ (values >> np.uint64(32))
    values = values * np.uint64(FINISH_FACTOR)
    return values ^ (values >> np.uint64(29))


def hash_words(words: Sequence[str]) -> U64:
    """Return the hash of each word, in order; shape (len(words),) uint64."""
    if not words:
        return np.empty(0, dtype=np.uint64)
    encoded = (" ".join(words) + " " * (2 * _CHUNK_BYTES)).encode()
    data = np.frombuffer(encoded, dtype=np.uint8)
    ends = np.flatnonzero(data == _SPACE)[: len(words)]
    starts = np.concatenate((np.zeros(1, dtype=np.int64), ends[:-1] + 1))
    return _hash_slices(data, starts, ends - starts)


def hash_characters(characters: str) -> U64:
    """Return the hash of each character, as if it were a word; shape (len(characters),) uint64."""
    encoded = characters.encode()
    data = np.frombuffer(encoded + b" " * (2 * _CHUNK_BYTES), dtype=np.uint8)
    is_start = (data[: len(encoded)] & 0xC0) != 0x80
    starts = np.flatnonzero(is_start)
    lengths = np.diff(np.append(starts, len(encoded)))
    return _hash_slices(data, starts, lengths)


def _hash_slices(data: NDArray[np.uint8], starts: I64, lengths: I64) -> U64:
    """Hash data[start : start + length] for each pair; the data must be readable 8 bytes past each slice."""
    chunk_at = as_strided(
        data[: len(data) - len(data) % _CHUNK_BYTES].view("<u8"),
        shape=(len(data) - _CHUNK_BYTES + 1,),
        strides=(1,),
        writeable=False,
    )
    hashes = lengths.astype(np.uint64) * np.uint64(LENGTH_FACTOR)
    active = np.arange(len(starts))
    offset = 0
    while active.size:
        left = np.minimum(lengths[active] - offset, _CHUNK_BYTES)
        unused_bits = ((_CHUNK_BYTES - left) * 8).astype(np.uint64)
        chunks = chunk_at[starts[active] + offset] & (np.uint64(0xFFFFFFFFFFFFFFFF) >> unused_bits)
        mixed = (hashes[active] ^ chunks) * np.uint64(CHUNK_FACTOR)
        hashes[active] = mixed ^ (mixed >> np.uint64(32))
        offset += _CHUNK_BYTES
        active = active[lengths[active] > offset]
    return hashes


def fold_runs(hashes: U64, starts: I64, lengths: I64) -> U64:
    """Return the unfinished hash of each run hashes[start : start + length]."""
    folded = np.zeros(len(starts), dtype=np.uint64)
    active = np.argsort(-lengths, kind="stable")
    for step in range(int(lengths.max(initial=0))):
        active = active[: int(np.searchsorted(-lengths[active], -step, side="left"))]
        bits = ((lengths[active] - 1 - step) * WORD_ROTATION % 64).astype(np.uint64)
        folded[active] += _rotate(hashes[starts[active] + step], bits)
    return folded


def _rotate(values: U64, bits: U64) -> U64:
    return (values << bits) | (values >> ((np.uint64(64) - bits) & np.uint64(63)))
