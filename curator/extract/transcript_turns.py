"""A transcript as turns of sentences, each of which knows its lines."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from curator.extract.transcript_text import count_words, split_sentences

PAUSE_S = 1.5
"""A silence of this length ends a paragraph of captions."""

MAX_WORDS_PER_MARK = 60
"""Text with fewer full stops and question marks than one in 60 words has no punctuation (auto-captions)."""


@dataclass(frozen=True)
class Sentence:
    """A sentence as spoken.

    Attributes:
        text: Raw text on one line.
        first_line: Line of the document in which it begins, 1-based.
        last_line: Line in which it ends.
        ends_paragraph: Whether a paragraph, a turn, or a pause follows.
    """

    text: str
    first_line: int
    last_line: int
    ends_paragraph: bool = False


@dataclass(frozen=True)
class Turn:
    """What one speaker says before another one speaks; `speaker` is None where nobody is named."""

    speaker: str | None
    sentences: tuple[Sentence, ...]

    @property
    def num_words(self) -> int:
        """Words of the turn."""
        return sum(count_words(sentence.text) for sentence in self.sentences)


def is_punctuated(text: str) -> bool:
    """Tells whether sentences can be seen in the text."""
    return len(re.findall(r"[.?!…](?=\W|$)", text)) * MAX_WORDS_PER_MARK >= count_words(text)


def split_turns(content: str, metadata: Mapping[str, Any]) -> list[Turn]:
    """Gives the turns of a transcript document.

    Args:
        content: One line a cue or paragraph.
        metadata: `speakers` and `cues`, parallel to the lines, where there are any.
    """
    lines = content.split("\n")
    speakers = metadata.get("speakers") or [None] * len(lines)
    breaks = _find_breaks(len(lines), metadata.get("cues"))
    numbered = enumerate(zip(lines, speakers, strict=True), 1)
    turns = []
    for speaker, group in groupby(numbered, key=lambda item: item[1][1]):
        spoken = [(number, line) for number, (line, _) in group]
        sentences = tuple(_split_lines(spoken, breaks))
        if sentences:
            turns.append(Turn(speaker, sentences))
    return turns


def _find_breaks(num_lines: int, cues: Sequence[Sequence[float]] | None) -> set[int]:
    """Lines after which a paragraph ends: all without times, those before a pause with times."""
    if not cues:
        return set(range(1, num_lines + 1))
    return {number for number in range(1, num_lines) if cues[number][0] - cues[number - 1][1] >= PAUSE_S}


def _split_lines(spoken: Sequence[tuple[int, str]], breaks: set[int]) -> Iterator[Sentence]:
    for block in _iterate_blocks(spoken, breaks):
        starts = [0]
        for _, line in block[:-1]:
            starts.append(starts[-1] + len(line) + 1)
        text = " ".join(line for _, line in block)
        spans = list(split_sentences(text))
        for start, end in spans:
            first = block[bisect_right(starts, start) - 1][0]
            last = block[bisect_right(starts, end - 1) - 1][0]
            yield Sentence(text[start:end].strip(), first, last, ends_paragraph=(start, end) == spans[-1])


def _iterate_blocks(spoken: Sequence[tuple[int, str]], breaks: set[int]) -> Iterator[list[tuple[int, str]]]:
    block: list[tuple[int, str]] = []
    for number, line in spoken:
        block.append((number, line))
        if number in breaks:
            yield block
            block = []
    if block:
        yield block
