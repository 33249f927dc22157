"""Ids as the machine makes them: blake2b-128 (RFC 7693) of length-prefixed parts, as `schemas.identity.make_id`.

In the machine because a million rows need two million of them, and hashlib takes the interpreter's lock for each.

A digest under way is `words` (eight of state, the bytes so far, the bytes in the block) and `block` (128 bytes).
Counts are signed before they meet other integers: to numba, signed and unsigned make a float.
"""

import numpy as np

from schemas.identity import ID_BYTES
from sources.synthetic.kernel_output import U8, U64, jit

# Cells of `words` behind the state.
_SIZE, _FILL = 8, 9
WORDS = 10
BLOCK_BYTES = 128

_IV = np.array(
    [
        0x6A09E667F3BCC908, 0xBB67AE8584CAA73B, 0x3C6EF372FE94F82B, 0xA54FF53A5F1D36F1,
        0x510E527FADE682D1, 0x9B05688C2B3E6C1F, 0x1F83D9ABFB41BD6B, 0x5BE0CD19137E2179,
    ],
    dtype=np.uint64,
)  # fmt: skip
# No key, no tree, digests of ID_BYTES.
_PARAMETERS = np.uint64(0x01010000 + ID_BYTES)
_ROUNDS = 12
# Which word of the block each step of a round takes; rounds 11 and 12 begin anew.
_ORDER = np.array(
    [
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
        14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3,
        11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4,
        7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8,
        9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13,
        2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9,
        12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11,
        13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10,
        6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5,
        10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0,
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
        14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3,
    ],
    dtype=np.int64,
)  # fmt: skip


@jit
def _turn(word: np.uint64, bits: int) -> np.uint64:
    """Gives the word rotated to the right."""
    return np.uint64((word >> np.uint64(bits)) | (word << np.uint64(64 - bits)))


@jit
def _mix(
    a: np.uint64, b: np.uint64, c: np.uint64, d: np.uint64, x: np.uint64, y: np.uint64
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    a = np.uint64(a + b + x)
    d = _turn(d ^ a, 32)
    c = np.uint64(c + d)
    b = _turn(b ^ c, 24)
    a = np.uint64(a + b + y)
    d = _turn(d ^ a, 16)
    c = np.uint64(c + d)
    return a, _turn(b ^ c, 63), c, d


@jit
def _word(block: U8, number: int) -> np.uint64:
    word = np.uint64(0)
    for place in range(8):
        word |= np.uint64(block[8 * number + place]) << np.uint64(8 * place)
    return word


@jit
def _compress(words: U64, block: U8, is_last: bool) -> None:
    v0, v1, v2, v3, v4, v5, v6, v7 = (
        words[0], words[1], words[2], words[3], words[4], words[5], words[6], words[7],
    )  # fmt: skip
    v8, v9, v10, v11, v13, v15 = _IV[0], _IV[1], _IV[2], _IV[3], _IV[5], _IV[7]
    v12 = _IV[4] ^ words[_SIZE]
    v14 = ~_IV[6] if is_last else _IV[6]
    for step in range(0, 16 * _ROUNDS, 16):
        order = _ORDER[step : step + 16]
        v0, v4, v8, v12 = _mix(v0, v4, v8, v12, _word(block, order[0]), _word(block, order[1]))
        v1, v5, v9, v13 = _mix(v1, v5, v9, v13, _word(block, order[2]), _word(block, order[3]))
        v2, v6, v10, v14 = _mix(v2, v6, v10, v14, _word(block, order[4]), _word(block, order[5]))
        v3, v7, v11, v15 = _mix(v3, v7, v11, v15, _word(block, order[6]), _word(block, order[7]))
        v0, v5, v10, v15 = _mix(v0, v5, v10, v15, _word(block, order[8]), _word(block, order[9]))
        v1, v6, v11, v12 = _mix(v1, v6, v11, v12, _word(block, order[10]), _word(block, order[11]))
        v2, v7, v8, v13 = _mix(v2, v7, v8, v13, _word(block, order[12]), _word(block, order[13]))
        v3, v4, v9, v14 = _mix(v3, v4, v9, v14, _word(block, order[14]), _word(block, order[15]))
    for place, word in enumerate((v0 ^ v8, v1 ^ v9, v2 ^ v10, v3 ^ v11, v4 ^ v12, v5 ^ v13, v6 ^ v14, v7 ^ v15)):
        words[place] ^= word


@jit
def begin_digest(words: U64) -> None:
    """Starts a digest."""
    for place in range(8):
        words[place] = _IV[place]
    words[0] ^= _PARAMETERS
    words[_SIZE] = np.uint64(0)
    words[_FILL] = np.uint64(0)


@jit
def absorb(source: U8, low: int, high: int, words: U64, block: U8) -> None:
    """Takes the bytes of a source from `low` to `high` into the digest."""
    at, fill = low, int(np.int64(words[_FILL]))
    while at < high:
        if fill == BLOCK_BYTES:
            words[_SIZE] += np.uint64(BLOCK_BYTES)
            _compress(words, block, False)
            fill = 0
        size = min(BLOCK_BYTES - fill, high - at)
        for place in range(size):
            block[fill + place] = source[at + place]
        fill += size
        at += size
    words[_FILL] = np.uint64(fill)


@jit
def end_digest(buffer: U8, pos: int, words: U64, block: U8) -> None:
    """Ends a digest and writes its 32 hex digits."""
    fill = int(np.int64(words[_FILL]))
    for place in range(fill, BLOCK_BYTES):
        block[place] = np.uint8(0)
    words[_SIZE] += np.uint64(fill)
    _compress(words, block, True)
    for place in range(ID_BYTES):
        byte = int(np.int64(words[place // 8] >> np.uint64(8 * (place % 8)))) & 255
        high, low = byte >> 4, byte & 15
        buffer[pos + 2 * place] = high + (48 if high < 10 else 87)
        buffer[pos + 2 * place + 1] = low + (48 if low < 10 else 87)
