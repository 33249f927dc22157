from hypothesis import given
from hypothesis import strategies as st

from sources.transcripts.rolling import is_rolling, unroll_cues

LINES = st.lists(st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=3).map(" ".join), max_size=12)


def roll(lines: list[str]) -> list[list[str]]:
    """Shows lines as a rolling display of two does: each new line below the last one, with a still frame between."""
    cues: list[list[str]] = []
    for number, line in enumerate(lines):
        cues.append([*lines[max(0, number - 1) : number], line])
        cues.append([line])
    return cues


@given(LINES)
def test_every_word_is_recovered_once_even_where_lines_repeat(lines):
    assert [line for cue in unroll_cues(roll(lines)) for line in cue] == lines


@given(LINES)
def test_unrolling_never_invents_a_line(lines):
    cues = roll(lines)
    assert all(added == cue[len(cue) - len(added) :] for added, cue in zip(unroll_cues(cues), cues, strict=True))


def test_rolling_files_are_told_from_ordinary_ones():
    assert is_rolling(roll(["one", "two", "three"]))
    assert not is_rolling([["one"], ["two"], ["two"], ["three"], ["four"], ["five"]])
    assert not is_rolling([])
