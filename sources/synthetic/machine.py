"""The machine as Python sees it: what goes in, what comes out."""

import ctypes
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numba
import numpy as np
from numba import types

from sources.synthetic.kernel import F64, MAX_DEPTH, write_all
from sources.synthetic.kernel_digest import BLOCK_BYTES, WORDS
from sources.synthetic.kernel_output import I32, STATE_CELLS, STATUS, U8, U64
from sources.synthetic.noise import I64


class Code(NamedTuple):
    """The phrases of a topic.

    Attributes:
        literals: UTF-8, fit for the inside of a JSON string but for line ends.
        ops: (num_ops, 4).
        templates: (num_templates, 2), first operation and condition (-1: none).
        phrases: (num_phrases, 2), first template and number of templates.
        names: Hash of every name.
    """

    literals: U8
    ops: I32
    templates: I32
    phrases: I32
    names: U64


class Scopes(NamedTuple):
    """What names and conditions mean to each rule.

    Attributes:
        slots: (num_rules, num_names): a phrase, or -1 - column.
        claims: (num_rules, num_conditions): a column of `Rows.claims`.
        entries: (num_rules, 3 + num_follow_ups): first operation of the turns, the metadata, the scenario and of each
            follow-up.
        follow_claims: (num_rules, num_follow_ups): a column of `Rows.claims`, -1 for none.
        follow_ratio: (1,) share of rows that get a follow-up.
        seeds: (2,) where the randomness of phrases and of follow-ups starts.
    """

    slots: I32
    claims: I32
    entries: I32
    follow_claims: I32
    follow_ratio: F64
    seeds: U64


class Rows(NamedTuple):
    """What was drawn and decided.

    Attributes:
        numbers: (num_rows,) row numbers within the stream.
        rules: (num_rows,).
        claims: (num_rows, num_claims), 1 where a condition holds.
        codes: (num_columns, num_rows), which value of the column; -1 for none.
        first_values: (num_columns,), the column's first value.
        ends: (num_values + 1,), where each value ends in `values`, after a leading 0.
        values: UTF-8, fit for the inside of a JSON string but for line ends.
        is_text: (num_columns,), 1 where JSON wants quotes.
    """

    numbers: I64
    rules: I64
    claims: U8
    codes: I32
    first_values: I64
    ends: I64
    values: U8
    is_text: U8


class Buffers(NamedTuple):
    """Where texts go: one behind the other, with where each ends after a leading 0.

    Attributes:
        contents: The turns, JSON.
        content_ends: (num_rows + 1,).
        metadata: JSON.
        metadata_ends: (num_rows + 1,).
        ids: 32 hex digits a row, nothing where a row is not spoken.
        is_spoken: (num_rows,).
        scratch: Holds what is hashed for one row.
    """

    contents: U8
    content_ends: I64
    metadata: U8
    metadata_ends: I64
    ids: U8
    is_spoken: U8
    scratch: U8


class Key(NamedTuple):
    """What the id of a document is made of besides its content.

    Attributes:
        head: The parts before the natural key, each behind its length.
        prefix: Natural keys are this and the row number.
    """

    head: U8
    prefix: U8


def write_rows(code: Code, scopes: Scopes, rows: Rows, at: I64, done: int, key: Key, out: Buffers) -> tuple[int, int]:
    """Writes rows until all are written or a buffer is full.

    A row that some phrase has nothing for is left empty; a follow-up that some phrase has nothing for is left out.

    Args:
        code: The phrases.
        scopes: What names mean.
        rows: What was drawn.
        at: Which rows, as indexes into `rows`.
        done: How many of them are written already.
        key: Of the documents.
        out: Where to.

    Returns:
        How many are written, and `DONE`, `FULL` or `TOO_DEEP`.
    """
    state, stack = np.zeros(STATE_CELLS, dtype=np.int64), np.zeros(MAX_DEPTH, dtype=np.int64)
    words, block = np.zeros(WORDS, dtype=np.uint64), np.zeros(BLOCK_BYTES, dtype=np.uint8)
    sizes = [len(out.contents), len(out.metadata), len(out.scratch)]
    widths = [
        scopes.slots.shape[1],
        scopes.claims.shape[1],
        scopes.entries.shape[1],
        rows.claims.shape[1],
        len(rows.rules),
    ]
    measures = np.array([done, len(at), *sizes, *widths, len(key.head), len(key.prefix)], dtype=np.int64)
    arrays = (*code, *scopes, *rows, *out, *key, at, measures, state, stack, words, block)
    done = int(_load_machine()(*(array.ctypes.data for array in arrays)))
    return done, int(state[STATUS])


@cache
def _load_machine() -> Callable[..., Any]:
    """Gives the machine: compiled when this computer has none yet (some seconds), then read from disk.

    Ctypes lets go of the interpreter's lock during a call.
    """
    pointer: Callable[[Any], Any] = types.CPointer
    u8, i32, i64, u64, f64 = map(pointer, (types.u1, types.i4, types.i8, types.u8, types.f8))
    code = (u8, i32, i32, i32, u64)
    scopes = (i32, i32, i32, i32, f64, u64)
    rows = (i64, i64, u8, i32, i64, i64, u8, u8)
    buffers = (u8, i64, u8, i64, u8, u8, u8)
    work = (i64, i64, i64, i64, u64, u8)
    signature = types.i8(*code, *scopes, *rows, *buffers, u8, u8, *work)
    made: Any = numba.cfunc(signature, cache=True, error_model="numpy")(write_all)
    prototype = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_void_p] * len(signature.args))
    return prototype(made.address)
