"""Unrolls auto-captions: each cue shows the lines before it again, so most words appear two or three times."""

import re
from collections.abc import Sequence
from itertools import pairwise

INLINE_TIME = re.compile(r"<(?:\d+:)?\d{1,2}:\d{2}\.\d{3}>")

MIN_REPEATED_SHARE = 0.25
"""Captions count as rolling from this share of cues that begin with what the cue before ended with.

Rolling files have two thirds or more; ordinary captions of talk in which people repeat themselves stay below 2 %.
"""


def is_rolling(cues: Sequence[Sequence[str]]) -> bool:
    """Tells whether cues (each its lines as shown) are rolling captions."""
    if len(cues) < 2:
        return False
    repeats = sum(count_repeated(before, cue) > 0 for before, cue in pairwise(cues))
    return repeats / (len(cues) - 1) >= MIN_REPEATED_SHARE


def unroll_cues(cues: Sequence[Sequence[str]]) -> list[list[str]]:
    """Gives for each cue the lines that it adds to what the cue before showed.

    A line is dropped only where it is shown again, so words that someone really says twice are kept.
    """
    new_lines = []
    shown: Sequence[str] = ()
    for cue in cues:
        new_lines.append(list(cue[count_repeated(shown, cue) :]))
        shown = cue
    return new_lines


def count_repeated(before: Sequence[str], cue: Sequence[str]) -> int:
    """Gives how many first lines of a cue are the last lines of the cue before it (the longest match)."""
    for size in range(min(len(before), len(cue)), 0, -1):
        if list(before[-size:]) == list(cue[:size]):
            return size
    return 0
