"""Signatures over SHA-1 hashes of the shingles' bytes, as datasketch makes them by default."""

import numpy as np

from curator.dedup.kernels.jit import jit
from curator.dedup.kernels.pointers import Bytes, I32s, I64s, U8s, U32s, U64s
from curator.dedup.kernels.simd import load_u64, lower_minima, sha1_first_words, swap_bytes
from curator.dedup.kernels.words import find_edges, fold_text

LANES = 16
BLOCK = 64
# A message, the byte 0x80 and its length in bits fill a block.
LONGEST_IN_BLOCK = 55

_EMPTY = np.uint32(0xFFFFFFFF)
_HALF = np.uint64(32)
_LOW_HALF = np.uint64(0xFFFFFFFF)
_ALL_ONES = np.uint64(0xFFFFFFFFFFFFFFFF)
_MARK = np.uint64(0x80)
_SCHEDULE = 16 * LANES
_H0 = np.uint32(0x67452301)
_H1 = np.uint32(0xEFCDAB89)
_H2 = np.uint32(0x98BADCFE)
_H3 = np.uint32(0x10325476)
_H4 = np.uint32(0xC3D2E1F0)


@jit
def sketch_sha1(
    addresses: U64s,
    sizes: I64s,
    begin: int,
    end: int,
    table: U32s,
    options: int,
    ngram: int,
    factors: U32s,
    offsets: U32s,
    num_perm: int,
    scratch: Bytes,
    edges: I32s,
    canonical: Bytes,
    message: U32s,
    hashes: U32s,
    minima: U32s,
    is_complex: U8s,
    signatures: U32s,
) -> None:
    """Write signatures[row * num_perm + k] of texts[begin:end]; num_perm is a multiple of 64.

    Canonical must hold as many bytes as scratch, hashes sixteen more than there are shingles, message 256 words and 80
    for the schedule of a block.
    """
    for row in range(begin, end):
        size = fold_text(addresses[row], sizes[row], table, options, scratch)
        is_complex[row] = size < 0
        if size < 0:
            continue
        count = find_edges(scratch, size, edges)
        join_words(scratch, edges, count, canonical)
        total = hash_shingles(canonical, edges, count, ngram, message, hashes)
        for start in range(0, num_perm, 64):
            for at in range(64):
                minima[at] = _EMPTY
            lower_minima(hashes, total, factors, offsets, start, minima)
            for at in range(64):
                signatures[row * num_perm + start + at] = minima[at]


@jit
def join_words(scratch: Bytes, edges: I32s, count: int, canonical: Bytes) -> None:
    """Write the words joined by single spaces, and the new edges over the old."""
    to = 0
    for word in range(count):
        start, stop = edges[2 * word], edges[2 * word + 1]
        edges[2 * word] = np.int32(to)
        for at in range(start, stop):
            canonical[to] = scratch[at]
            to += 1
        edges[2 * word + 1] = np.int32(to)
        canonical[to] = 0x20
        to += 1
    for pad in range(BLOCK):
        canonical[to + pad] = 0


@jit
def hash_shingles(canonical: Bytes, edges: I32s, count: int, ngram: int, message: U32s, hashes: U32s) -> int:
    """Write the mixed 32-bit hash of each shingle and return their number."""
    if count == 0:
        return 0
    words = min(count, ngram)
    total = count - words + 1
    for first in range(0, total, LANES):
        for lane in range(LANES):
            shingle = min(first + lane, total - 1)
            start = edges[2 * shingle]
            write_block(canonical, start, edges[2 * (shingle + words) - 1] - start, message, lane)
        sha1_first_words(message, hashes, first)
    for at in range(total):
        start = edges[2 * at]
        size = edges[2 * (at + words) - 1] - start
        if size > LONGEST_IN_BLOCK:
            hashes[at] = hash_long(canonical, start, size, message)
    for at in range(total):
        value = np.uint32(swap_bytes(np.uint64(hashes[at])) >> _HALF)
        value ^= value >> np.uint32(16)
        value = np.uint32(value * np.uint32(0x85EBCA6B))
        value ^= value >> np.uint32(13)
        value = np.uint32(value * np.uint32(0xC2B2AE35))
        hashes[at] = value ^ (value >> np.uint32(16))
    return total


