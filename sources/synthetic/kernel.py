"""The machine that writes rows: a phrase is a short program, a row is one run of it.

Compiled by numba, because each row takes its own way through thousands of short texts: column-wise, every
alternative of every phrase would cost a query of its own. The machine picks alternatives and copies bytes; what
is drawn and which conditions hold has been decided column by column before.

Arrays come as C pointers (numba counts references to arrays at every call, which would take most of the time), so
tables lie row behind row and are indexed by hand.
"""

import numpy as np
from numpy.typing import NDArray

from schemas.identity import ID_BYTES
from sources.synthetic.kernel_digest import absorb, begin_digest, end_digest
from sources.synthetic.kernel_output import (
    DONE,
    HOLE_START,
    I32,
    IS_CAPITAL,
    IS_TIDY,
    POS,
    SILENT,
    SIZE,
    STATE_CELLS,
    STATUS,
    TEXT,
    TEXT_END,
    TOO_DEEP,
    U8,
    U64,
    close_part,
    do_plain,
    jit,
    put,
    put_byte,
    put_digits,
    put_masked,
    put_size,
    put_value,
)
from sources.synthetic.noise import I64

F64 = NDArray[np.float64]

# What an operation does; its row in `machine.Code.ops` is (kind, a, b, c). `kernel_output` has more of them.
END = 0  # Back to where the phrase was named.
LITERAL = 1  # Literal bytes from a to b; c if there is no gap inside.
SLOT = 2  # What the rule means by name a: its b-th different pick (0: any), with a capital if c.
SAY = 3  # Phrase a under name b.
VALUE = 4  # Name a, a column, as a JSON value.

# How deep phrases may stand in phrases.
MAX_DEPTH = 64

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_OTHER_GAMMA = np.uint64(0xD1B54A32D192ED03)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


@jit
def _mix(state: np.uint64) -> np.uint64:
    """Gives the finaliser of SplitMix64, as `noise.draw_uniform` uses it."""
    state = (state ^ (state >> np.uint64(30))) * _MIX_1
    state = (state ^ (state >> np.uint64(27))) * _MIX_2
    return np.uint64(state ^ (state >> np.uint64(31)))


@jit
def _uniform(start: np.uint64, number: int) -> float:
    return float(_mix(np.uint64(number) * _GAMMA + start) >> np.uint64(11)) * 2.0**-53


# One parameter a line would be pages of them.
# fmt: off
@jit
def _pick(
    first: int, stop: int, nth: int, start: np.uint64, number: int,
    templates: I32, claims: U8, claim_of: I32, cell: int, condition_cell: int,
) -> int:
    """Gives the template of a phrase that a row gets, -1 if too few fit.

    Args:
        first: First template of the phrase.
        stop: The one after the last.
        nth: 0 for any, k for the k-th in a random order of those that fit.
        start: The phrase's stream of randomness.
        number: Row number in the stream.
        templates: `Code.templates`.
        claims: `Rows.claims`.
        claim_of: `Scopes.claims`.
        cell: Where the row begins in `claims`.
        condition_cell: Where the rule begins in `claim_of`.
    """
    fitting = 0
    for template in range(first, stop):
        condition = templates[2 * template + 1]
        if condition < 0 or claims[cell + claim_of[condition_cell + condition]]:
            fitting += 1
    if fitting < max(nth, 1):
        return -1
    left = int(_uniform(start, number) * fitting)
    last, picked = -1.0, -1
    for _ in range(max(nth, 1)):
        best = 2.0
        for template in range(first, stop):
            condition = templates[2 * template + 1]
            if condition < 0 or claims[cell + claim_of[condition_cell + condition]]:
                if nth:
                    key = _uniform(start + np.uint64(template - first + 1) * _OTHER_GAMMA, number)
                    if last < key < best:
                        best, picked = key, template
                elif left == 0:
                    return template
                left -= 1
        last = best
    return picked


@jit
def _run(  # noqa: C901 - one branch an operation
    entry: int, row: int, buffer: U8,
    literals: U8, ops: I32, templates: I32, phrases: I32, names: U64,
    slots: I32, claim_of: I32, seeds: U64,
    numbers: I64, rules: I64, claims: U8, codes: I32, first_values: I64, ends: I64, values: U8, is_text: U8,
    measures: I64, state: I64, stack: I64,
) -> int:
    """Runs a program to its end, or until the buffer is full or a phrase has nothing that fits."""
    num_names, num_conditions, num_claims, num_rows = measures[5], measures[6], measures[8], measures[9]
    rule, number = rules[row], numbers[row]
    depth, op = 0, entry
    while state[STATUS] == DONE:
        kind, a, b, c = ops[4 * op], ops[4 * op + 1], ops[4 * op + 2], ops[4 * op + 3]
        op += 1
        phrase, name = -1, a
        if kind == LITERAL:
            put(buffer, literals, a, b, c == 0, state)
        elif kind in (SLOT, VALUE):
            phrase = slots[rule * num_names + a]
            state[IS_CAPITAL] |= c
            if phrase < 0:
                cell = (-1 - phrase) * num_rows + row
                put_value(buffer, kind == VALUE, -1 - phrase, cell, codes, first_values, ends, values, is_text, state)
                state[IS_CAPITAL] &= 1 - c
        elif kind == SAY:
            phrase, name, b = a, b, np.int32(0)
        elif kind != END:
            do_plain(kind, buffer, state)
        elif depth == 0:
            return DONE
        else:
            depth -= 1
            op = int(stack[depth])
            # A capital that found no letter is not for what comes after the slot.
            if ops[4 * op - 4] == SLOT:
                state[IS_CAPITAL] &= 1 - ops[4 * op - 1]
        if phrase >= 0:
            first, start = phrases[2 * phrase], _mix(seeds[0] ^ names[name])
            stop, cell, conditions = first + phrases[2 * phrase + 1], row * num_claims, rule * num_conditions
            template = _pick(first, stop, b, start, number, templates, claims, claim_of, cell, conditions)
            if template < 0 or depth == MAX_DEPTH:
                state[STATUS] = DONE if template < 0 else TOO_DEEP
                return SILENT
            stack[depth] = op
            depth += 1
            op = int(templates[2 * template])
    return int(state[STATUS])


