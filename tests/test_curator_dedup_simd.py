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


BYTES, U32S, INT = simd.BYTES, simd.U32S, types.int64


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
