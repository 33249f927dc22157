"""Vector instructions, and the few machine instructions numba has no name for.

Plain loops over bytes and signatures take three times as long. Everything here is portable LLVM IR: where a processor
has no 512-bit registers, LLVM splits the vectors. Each intrinsic has a plain twin in `simd_plain.py`; the tests compare
the two bit by bit.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

BYTES: Any = types.CPointer(types.uint8)  # type: ignore[no-untyped-call]
U32S: Any = types.CPointer(types.uint32)  # type: ignore[no-untyped-call]

_I8, _I32, _I64 = ir.IntType(8), ir.IntType(32), ir.IntType(64)
_BLOCK = ir.VectorType(_I8, 64)
_SIGNATURE = ir.VectorType(_I32, 64)


def instruction(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function as an intrinsic: numba asks it for a signature and for what generates the code."""
    named: Callable[..., Any] = intrinsic(function)
    return named


def _splat(vector: Any, value: int) -> Any:
    return ir.Constant(vector, [value] * vector.count)


def _place(builder: Any, pointer: Any, at: Any, element: Any) -> Any:
    """Return the address of pointer[at] as that of another type, at no particular alignment."""
    return builder.bitcast(builder.gep(pointer, [at]), element.as_pointer())


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
            lanes = builder.insert_element(ir.Constant(_SIGNATURE, ir.Undefined), value, ir.Constant(_I32, 0))
            lanes = builder.shuffle_vector(
                lanes, ir.Constant(_SIGNATURE, ir.Undefined), _splat(ir.VectorType(_I32, 64), 0)
            )
            permuted = builder.add(builder.mul(factor, lanes), offset)
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
_SHA1_STATE = (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0)
_SHA1_CONSTANTS = (0x5A827999, 0x6ED9EBA1, 0x8F1BBCDC, 0xCA62C1D6)


def _rotate_left(builder: Any, value: Any, bits: int) -> Any:
    high = builder.shl(value, _splat(_LANES, bits))
    return builder.or_(high, builder.lshr(value, _splat(_LANES, 32 - bits)))


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
