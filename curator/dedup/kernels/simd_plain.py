"""What the vector instructions of `simd.py` do, in plain Python: the tests compare the two bit by bit."""

import hashlib

import numpy as np

from curator.dedup.hashing import CHUNK_FACTOR, FINISH_FACTOR, LENGTH_FACTOR, WORD_ROTATION
from curator.dedup.kernels.pointers import Bytes, I32s, U32s, U64s

_BLOCK = 64
_ALL = (1 << 64) - 1


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


def list_set_bits(bits: int, start: int, places: I32s, at: int) -> int:
    """Write start + place of each set bit; return how many there are."""
    found = [start + place for place in range(64) if bits >> place & 1]
    places[at : at + len(found)] = found
    return len(found)


def hash_eight(text: Bytes, edges: I32s, word: int, hashes: U64s) -> int:
    """Hash eight words, as far as eight bytes go; return which of them are longer, the first the lowest bit."""
    is_long = 0
    for lane in range(8):
        start, end = edges[2 * (word + lane) : 2 * (word + lane) + 2].tolist()
        chunk = int.from_bytes(text[start : min(end, start + 8)].tobytes(), "little")
        value = (((end - start) * LENGTH_FACTOR & _ALL) ^ chunk) * CHUNK_FACTOR & _ALL
        hashes[word + lane] = value ^ (value >> 32)
        is_long |= (end - start > 8) << lane
    return is_long


def mix_fives(hashes: U64s, count: int, shingles: U64s, mixed: U32s) -> int:
    """Hash runs of five words, mix the low half of each hash, and return their sum, weighted by 1, 3, 5..."""
    total = 0
    for at in range(count):
        run = sum(_rotate(int(hashes[at + step]), WORD_ROTATION * (4 - step) % 64) for step in range(5)) & _ALL
        run = (run ^ (run >> 32)) * FINISH_FACTOR & _ALL
        run ^= run >> 29
        half = run & 0xFFFFFFFF
        for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
            half = (half ^ (half >> shift)) * factor & 0xFFFFFFFF
        shingles[at], mixed[at] = run, half ^ (half >> 16)
        total += run * (2 * at + 1)
    return total & _ALL


def _rotate(value: int, bits: int) -> int:
    return (value << bits | value >> (64 - bits)) & _ALL


def sha1_first_words(messages: list[bytes], digests: U32s, at: int) -> None:
    """Write the first big-endian word of the SHA-1 digest of each message."""
    for lane, message in enumerate(messages):
        digest = hashlib.sha1(message, usedforsecurity=False).digest()
        digests[at + lane] = int.from_bytes(digest[:4], "big")
