"""Vector instructions, and the few machine instructions numba has no name for.

Plain loops over bytes and signatures take three times as long. Everything here is portable LLVM IR: where a processor
has no 512-bit registers, LLVM splits the vectors. Each intrinsic has a plain twin in `simd_plain.py`; the tests compare
the two bit by bit.
"""

from collections.abc import Callable
from typing import Any

import llvmlite.binding as llvm  # type: ignore[import-untyped]
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from curator.dedup.hashing import CHUNK_FACTOR, FINISH_FACTOR, LENGTH_FACTOR, WORD_ROTATION

BYTES: Any = types.CPointer(types.uint8)  # type: ignore[no-untyped-call]
I32S: Any = types.CPointer(types.int32)  # type: ignore[no-untyped-call]
U32S: Any = types.CPointer(types.uint32)  # type: ignore[no-untyped-call]
U64S: Any = types.CPointer(types.uint64)  # type: ignore[no-untyped-call]

HAS_COMPRESS = bool(llvm.get_host_cpu_features().get("avx512f"))
"""Whether one instruction moves chosen lanes to the front; elsewhere `list_set_bits` is slower than a loop."""

_I8, _I32, _I64 = ir.IntType(8), ir.IntType(32), ir.IntType(64)
_BLOCK = ir.VectorType(_I8, 64)
_SIGNATURE = ir.VectorType(_I32, 64)
_EIGHT = ir.VectorType(_I64, 8)


