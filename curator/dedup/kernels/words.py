"""Texts to words: fold to lower case, find the word edges, hash the words.

The scratch memory of a text holds its folded bytes followed by `PADDING` zeros, so that blocks can be read whole.
"""

import numpy as np

from curator.dedup.hashing import CHUNK_FACTOR
from curator.dedup.kernels.jit import jit
from curator.dedup.kernels.pointers import Bytes, I32s, U32s, U64s
from curator.dedup.kernels.simd import (
    HAS_COMPRESS,
    bytes_at,
    count_set_bits,
    count_trailing_zeros,
    hash_eight,
    list_set_bits,
    load_u64,
    lower_block,
    word_mask,
)
from curator.dedup.unicode_table import (
    CLASS_IGNORED,
    CLASS_SEPARATOR,
    CLASS_SHIFT,
    CLASS_SINGLE,
    CLASS_SPELLED,
    CLASS_WORD,
    EMOJI_HIGH,
    EMOJI_LOW,
    SPELLED_BITS,
)

PADDING = 128
BLOCK = 64
COMPLEX = -1
MASKS_NUMBERS, BY_CHARACTER = 1, 2

_PAGE = 4096
# Words that are hashed at once.
_GROUP = 8
_HIGH_BITS = np.uint64(0x8080808080808080)

_CHUNK_FACTOR = np.uint64(CHUNK_FACTOR)
_ALL_ONES = np.uint64(0xFFFFFFFFFFFFFFFF)
_ONE = np.uint64(1)
_HALF = np.uint64(32)
_TOP = np.uint64(63)
_ZERO = np.uint64(0)
_CODE_MASK = np.uint32((1 << CLASS_SHIFT) - 1)
_SPELLED_MASK = np.uint32((1 << SPELLED_BITS) - 1)
_SPELLED_SHIFT = np.uint32(SPELLED_BITS)
_NOTHING = np.uint32(0)


@jit
def fold_text(address: int, size: int, table: U32s, options: int, scratch: Bytes) -> int:
    """Write the folded text at an address to scratch and return its size, or `COMPLEX` when Python must fold it.

    A negative size marks a text that is canonical already, so that only its numbers may have to be masked. Scratch must
    hold 2 * size + 2 * PADDING bytes. The last block is read whole where that stays within a page of
    memory, as what lies behind the text can then be read.
    """
    is_canonical = size < 0
    size = abs(size)
    source = bytes_at(np.uint64(address))
    foreign = _ZERO
    at = 0
    while at + BLOCK <= size:
        foreign |= lower_block(source, at, scratch, at)
        at += BLOCK
    if at < size:
        if (address + at) & (_PAGE - 1) <= _PAGE - BLOCK:
            unused = np.uint64(BLOCK - (size - at))
            foreign |= lower_block(source, at, scratch, at) << unused
        else:
            while at < size:
                byte = source[at]
                foreign |= np.uint64(byte >> 7)
                scratch[at] = byte | 0x20 if 65 <= byte <= 90 else byte
                at += 1
    if foreign != _ZERO and not is_canonical:
        size = fold_unicode(source, size, table, scratch)
        if size < 0:
            return COMPLEX
    if options & MASKS_NUMBERS:
        size = collapse_digits(scratch, size)
    for pad in range(PADDING):
        scratch[size + pad] = 0
    return size


@jit
def fold_unicode(source: Bytes, size: int, table: U32s, scratch: Bytes) -> int:
    """Like `fold_text` for a text beyond ASCII: each such character by itself, from the table; runs of others at once."""
    at = 0
    to = 0
    while at < size:
        if at + BLOCK <= size and load_u64(source, at) & _HIGH_BITS == _ZERO:
            run = count_trailing_zeros(lower_block(source, at, scratch, to))
            at += run
            to += run
            continue
        first = source[at]
        if first < 0x80:
            scratch[to] = first | 0x20 if 65 <= first <= 90 else first
            at += 1
            to += 1
            continue
        if first < 0xE0:
            code = np.uint32(((first & 0x1F) << 6) | (source[at + 1] & 0x3F))
            at += 2
        elif first < 0xF0:
            code = np.uint32(((first & 0x0F) << 12) | ((source[at + 1] & 0x3F) << 6) | (source[at + 2] & 0x3F))
            at += 3
        else:
            code = np.uint32(
                ((first & 0x07) << 18)
                | ((source[at + 1] & 0x3F) << 12)
                | ((source[at + 2] & 0x3F) << 6)
                | (source[at + 3] & 0x3F)
            )
            at += 4
            if not EMOJI_LOW <= code <= EMOJI_HIGH:
                return COMPLEX
            scratch[to] = 0x20
            to += 1
            continue
        to = _write_entry(table[code], scratch, to)
        if to < 0:
            return COMPLEX
    return to