@jit
def _pick_follow_up(
    row: int, follow_ups: int, follow_claims: I32, follow_ratio: F64, seeds: U64,
    numbers: I64, rules: I64, claims: U8, num_claims: int,
) -> int:
    """Gives which follow-up a row gets, -1 for none."""
    drawn = _uniform(seeds[1], numbers[row])
    if follow_ups == 0 or drawn >= follow_ratio[0]:
        return -1
    number = int(drawn / follow_ratio[0] * follow_ups)
    claim = follow_claims[rules[row] * follow_ups + number]
    return number if claim < 0 or claims[row * num_claims + claim] else -1


@jit
def _put_id(
    ids: U8, contents: U8, first: int, stop: int, index: int, number: int,
    head: U8, prefix: U8, scratch: U8, measures: I64, words: U64, block: U8,
) -> None:
    """Writes the id of a document, `schemas.document.document_id` of what its row became."""
    pos = 8
    for place in range(measures[11]):
        scratch[pos + place] = prefix[place]
    pos = put_digits(scratch, pos + measures[11], number)
    put_size(scratch, 0, pos - 8)
    pos = put_size(scratch, pos, stop - first)
    begin_digest(words)
    absorb(head, 0, measures[10], words, block)
    absorb(scratch, 0, pos, words, block)
    absorb(contents, first, stop, words, block)
    end_digest(ids, 2 * ID_BYTES * index, words, block)


def write_all(
    literals: U8, ops: I32, templates: I32, phrases: I32, names: U64,
    slots: I32, claim_of: I32, entries: I32, follow_claims: I32, follow_ratio: F64, seeds: U64,
    numbers: I64, rules: I64, claims: U8, codes: I32, first_values: I64, ends: I64, values: U8, is_text: U8,
    contents: U8, content_ends: I64, metadata: U8, metadata_ends: I64, ids: U8, is_spoken: U8, scratch: U8,
    head: U8, prefix: U8, at: I64, measures: I64, state: I64, stack: I64, words: U64, block: U8,
) -> int:
    """Writes rows; gives how many are written. `machine.write_rows` says what goes in."""
    num_entries, num_claims = measures[7], measures[8]
    for index in range(measures[0], measures[1]):
        row = at[index]
        entry = rules[row] * num_entries
        for cell in range(STATE_CELLS):
            state[cell] = 0
        state[POS], state[SIZE] = content_ends[index], measures[2]
        ending = _run(
            entries[entry], row, contents, literals, ops, templates, phrases, names, slots, claim_of, seeds,
            numbers, rules, claims, codes, first_values, ends, values, is_text, measures, state, stack,
        )
        answer, answer_end = state[TEXT], state[TEXT_END]
        follow_up = _pick_follow_up(
            row, num_entries - 3, follow_claims, follow_ratio, seeds, numbers, rules, claims, num_claims
        )
        if follow_up >= 0 and ending == DONE:
            before = state[POS]
            if _run(
                entries[entry + 3 + follow_up], row, contents, literals, ops, templates, phrases, names, slots,
                claim_of, seeds, numbers, rules, claims, codes, first_values, ends, values, is_text, measures,
                state, stack,
            ) == SILENT:
                state[POS] = before
        state[IS_TIDY] = 0
        put_byte(contents, 93, state)
        put_byte(contents, 125, state)
        content_end, state[POS], state[SIZE] = state[POS], metadata_ends[index], measures[3]
        ending = max(ending, _run(
            entries[entry + 1], row, metadata, literals, ops, templates, phrases, names, slots, claim_of, seeds,
            numbers, rules, claims, codes, first_values, ends, values, is_text, measures, state, stack,
        ))
        metadata_end, state[POS], state[SIZE] = state[POS], 0, measures[4]
        state[IS_TIDY] = 0
        _run(
            entries[entry + 2], row, scratch, literals, ops, templates, phrases, names, slots, claim_of, seeds,
            numbers, rules, claims, codes, first_values, ends, values, is_text, measures, state, stack,
        )
        put_masked(scratch, contents, answer, answer_end, state)
        close_part(scratch, state)
        if state[STATUS] != DONE:
            return index
        is_spoken[index] = ending == DONE
        content_ends[index + 1] = content_end if ending == DONE else content_ends[index]
        metadata_ends[index + 1] = metadata_end if ending == DONE else metadata_ends[index]
        if ending == DONE:
            begin_digest(words)
            absorb(scratch, 0, state[POS], words, block)
            end_digest(metadata, state[HOLE_START], words, block)
            _put_id(
                ids, contents, content_ends[index], content_end, index, numbers[row],
                head, prefix, scratch, measures, words, block,
            )
    return int(measures[1])