def instruction(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function as an intrinsic: numba asks it for a signature and for what generates the code."""
    named: Callable[..., Any] = intrinsic(function)
    return named


def _splat(vector: Any, value: int) -> Any:
    return ir.Constant(vector, [value] * vector.count)


def _place(builder: Any, pointer: Any, at: Any, element: Any) -> Any:
    """Return the address of pointer[at] as that of another type, at no particular alignment."""
    return builder.bitcast(builder.gep(pointer, [at]), element.as_pointer())


def _spread(builder: Any, value: Any, vector: Any) -> Any:
    """Return a vector with the value in all lanes."""
    nothing = ir.Constant(vector, ir.Undefined)
    lanes = builder.insert_element(nothing, value, ir.Constant(_I32, 0))
    return builder.shuffle_vector(lanes, nothing, _splat(ir.VectorType(_I32, vector.count), 0))


def _rotate_left(builder: Any, value: Any, bits: int) -> Any:
    if bits == 0:
        return value
    high = builder.shl(value, _splat(value.type, bits))
    return builder.or_(high, builder.lshr(value, _splat(value.type, value.type.element.width - bits)))


@instruction
def bytes_at(_context: Any, _address: Any) -> Any:
    """(uint64) -> pointer to bytes: the memory at an address."""

    def generate(target: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.inttoptr(values[0], target.get_value_type(signature.return_type))

    return BYTES(types.uint64), generate


@instruction
def load_u64(_context: Any, _data: Any, _at: Any) -> Any:
    """(bytes, int64) -> uint64: eight bytes, the first the lowest."""

    def generate(_target: Any, builder: Any, _signature: Any, values: Any) -> Any:
        return builder.load(_place(builder, values[0], values[1], _I64), align=1)

    return types.uint64(BYTES, types.int64), generate


@instruction
def count_trailing_zeros(_context: Any, _bits: Any) -> Any:
    """(uint64) -> int64: the place of the lowest set bit, 64 when none is set."""

    def generate(_target: Any, builder: Any, _signature: Any, values: Any) -> Any:
        return builder.cttz(values[0], ir.Constant(ir.IntType(1), 0))

    return types.int64(types.uint64), generate


@instruction
def count_set_bits(_context: Any, _bits: Any) -> Any:
    """(uint64) -> int64: how many bits are set."""

    def generate(_target: Any, builder: Any, _signature: Any, values: Any) -> Any:
        return builder.ctpop(values[0])

    return types.int64(types.uint64), generate


@instruction
def swap_bytes(_context: Any, _value: Any) -> Any:
    """(uint64) -> uint64: the bytes in reverse order."""

    def generate(_target: Any, builder: Any, _signature: Any, values: Any) -> Any:
        return builder.bswap(values[0])

    return types.uint64(types.uint64), generate


@instruction
def lower_block(_context: Any, _source: Any, _at: Any, _target_bytes: Any, _to: Any) -> Any:
    """(bytes, int64, bytes, int64) -> uint64: copy 64 bytes with A-Z made lower case; 0 if all are ASCII.

    One comparison finds the capitals: c - 'A' as an unsigned byte is below 26 for them alone.
    """

    def generate(_target: Any, builder: Any, _signature: Any, values: Any) -> Any:
        source, at, target, to = values
        block = builder.load(_place(builder, source, at, _BLOCK), align=1)
        offset = builder.sub(block, _splat(_BLOCK, ord("A")))
        is_capital = builder.icmp_unsigned("<", offset, _splat(_BLOCK, 26))
        lowered = builder.select(is_capital, builder.or_(block, _splat(_BLOCK, 0x20)), block)
        builder.store(lowered, _place(builder, target, to, _BLOCK), align=1)
        is_foreign = builder.icmp_unsigned(">=", block, _splat(_BLOCK, 0x80))
        return builder.bitcast(is_foreign, _I64)

    return types.uint64(BYTES, types.int64, BYTES, types.int64), generate


@instruction
def word_mask(_context: Any, _data: Any, _at: Any) -> Any:
    """(bytes, int64) -> uint64: which of 64 lower-case bytes belong to words, the first the lowest bit.

    Word bytes are a-z, 0-9 and everything beyond ASCII. Sixty-four comparisons become one mask register.
    """

    def generate(_target: Any, builder: Any, _signature: Any, values: Any) -> Any:
        block = builder.load(_place(builder, values[0], values[1], _BLOCK), align=1)
        letter = builder.icmp_unsigned("<", builder.sub(block, _splat(_BLOCK, ord("a"))), _splat(_BLOCK, 26))
        digit = builder.icmp_unsigned("<", builder.sub(block, _splat(_BLOCK, ord("0"))), _splat(_BLOCK, 10))
        foreign = builder.icmp_unsigned(">=", block, _splat(_BLOCK, 0x80))
        return builder.bitcast(builder.or_(builder.or_(letter, digit), foreign), _I64)

    return types.uint64(BYTES, types.int64), generate


@instruction
def lower_minima(_context: Any, _mixed: Any, _count: Any, _factors: Any, _offsets: Any, _at: Any, _minima: Any) -> Any:
    """(uint32s, int64, uint32s, uint32s, int64, uint32s) -> int64: fold shingles into 64 minima of a signature.

    minima[k] = min(minima[k], factors[at + k] * x + offsets[at + k]) for each x of mixed[:count] and k below 64.
    Factors, offsets and minima stay in registers (4 of 512 bits each) while the shingles pass by; numba's own loop
    would load and store the minima for every shingle.
    """

    def generate(_target: Any, builder: Any, _signature: Any, values: Any) -> Any:
        mixed, count, factors, offsets, at, minima = values
        factor = builder.load(_place(builder, factors, at, _SIGNATURE), align=1)
        offset = builder.load(_place(builder, offsets, at, _SIGNATURE), align=1)
        place = _place(builder, minima, ir.Constant(_I64, 0), _SIGNATURE)
        lowest = cgutils.alloca_once(builder, _SIGNATURE)  # type: ignore[no-untyped-call]
        builder.store(builder.load(place, align=1), lowest)
        with cgutils.for_range(builder, count) as loop:
            value = builder.load(builder.gep(mixed, [loop.index]))
            permuted = builder.add(builder.mul(factor, _spread(builder, value, _SIGNATURE)), offset)
            known = builder.load(lowest)
            is_lower = builder.icmp_unsigned("<", permuted, known)
            builder.store(builder.select(is_lower, permuted, known), lowest)
        builder.store(builder.load(lowest), place, align=1)
        return count

    return types.int64(U32S, types.int64, U32S, U32S, types.int64, U32S), generate


@instruction
def count_equal(_context: Any, _data: Any, _at: Any, _other: Any) -> Any:
    """(bytes, int64, int64) -> int64: in how many of 64 bytes data[at:] and data[other:] agree."""

    def generate(_target: Any, builder: Any, _signature: Any, values: Any) -> Any:
        data, at, other = values
        ours = builder.load(_place(builder, data, at, _BLOCK), align=1)
        theirs = builder.load(_place(builder, data, other, _BLOCK), align=1)
        return builder.ctpop(builder.bitcast(builder.icmp_unsigned("==", ours, theirs), _I64))

    return types.int64(BYTES, types.int64, types.int64), generate


_LANES = ir.VectorType(_I32, 16)


@instruction
def list_set_bits(_context: Any, _bits: Any, _start: Any, _places: Any, _at: Any) -> Any:
    """(uint64, int64, int32s, int64) -> int64: write start + place of each set bit to places[at:]; how many there are.

    Sixteen bits at a time choose among sixteen numbers, which move together and are stored whole: up to 15 entries past
    the last one are overwritten. No branch depends on the bits.
    """

    def generate(_target: Any, builder: Any, _signature: Any, values: Any) -> Any:
        bits, start, places, at = values
        half = ir.IntType(16)
        flags = ir.VectorType(ir.IntType(1), 16)
        kind = ir.FunctionType(_LANES, [_LANES, flags, _LANES])
        compress = cgutils.get_or_insert_function(  # type: ignore[no-untyped-call]
            builder.module, kind, "llvm.experimental.vector.compress.v16i32"
        )
        number = ir.Constant(_I64, 0)
        for part in range(4):
            chosen = builder.trunc(builder.lshr(bits, ir.Constant(_I64, 16 * part)), half)
            first = _spread(builder, builder.trunc(start, _I32), _LANES)
            lanes = builder.add(first, ir.Constant(_LANES, list(range(16 * part, 16 * part + 16))))
            moved = builder.call(compress, [lanes, builder.bitcast(chosen, flags), ir.Constant(_LANES, ir.Undefined)])
            builder.store(moved, _place(builder, places, builder.add(at, number), _LANES), align=1)
            number = builder.add(number, builder.zext(builder.ctpop(chosen), _I64))
        return number

    return types.int64(types.uint64, types.int64, I32S, types.int64), generate


@instruction
def hash_eight(_context: Any, _text: Any, _edges: Any, _word: Any, _hashes: Any) -> Any:
    """(bytes, int32s, int64, uint64s) -> uint64: hash eight words, as far as eight bytes go; which of them are longer.

    edges[2 * word:] hold where each word starts and ends; hashes[word:] get `(size * LENGTH_FACTOR ^ chunk) * CHUNK_FACTOR`
    mixed (see `curator.dedup.hashing`). A start of zero, where there are less than eight words, is harmless.
    """

    def generate(_target: Any, builder: Any, _signature: Any, values: Any) -> Any:
        text, edges, word, hashes = values
        first = builder.shl(word, ir.Constant(_I64, 1))
        both = builder.load(_place(builder, edges, first, _EIGHT), align=1)
        starts = builder.and_(both, _splat(_EIGHT, 0xFFFFFFFF))
        sizes = builder.sub(builder.lshr(both, _splat(_EIGHT, 32)), starts)
        chunks = ir.Constant(_EIGHT, ir.Undefined)
        # Not a gather: eight loads are as fast, and on many processors a mended flaw has made gathers slow.
        for lane in range(8):
            place = builder.load(builder.gep(edges, [builder.add(first, ir.Constant(_I64, 2 * lane))]))
            chunk = builder.load(_place(builder, text, builder.zext(place, _I64), _I64), align=1)
            chunks = builder.insert_element(chunks, chunk, ir.Constant(_I32, lane))
        is_long = builder.icmp_unsigned(">", sizes, _splat(_EIGHT, 8))
        unused = builder.sub(_splat(_EIGHT, 64), builder.shl(sizes, _splat(_EIGHT, 3)))
        unused = builder.select(is_long, _splat(_EIGHT, 0), builder.and_(unused, _splat(_EIGHT, 63)))
        chunks = builder.and_(chunks, builder.lshr(_splat(_EIGHT, (1 << 64) - 1), unused))
        value = builder.xor(builder.mul(sizes, _splat(_EIGHT, LENGTH_FACTOR)), chunks)
        value = builder.mul(value, _splat(_EIGHT, CHUNK_FACTOR))
        value = _mix_down(builder, value, 32)
        builder.store(value, _place(builder, hashes, word, _EIGHT), align=1)
        return builder.zext(builder.bitcast(is_long, _I8), _I64)

    return types.uint64(BYTES, I32S, types.int64, U64S), generate


@instruction
def shingle_fives(_context: Any, _hashes: Any, _count: Any, _shingles: Any) -> Any:
    """(uint64s, int64, uint64s) -> uint64: runs of five word hashes to shingles; the sum in `hash_stream`.

    For count runs: what the loops of `shingles.py` do, eight runs at a time and in one pass. The last eight are computed
    whole: up to 11 hashes past the end are read and 7 shingles past it written, which do not enter the sum.
    """

    def generate(_target: Any, builder: Any, _signature: Any, values: Any) -> Any:
        hashes, count, shingles = values
        return _shingle_fives(builder, hashes, count, shingles, None)

    return types.uint64(U64S, types.int64, U64S), generate


@instruction
def mix_fives(_context: Any, _hashes: Any, _count: Any, _shingles: Any, _mixed: Any) -> Any:
    """(uint64s, int64, uint64s, uint32s) -> uint64: as `shingle_fives`; mixed gets what `mix_hashes` writes."""

    def generate(_target: Any, builder: Any, _signature: Any, values: Any) -> Any:
        return _shingle_fives(builder, *values)

    return types.uint64(U64S, types.int64, U64S, U32S), generate


def _shingle_fives(builder: Any, hashes: Any, count: Any, shingles: Any, mixed: Any) -> Any:
    total = cgutils.alloca_once_value(builder, _splat(_EIGHT, 0))  # type: ignore[no-untyped-call]
    blocks = builder.lshr(builder.add(count, ir.Constant(_I64, 7)), ir.Constant(_I64, 3))
    with cgutils.for_range(builder, blocks) as loop:
        at = builder.shl(loop.index, ir.Constant(_I64, 3))
        run = _splat(_EIGHT, 0)
        for step in range(5):
            place = builder.add(at, ir.Constant(_I64, step))
            word = builder.load(_place(builder, hashes, place, _EIGHT), align=1)
            run = builder.add(run, _rotate_left(builder, word, WORD_ROTATION * (4 - step) % 64))
        run = builder.mul(_mix_down(builder, run, 32), _splat(_EIGHT, FINISH_FACTOR))
        run = _mix_down(builder, run, 29)
        builder.store(run, _place(builder, shingles, at, _EIGHT), align=1)
        if mixed is not None:
            half = _finish_murmur(builder, builder.trunc(run, ir.VectorType(_I32, 8)))
            builder.store(half, _place(builder, mixed, at, half.type), align=1)
        lane = builder.add(_spread(builder, at, _EIGHT), ir.Constant(_EIGHT, list(range(8))))
        weight = builder.or_(builder.shl(lane, _splat(_EIGHT, 1)), _splat(_EIGHT, 1))
        is_there = builder.icmp_unsigned("<", lane, _spread(builder, count, _EIGHT))
        term = builder.select(is_there, builder.mul(run, weight), _splat(_EIGHT, 0))
        builder.store(builder.add(builder.load(total), term), total)
    lanes = builder.load(total)
    result = ir.Constant(_I64, 0)
    for lane in range(8):
        result = builder.add(result, builder.extract_element(lanes, ir.Constant(_I32, lane)))
    return result


def _mix_down(builder: Any, value: Any, bits: int) -> Any:
    return builder.xor(value, builder.lshr(value, _splat(value.type, bits)))


def _finish_murmur(builder: Any, value: Any) -> Any:
    """Return 32-bit lanes mixed by the MurmurHash3 finaliser."""
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        value = builder.mul(_mix_down(builder, value, shift), _splat(value.type, factor))
    return _mix_down(builder, value, 16)


_SHA1_STATE = (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0)
_SHA1_CONSTANTS = (0x5A827999, 0x6ED9EBA1, 0x8F1BBCDC, 0xCA62C1D6)


def _sha1_choice(builder: Any, part: int, b: Any, c: Any, d: Any) -> Any:
    """Return the round function of FIPS 180-4 for one of the four parts of twenty rounds."""
    if part == 0:
        return builder.xor(d, builder.and_(b, builder.xor(c, d)))
    if part == 2:
        return builder.or_(builder.and_(b, c), builder.and_(d, builder.or_(b, c)))
    return builder.xor(builder.xor(b, c), d)


@instruction
def sha1_first_words(_context: Any, _message: Any, _digests: Any, _at: Any) -> Any:
    """(uint32s, uint32s, int64) -> int64: the first word of the SHA-1 digests of sixteen one-block messages at once.

    message[16 * t + lane] is big-endian word t of a lane's padded block; digests[at + lane] gets the first word. The rounds
    of the lanes run side by side in vector registers, as this machine's processors may have no SHA instructions.
    """

    def generate(_target: Any, builder: Any, _signature: Any, values: Any) -> Any:
        message, digests, at = values
        place = [_place(builder, message, ir.Constant(_I64, 16 * word), _LANES) for word in range(16)]
        words = [builder.load(address, align=1) for address in place]
        a, b, c, d, e = (_splat(_LANES, word) for word in _SHA1_STATE)
        for step in range(80):
            if step >= 16:
                mixed = builder.xor(builder.xor(words[-3], words[-8]), builder.xor(words[-14], words[-16]))
                words = [*words[1:], _rotate_left(builder, mixed, 1)]
            part = step // 20
            word = words[step] if step < 16 else words[-1]
            added = builder.add(builder.add(e, word), _splat(_LANES, _SHA1_CONSTANTS[part]))
            choice = builder.add(_sha1_choice(builder, part, b, c, d), _rotate_left(builder, a, 5))
            a, b, c, d, e = builder.add(added, choice), a, _rotate_left(builder, b, 30), c, d
        first = builder.add(a, _splat(_LANES, _SHA1_STATE[0]))
        builder.store(first, _place(builder, digests, at, _LANES), align=1)
        return at

    return types.int64(U32S, U32S, types.int64), generate
