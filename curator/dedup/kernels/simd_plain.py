"""What the vector instructions of `simd.py` do, in plain Python: the tests compare the two bit by bit."""

import hashlib

import numpy as np

from curator.dedup.kernels.pointers import Bytes, U32s

_BLOCK = 64


def lower_block(source: Bytes, at: int, target: Bytes, to: int) -> int:
    """Copy 64 bytes with A-Z made lower case; return which of them are beyond ASCII, the first the lowest bit."""
    foreign = 0
    for place in range(_BLOCK):
        byte = int(source[at + place])
        target[to + place] = byte + 32 if 65 <= byte <= 90 else byte
        foreign |= (byte >= 128) << place
    return foreign


def word_mask(data: Bytes, at: int) -> int:
    """Return which of 64 lower-case bytes belong to words, the first the lowest bit."""
    block = [int(byte) for byte in data[at : at + _BLOCK]]
    is_word = [97 <= byte <= 122 or 48 <= byte <= 57 or byte >= 128 for byte in block]
    return sum(bit << place for place, bit in enumerate(is_word))


def lower_minima(mixed: U32s, count: int, factors: U32s, offsets: U32s, at: int, minima: U32s) -> None:
    """Fold the first `count` shingles into 64 minima."""
    for shingle in mixed[:count].tolist():
        for place in range(64):
            permuted = (int(factors[at + place]) * shingle + int(offsets[at + place])) % (1 << 32)
            minima[place] = min(int(minima[place]), permuted)


def count_equal(data: Bytes, at: int, other: int) -> int:
    """Return in how many of 64 bytes data[at:] and data[other:] agree."""
    return int(np.count_nonzero(data[at : at + _BLOCK] == data[other : other + _BLOCK]))


def sha1_first_words(messages: list[bytes], digests: U32s, at: int) -> None:
    """Write the first big-endian word of the SHA-1 digest of each message."""
    for lane, message in enumerate(messages):
        digest = hashlib.sha1(message, usedforsecurity=False).digest()
        digests[at + lane] = int.from_bytes(digest[:4], "big")
