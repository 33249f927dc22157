"""What the machine does with bytes: gaps are closed, line ends escaped, numbers masked.

`state` holds where the machine is; its cells are named here. Arrays come as C pointers, as `kernel` says.
"""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import numba
import numpy as np
from numpy.typing import NDArray

from sources.synthetic.noise import I64

Params = ParamSpec("Params")
Result = TypeVar("Result")
U8 = NDArray[np.uint8]
I32 = NDArray[np.int32]
U64 = NDArray[np.uint64]

# Operations that write nothing of the row's own; `kernel` has the others.
TIDY = 5  # From here on gaps are closed and line ends escaped.
PLAIN = 6  # No longer.
HOLE = 7  # Room for the 32 characters of a hash; its place is kept.
PART = 8  # Room for the length (8 bytes) of what follows up to CLOSE.
CLOSE = 9  # End of the part.

# How a run ended.
DONE, FULL, TOO_DEEP, SILENT = range(4)

# Cells of the machine's state.
POS, SIZE, IS_TIDY, GAP, HAS_TEXT, IS_CAPITAL, TEXT, TEXT_END, PART_START, HOLE_START, STATUS = range(11)
STATE_CELLS = 11
_NO_GAP, _SPACE, _LINE, _PARAGRAPH = range(4)
_HOLE_BYTES = 32
# More than a gap and a byte take.
_ROOM = 8


def _upper_of(code: int) -> int:
    upper = chr(code).upper()
    return ord(upper) if len(upper) == 1 and 0x80 <= ord(upper) < 0x800 else code


# Capitals of the letters that UTF-8 writes in two bytes.
_UPPER = np.array([_upper_of(code) for code in range(0x800)], dtype=np.int64)


def jit(function: Callable[Params, Result]) -> Callable[Params, Result]:
    """Gives the function compiled by numba: no exceptions, C division."""
    compiled: Callable[Params, Result] = numba.njit(error_model="numpy")(function)
    return compiled


@jit
def put_byte(buffer: U8, byte: int, state: I64) -> None:
    """Writes one byte."""
    if state[POS] + _ROOM > state[SIZE]:
        state[STATUS] = FULL
    else:
        buffer[state[POS]] = byte
        state[POS] += 1


@jit
def _close_gap(buffer: U8, pos: int, gap: int) -> int:
    if gap == _SPACE:
        buffer[pos] = 32
        return pos + 1
    for _ in range(gap - 1):
        buffer[pos] = 92
        buffer[pos + 1] = 110
        pos += 2
    return pos


@jit
def _put_capital(buffer: U8, source: U8, at: int, pos: int) -> int:
    """Writes one letter; gives how many bytes it has."""
    byte = np.int64(source[at])
    if 0xC2 <= byte < 0xE0:
        upper = _UPPER[((byte & 31) << 6) | (np.int64(source[at + 1]) & 63)]
        buffer[pos] = 0xC0 | (upper >> 6)
        buffer[pos + 1] = 0x80 | (upper & 63)
        return 2
    buffer[pos] = byte - 32 if 97 <= byte <= 122 else byte
    return 1


@jit
def _put_tidy(buffer: U8, source: U8, low: int, high: int, has_gaps: bool, state: I64) -> None:
    """Copies without double spaces, spaces around line ends and more than one empty line; line ends are escaped."""
    pos, gap = state[POS], state[GAP]
    at = low
    while at < high:
        byte = source[at]
        if byte == 32:
            gap = max(gap, _SPACE)
            at += 1
        elif byte == 10:
            gap = _LINE if gap < _LINE else _PARAGRAPH
            at += 1
        else:
            if gap != _NO_GAP:
                pos = _close_gap(buffer, pos, gap) if state[HAS_TEXT] else pos
                gap = _NO_GAP
            state[HAS_TEXT] = 1
            if state[IS_CAPITAL]:
                state[IS_CAPITAL] = 0
                size = _put_capital(buffer, source, at, pos)
                pos += size
                at += size
            stop = at
            if has_gaps:
                while stop < high and source[stop] != 32 and source[stop] != 10:
                    stop += 1
            else:
                stop = high - 1 if source[high - 1] == 32 else high
            for place in range(stop - at):
                buffer[pos + place] = source[at + place]
            pos += stop - at
            at = stop
    state[POS], state[GAP] = pos, gap