@jit
def _write_entry(entry: np.uint32, scratch: Bytes, to: int) -> int:
    """Write what a character folds to and return the place after it, or `COMPLEX`."""
    kind = entry >> np.uint32(CLASS_SHIFT)
    if kind == CLASS_SEPARATOR:
        scratch[to] = 0x20
        return to + 1
    if kind == CLASS_WORD:
        return _write_character(entry & _CODE_MASK, scratch, to)
    if kind == CLASS_SINGLE:
        scratch[to] = 0x20
        to = _write_character(entry & _CODE_MASK, scratch, to + 1)
        scratch[to] = 0x20
        return to + 1
    if kind == CLASS_SPELLED:
        spelled = entry & _CODE_MASK
        while spelled != _NOTHING:
            scratch[to] = spelled & _SPELLED_MASK
            spelled >>= _SPELLED_SHIFT
            to += 1
        return to
    return to if kind == CLASS_IGNORED else COMPLEX


@jit
def _write_character(code: np.uint32, scratch: Bytes, to: int) -> int:
    """Write a code point below 65,536 as UTF-8 and return the place after it."""
    if code < 0x80:
        scratch[to] = code
        return to + 1
    if code < 0x800:
        scratch[to] = 0xC0 | (code >> 6)
        scratch[to + 1] = 0x80 | (code & 0x3F)
        return to + 2
    scratch[to] = 0xE0 | (code >> 12)
    scratch[to + 1] = 0x80 | ((code >> 6) & 0x3F)
    scratch[to + 2] = 0x80 | (code & 0x3F)
    return to + 3


@jit
def collapse_digits(scratch: Bytes, size: int) -> int:
    """Write each run of digits as a single 0, in place, and return the new size."""
    to = 0
    was_digit = False
    for at in range(size):
        byte = scratch[at]
        is_digit = 48 <= byte <= 57
        if not is_digit:
            scratch[to] = byte
            to += 1
        elif not was_digit:
            scratch[to] = 48
            to += 1
        was_digit = is_digit
    return to


@jit
def find_edges(scratch: Bytes, size: int, edges: I32s) -> int:
    """Write where words start and end, alternating, and return the number of words.

    Edges must hold size + 2 * BLOCK entries: places are written several at a time without asking whether they are there,
    which is faster than a branch that is hard to foresee.
    """
    count = 0
    carry = _ZERO
    at = 0
    while at <= size:
        inside = word_mask(scratch, at)
        change = inside ^ ((inside << _ONE) | carry)
        carry = inside >> _TOP
        count = _list_bits(change, at, edges, count)
        at += BLOCK
    for pad in range(_GROUP * 2):
        edges[count + pad] = 0
    return count >> 1


@jit
def _list_bits(bits: np.uint64, start: int, places: I32s, count: int) -> int:
    """Write start + place of each set bit behind the first `count` places; return how many there are now."""
    if HAS_COMPRESS:
        number: int = list_set_bits(bits, start, places, count)
        return count + number
    to = count
    count += count_set_bits(bits)
    while to < count:
        for place in range(8):
            places[to + place] = np.int32(start + count_trailing_zeros(bits))
            bits &= bits - _ONE
        to += 8
    return count


@jit
def hash_words(scratch: Bytes, edges: I32s, count: int, hashes: U64s) -> None:
    """Write the hash of each word; see `curator.dedup.hashing`.

    Which words are longer than eight bytes is hard to foresee, so that all are first hashed without asking, as far as
    eight bytes go; the long ones are listed behind the edges, and finished after that.
    """
    listed = 2 * count + 2 * _GROUP
    end = listed
    for first in range(0, count, BLOCK):
        is_long = _ZERO
        for group in range(first, min(first + BLOCK, count), _GROUP):
            is_long |= hash_eight(scratch, edges, group, hashes) << np.uint64(group - first)
        end = _list_bits(is_long, first, edges, end)
    for at in range(listed, end):
        word = np.int64(edges[at])
        start = np.int64(edges[2 * word]) + 8
        size = np.int64(edges[2 * word + 1]) - start
        value = hashes[word]
        while size > 8:
            value = (value ^ load_u64(scratch, start)) * _CHUNK_FACTOR
            value ^= value >> _HALF
            start += 8
            size -= 8
        chunk = load_u64(scratch, start) & (_ALL_ONES >> np.uint64(64 - 8 * size))
        value = (value ^ chunk) * _CHUNK_FACTOR
        hashes[word] = value ^ (value >> _HALF)


@jit
def find_characters(scratch: Bytes, size: int, edges: I32s) -> int:
    """Like `find_edges`, but every character is a word."""
    count = 0
    for at in range(size):
        if scratch[at] & 0xC0 != 0x80:
            if count > 0:
                edges[2 * count - 1] = np.int32(at)
            edges[2 * count] = np.int32(at)
            count += 1
    if count > 0:
        edges[2 * count - 1] = np.int32(size)
    for pad in range(_GROUP * 2):
        edges[2 * count + pad] = 0
    return count


@jit
def tokenize(address: int, size: int, table: U32s, options: int, scratch: Bytes, edges: I32s, hashes: U64s) -> int:
    """Write the token hashes of the text at an address and return their number, or `COMPLEX`.

    Options are bits: `MASKS_NUMBERS`, and `BY_CHARACTER` to take characters for words (the text must be canonical).
    """
    size = fold_text(address, size, table, options, scratch)
    if size < 0:
        return COMPLEX
    count = find_characters(scratch, size, edges) if options & BY_CHARACTER else find_edges(scratch, size, edges)
    hash_words(scratch, edges, count, hashes)
    return count
