"""The vector instructions against their plain twins, bit by bit."""

import ctypes

import numba
import numpy as np
import pytest
from numba import types

from curator.dedup.kernels import sha1, simd, simd_plain

GENERATOR = np.random.default_rng(5)


def compile_entry(function, *parameters):
    """The function as one that takes addresses and integers."""
    entry = numba.cfunc(types.int64(*parameters))(function)
    kinds = [ctypes.c_void_p if isinstance(kind, types.CPointer) else ctypes.c_int64 for kind in parameters]
    call = ctypes.CFUNCTYPE(ctypes.c_int64, *kinds)(entry.address)
    return lambda *arguments: (
        call(*(a.ctypes.data if isinstance(a, np.ndarray) else a for a in arguments)) & 0xFFFFFFFFFFFFFFFF,
        entry,
    )[0]


def random_bytes(size: int) -> np.ndarray:
    return GENERATOR.integers(0, 256, size).astype(np.uint8)


BYTES, I32S, U32S, U64S, INT = simd.BYTES, simd.I32S, simd.U32S, simd.U64S, types.int64


def test_lower_block():
    def entry(source, at, target, to):
        return types.int64(simd.lower_block(source, at, target, to))

    run = compile_entry(entry, BYTES, INT, BYTES, INT)
    for at in range(40):
        source, ours, theirs = random_bytes(128), np.zeros(80, np.uint8), np.zeros(80, np.uint8)
        if at % 2:
            source &= 0x7F
        assert run(source, at, ours, 7) == simd_plain.lower_block(source, at, theirs, 7)
        assert (ours == theirs).all()


def test_word_mask_and_bit_counts():
    def mask(data, at):
        return types.int64(simd.word_mask(data, at))

    def count(data, at):
        bits = simd.load_u64(data, at)
        return simd.count_set_bits(bits) * 100 + simd.count_trailing_zeros(bits)

    def swap(data, at):
        return types.int64(simd.swap_bytes(simd.load_u64(data, at)))

    run_mask, run_count, run_swap = (compile_entry(each, BYTES, INT) for each in (mask, count, swap))
    data = np.concatenate((np.arange(256, dtype=np.uint8), random_bytes(256), np.zeros(16, np.uint8)))
    for at in range(440):
        assert run_mask(data, at) == simd_plain.word_mask(data, at)
        value = int.from_bytes(data[at : at + 8].tobytes(), "little")
        assert run_count(data, at) == value.bit_count() * 100 + (value & -value).bit_length() - 1
        assert run_swap(data, at) == int.from_bytes(data[at : at + 8].tobytes(), "big")


def test_list_set_bits():
    def entry(bits, start, places, at):
        return simd.list_set_bits(types.uint64(bits), start, places, at)

    run = compile_entry(entry, INT, INT, I32S, INT)
    for case in range(200):
        chosen = [0, (1 << 64) - 1, 1, 1 << 63][case] if case < 4 else int(GENERATOR.integers(0, 1 << 63)) << case % 2
        ours, theirs = np.zeros(100, np.int32), np.zeros(100, np.int32)
        count = simd_plain.list_set_bits(chosen, 1000 * case, theirs, 5)
        assert run(chosen - (1 << 64) if chosen >> 63 else chosen, 1000 * case, ours, 5) == count == chosen.bit_count()
        assert (ours[: 5 + count] == theirs[: 5 + count]).all()
        assert not ours[5 + count + 15 :].any()


def test_hash_eight():
    def entry(text, edges, word, hashes):
        return types.int64(simd.hash_eight(text, edges, word, hashes))

    run = compile_entry(entry, BYTES, I32S, INT, U64S)
    text = random_bytes(600)
    for case in range(50):
        starts = np.sort(GENERATOR.integers(0, 500, 12))
        sizes = GENERATOR.integers(1, 10 if case % 2 else 30, 12)
        edges = np.stack((starts, starts + sizes), axis=1).ravel().astype(np.int32)
        ours, theirs = np.zeros(12, np.uint64), np.zeros(12, np.uint64)
        assert run(text, edges, 3, ours) == simd_plain.hash_eight(text, edges, 3, theirs)
        assert (ours == theirs).all()
    run(text, np.zeros(32, np.int32), 3, ours)  # Behind the last word: nothing is read beyond the text.


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 16, 100])
def test_fives(count):
    def mix(hashes, number, shingles, mixed):
        return types.int64(simd.mix_fives(hashes, number, shingles, mixed))

    def shingle(hashes, number, shingles):
        return types.int64(simd.shingle_fives(hashes, number, shingles))

    run_mix, run_shingle = compile_entry(mix, U64S, INT, U64S, U32S), compile_entry(shingle, U64S, INT, U64S)
    hashes = GENERATOR.integers(0, 1 << 64, count + 12, dtype=np.uint64)
    (ours, mixed), (theirs, other), alone = (
        (np.zeros(count + 8, np.uint64), np.zeros(count + 8, np.uint32)) for _ in range(3)
    )
    total = simd_plain.mix_fives(hashes, count, theirs, other)
    assert run_mix(hashes, count, ours, mixed) == run_shingle(hashes, count, alone[0]) == total
    for found, wanted in ((ours, theirs), (mixed, other), (alone[0], theirs)):
        assert (found[:count] == wanted[:count]).all()


@pytest.mark.parametrize("count", [0, 1, 2, 7, 100])
def test_lower_minima(count):
    def entry(mixed, number, factors, offsets, at, minima):
        return simd.lower_minima(mixed, number, factors, offsets, at, minima)

    run = compile_entry(entry, U32S, INT, U32S, U32S, INT, U32S)
    mixed, factors, offsets = (GENERATOR.integers(0, 1 << 32, 128).astype(np.uint32) for _ in range(3))
    ours = GENERATOR.integers(1 << 31, 1 << 32, 64).astype(np.uint32)
    theirs = ours.copy()
    run(mixed, count, factors, offsets, 64, ours)
    simd_plain.lower_minima(mixed, count, factors, offsets, 64, theirs)
    assert (ours == theirs).all()


def test_count_equal():
    def entry(data, at, other):
        return simd.count_equal(data, at, other)

    run = compile_entry(entry, BYTES, INT, INT)
    data = GENERATOR.integers(0, 3, 400).astype(np.uint8)
    for other in range(0, 300, 7):
        assert run(data, 3, other) == simd_plain.count_equal(data, 3, other)


def test_sha1_first_words():
    def entry(message, digests, at):
        return simd.sha1_first_words(message, digests, at)

    run = compile_entry(entry, U32S, U32S, INT)
    messages = [bytes(random_bytes(size)) for size in range(40, 56)]
    message, ours, theirs = np.zeros(336, np.uint32), np.zeros(32, np.uint32), np.zeros(32, np.uint32)
    for lane, text in enumerate(messages):
        block = text + b"\x80" + bytes(63 - len(text) - 8) + (8 * len(text)).to_bytes(8, "big")
        message[lane : 16 * sha1.LANES : 16] = np.frombuffer(block, ">u4")
    run(message, ours, 4)
    simd_plain.sha1_first_words(messages, theirs, 4)
    assert (ours == theirs).all()