@jit
def put(buffer: U8, source: U8, low: int, high: int, has_gaps: bool, state: I64) -> None:
    """Writes a text: tidied inside of one, else with its line ends escaped."""
    # Every byte may be a line end and take two.
    if state[POS] + 2 * (high - low) + _ROOM > state[SIZE]:
        state[STATUS] = FULL
    elif state[IS_TIDY]:
        _put_tidy(buffer, source, low, high, has_gaps, state)
    else:
        pos = state[POS]
        for at in range(low, high):
            byte = source[at]
            if byte == 10:
                buffer[pos] = 92
                byte = np.uint8(110)
                pos += 1
            buffer[pos] = byte
            pos += 1
        state[POS] = pos


@jit
def _is_digit(byte: int) -> bool:
    return 48 <= byte <= 57


@jit
def put_masked(buffer: U8, source: U8, low: int, high: int, state: I64) -> None:
    """Copies with # in place of every number (digits, with points or commas between digits)."""
    pos, at = state[POS], low
    if pos + (high - low) + _ROOM > state[SIZE]:
        state[STATUS] = FULL
        return
    while at < high:
        byte = source[at]
        at += 1
        if _is_digit(byte):
            byte = np.uint8(35)
            while at < high and (
                _is_digit(source[at])
                or (at + 1 < high and (source[at] == 46 or source[at] == 44) and _is_digit(source[at + 1]))
            ):
                at += 1
        buffer[pos] = byte
        pos += 1
    state[POS] = pos


@jit
def put_size(buffer: U8, pos: int, size: int) -> int:
    """Writes the length of a part in 8 bytes, lowest first; gives where they end."""
    for place in range(8):
        buffer[pos + place] = (size >> (8 * place)) & 255
    return pos + 8


@jit
def put_digits(buffer: U8, pos: int, number: int) -> int:
    """Writes a number that is not negative; gives where it ends."""
    stop, left = pos + 1, number // 10
    while left:
        stop, left = stop + 1, left // 10
    for at in range(stop - 1, pos - 1, -1):
        buffer[at] = 48 + number % 10
        number //= 10
    return stop


@jit
def close_part(buffer: U8, state: I64) -> None:
    """Writes the length of a part where room was left for it."""
    put_size(buffer, state[PART_START], state[POS] - state[PART_START] - 8)


@jit
def do_plain(kind: int, buffer: U8, state: I64) -> None:
    """Does one of the operations that write nothing of the row's own."""
    if kind == TIDY:
        state[IS_TIDY], state[GAP], state[HAS_TEXT], state[IS_CAPITAL] = 1, 0, 0, 0
        state[TEXT] = state[POS]
    elif kind == PLAIN:
        state[IS_TIDY] = 0
        state[TEXT_END] = state[POS]
    elif kind == CLOSE:
        close_part(buffer, state)
    elif state[POS] + _HOLE_BYTES > state[SIZE]:
        state[STATUS] = FULL
    elif kind == HOLE:
        state[HOLE_START] = state[POS]
        state[POS] += _HOLE_BYTES
    else:
        state[PART_START] = state[POS]
        state[POS] += 8


@jit
def put_value(
    buffer: U8,
    is_json: bool,
    column: int,
    cell: int,
    codes: I32,
    first_values: I64,
    ends: I64,
    values: U8,
    is_text: U8,
    state: I64,
) -> None:
    """Writes a cell of a column: as text, where null is nothing, or as JSON."""
    code = codes[cell]
    if code >= 0:
        value = first_values[column] + code
        if is_json and is_text[column]:
            put_byte(buffer, 34, state)
        put(buffer, values, ends[value], ends[value + 1], True, state)
        if is_json and is_text[column]:
            put_byte(buffer, 34, state)
    elif is_json:
        for byte in (110, 117, 108, 108):
            put_byte(buffer, byte, state)
