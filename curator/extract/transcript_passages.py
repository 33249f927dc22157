"""Cuts a transcript into passages of 60 to 250 words, for search and for the optional LLM step."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from curator.extract.llm import Passage
from curator.extract.transcript_phrases import CONNECTORS, compile_anywhere, compile_start
from curator.extract.transcript_text import count_words
from curator.extract.transcript_turns import is_punctuated, split_turns

MIN_PASSAGE_WORDS = 60
MAX_PASSAGE_WORDS = 250
GOOD_PASSAGE_WORDS = 150

CUE_COST, PAUSE_COST, SPEAKER_COST, SENTENCE_COST = -0.3, 0.2, 0.3, 1.0
"""What it costs to begin a passage at a cue phrase, after a pause or paragraph, with a new speaker, anywhere else.

A cost of 0.1 is as bad as a passage that is 50 words away from the good length; at a cue phrase a cut is a gain.
"""

CUES_IN_LINE = compile_anywhere("passage.cues")
CUES_AT_START = compile_start("passage.cues", after=CONNECTORS)


@dataclass(frozen=True)
class Atom:
    """A sentence, or a line of text without punctuation, that no cut divides."""

    text: str
    first_line: int
    last_line: int
    start_cost: float


def split_passages(document: Mapping[str, Any]) -> list[Passage]:
    """Gives the passages of a transcript document; together they are its text.

    Chapters are kept apart where they are long enough; within them cuts fall on cue phrases (`the first thing`, `a
    common mistake`), pauses and turns rather than elsewhere. Only a shorter document, or a single line of more than
    250 words, gives a passage outside of the limits.

    Args:
        document: Row of a document frame of kind `transcript`.
    """
    metadata = json.loads(document["metadata"])
    atoms = list(_iterate_atoms(document["content"], metadata))
    passages = []
    for title, block in _split_chapters(atoms, metadata):
        cuts = cut_atoms([(count_words(atom.text), atom.start_cost) for atom in block])
        for start, end in zip(cuts, [*cuts[1:], len(block)], strict=True):
            passages.append(_build_passage(document, metadata, title, block[start:end]))
    return passages


def cut_atoms(atoms: Sequence[tuple[int, float]]) -> list[int]:
    """Gives the numbers of the atoms that begin a passage, so that the sum of all costs is smallest.

    Args:
        atoms: `(words, cost of beginning a passage here)` of each.
    """
    best = [0.0] + [float("inf")] * len(atoms)
    before = [0] * (len(atoms) + 1)
    for end in range(1, len(atoms) + 1):
        words = 0
        for start in range(end - 1, -1, -1):
            words += atoms[start][0]
            cost = best[start] + (atoms[start][1] if start else 0.0) + _cost_of_length(words)
            if cost < best[end]:
                best[end], before[end] = cost, start
            if words > MAX_PASSAGE_WORDS + MIN_PASSAGE_WORDS:
                break
    cuts: list[int] = []
    end = len(atoms)
    while end:
        end = before[end]
        cuts.append(end)
    return cuts[::-1]


def _cost_of_length(words: int) -> float:
    if words < MIN_PASSAGE_WORDS:
        return 10.0 + (MIN_PASSAGE_WORDS - words) / 10
    if words > MAX_PASSAGE_WORDS:
        return 10.0 + (words - MAX_PASSAGE_WORDS) / 10
    return abs(words - GOOD_PASSAGE_WORDS) / 500


def _iterate_atoms(content: str, metadata: Mapping[str, Any]) -> Iterator[Atom]:
    if not is_punctuated(content):
        yield from _iterate_lines(content.split("\n"), metadata.get("cues"))
        return
    for turn in split_turns(content, metadata):
        cost = SPEAKER_COST
        for sentence in turn.sentences:
            cue_cost = CUE_COST if CUES_AT_START.match(sentence.text) else cost
            yield Atom(sentence.text, sentence.first_line, sentence.last_line, min(cost, cue_cost))
            cost = PAUSE_COST if sentence.ends_paragraph else SENTENCE_COST


def _iterate_lines(lines: Sequence[str], cues: Sequence[Sequence[float]] | None) -> Iterator[Atom]:
    for number, line in enumerate(lines, 1):
        has_pause = cues is not None and number > 1 and cues[number - 1][0] - cues[number - 2][1] >= 1.0
        cost = PAUSE_COST if has_pause else SENTENCE_COST
        yield Atom(line, number, number, CUE_COST if CUES_IN_LINE.search(line) else cost)


def _split_chapters(atoms: Sequence[Atom], metadata: Mapping[str, Any]) -> list[tuple[str | None, list[Atom]]]:
    """Gives `(title, atoms)` of the chapters; one under 60 words goes to the chapter before it."""
    blocks: list[tuple[str | None, list[Atom]]] = []
    chapters = [tuple(chapter) for chapter in metadata.get("chapters", [])]
    cues = metadata.get("cues")
    for atom in atoms:
        title = _find_chapter(cues[atom.first_line - 1][0], chapters) if cues else None
        if not blocks or (title != blocks[-1][0] and _has_enough(blocks[-1][1])):
            blocks.append((title, []))
        blocks[-1][1].append(atom)
    if len(blocks) > 1 and not _has_enough(blocks[-1][1]):
        last = blocks.pop()
        blocks[-1][1].extend(last[1])
    return blocks


def _find_chapter(start_s: float, chapters: Sequence[tuple[Any, ...]]) -> str | None:
    titles = [str(title) for begin_s, title in chapters if begin_s <= start_s]
    return titles[-1] if titles else None


def _has_enough(atoms: Sequence[Atom]) -> bool:
    return sum(count_words(atom.text) for atom in atoms) >= MIN_PASSAGE_WORDS


def _build_passage(
    document: Mapping[str, Any], metadata: Mapping[str, Any], title: str | None, atoms: Sequence[Atom]
) -> Passage:
    first, last = atoms[0].first_line, atoms[-1].last_line
    cues = metadata.get("cues")
    span = {"seconds": [cues[first - 1][0], cues[last - 1][1]]} if cues else {"lines": [first, last]}
    return Passage(
        document=document,
        text=" ".join(atom.text for atom in atoms),
        span=span,
        unit_keys=(f"video:{metadata.get('video') or document['natural_key']}",),
        title=title or document.get("title"),
    )