@jit
def write_block(canonical: Bytes, start: int, size: int, message: U32s, lane: int) -> None:
    """Write one padded message of at most 55 bytes to a lane; a longer one is cut, and hashed anew by `hash_long`."""
    for chunk in range(7):
        left = size - 8 * chunk
        value = np.uint64(0)
        if left >= 8:
            value = load_u64(canonical, np.int64(start + 8 * chunk))
        elif left > 0:
            value = load_u64(canonical, np.int64(start + 8 * chunk)) & (_ALL_ONES >> np.uint64(64 - 8 * left))
            value |= _MARK << np.uint64(8 * left)
        elif left == 0:
            value = _MARK
        value = swap_bytes(value)
        message[32 * chunk + lane] = np.uint32(value >> _HALF)
        message[32 * chunk + 16 + lane] = np.uint32(value & _LOW_HALF)
    message[14 * 16 + lane] = np.uint32(0)
    message[15 * 16 + lane] = np.uint32(8 * size)


@jit
def hash_long(canonical: Bytes, start: int, size: int, message: U32s) -> np.uint32:
    """Return the first word of the SHA-1 digest of canonical[start : start + size], block by block."""
    h0, h1, h2, h3, h4 = _H0, _H1, _H2, _H3, _H4
    for block in range((size + 8) // BLOCK + 1):
        schedule_block(canonical, start, size, BLOCK * block, message)
        a, b, c, d, e = h0, h1, h2, h3, h4
        for step in range(80):
            choice = np.uint32(choose(step, b, c, d) + message[_SCHEDULE + step])
            new = np.uint32(np.uint32(rotate_left(a, 5) + choice) + e)
            a, b, c, d, e = new, a, rotate_left(b, 30), c, d
        h0 = np.uint32(h0 + a)
        h1 = np.uint32(h1 + b)
        h2 = np.uint32(h2 + c)
        h3 = np.uint32(h3 + d)
        h4 = np.uint32(h4 + e)
    return h0


@jit
def schedule_block(canonical: Bytes, start: int, size: int, first: int, message: U32s) -> None:
    """Write the eighty schedule words of the padded block that begins at byte `first` of the message."""
    for word in range(16):
        value = np.uint32(0)
        for at in range(first + 4 * word, first + 4 * word + 4):
            byte = np.uint32(0)
            if at < size:
                byte = np.uint32(canonical[start + at])
            elif at == size:
                byte = np.uint32(0x80)
            value = np.uint32(value << np.uint32(8)) | byte
        message[_SCHEDULE + word] = value
    if first + 56 > size:
        message[_SCHEDULE + 15] = np.uint32(8 * size)
    for at in range(_SCHEDULE + 16, _SCHEDULE + 80):
        mixed = message[at - 3] ^ message[at - 8] ^ message[at - 14] ^ message[at - 16]
        message[at] = rotate_left(mixed, 1)


@jit
def choose(step: int, b: np.uint32, c: np.uint32, d: np.uint32) -> np.uint32:
    """Return the round function of FIPS 180-4 plus its constant."""
    if step < 20:
        return np.uint32((d ^ (b & (c ^ d))) + np.uint32(0x5A827999))
    if step < 40:
        return np.uint32((b ^ c ^ d) + np.uint32(0x6ED9EBA1))
    if step < 60:
        return np.uint32(((b & c) | (d & (b | c))) + np.uint32(0x8F1BBCDC))
    return np.uint32((b ^ c ^ d) + np.uint32(0xCA62C1D6))


@jit
def rotate_left(value: np.uint32, bits: int) -> np.uint32:
    """Return a 32-bit word rotated."""
    return np.uint32(value << np.uint32(bits)) | np.uint32(value >> np.uint32(32 - bits))
