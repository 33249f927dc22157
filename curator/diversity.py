"""How many different things a set of conversations says, once changed numbers no longer count as different.

Digits hide clones: three templates with drawn numbers pass every near-duplicate filter. All figures are therefore
given twice, as written and with every run of digits replaced by one sign.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from curator.dedup import find_duplicates
from curator.dedup.normalize import split_words

THRESHOLD = 0.8
NGRAM = 3
OPENING_WORDS = 6
_TOP_OPENINGS = 10


@dataclass(frozen=True)
class Survivors:
    """Rows left when near-duplicates (true Jaccard 0.8 of word 3-grams) are taken out.

    Attributes:
        conversations: Compared over all turns.
        answers: Compared over what the assistant says.
    """

    conversations: int
    answers: int


@dataclass(frozen=True)
class Diversity:
    """Figures of one set of conversations.

    Attributes:
        count: Rows.
        masked: Survivors with numbers masked.
        unmasked: Survivors as written.
        distinct_2: Different masked word pairs of the answers over all of them, 0-1.
        distinct_3: The same of word triples.
        openings: The most common masked first six words of an answer and how many answers begin so; lines that stand
            in more than half of the answers (prescribed headings) are passed over.
        top_opening_ratio: Share of answers with the most common opening.
        most_repeated_answer: How often the most common masked answer stands there.
        triples: Different (rule, reasoning, action), masked; 0 where the metadata has none.
    """

    count: int
    masked: Survivors
    unmasked: Survivors
    distinct_2: float
    distinct_3: float
    openings: tuple[tuple[str, int], ...]
    top_opening_ratio: float
    most_repeated_answer: int
    triples: int


def measure_diversity(messages: Sequence[str], metadata: Sequence[str] = ()) -> Diversity:
    """Measures how varied conversations are.

    Args:
        messages: JSON of the messages of each conversation.
        metadata: JSON objects with `rule`, `reasoning` and `action`, where there are any.
    """
    conversations, answers = _read_texts(messages)
    words = [split_words(answer, mask_numbers=True) for answer in answers]
    bodies = _drop_headings(answers)
    openings = Counter(" ".join(split_words(body, mask_numbers=True)[:OPENING_WORDS]) for body in bodies)
    repeats = Counter(" ".join(w) for w in words)
    common = openings.most_common(_TOP_OPENINGS)
    return Diversity(
        count=len(answers),
        masked=_count_survivors(conversations, answers, is_masked=True),
        unmasked=_count_survivors(conversations, answers, is_masked=False),
        distinct_2=_distinct_ratio(words, 2),
        distinct_3=_distinct_ratio(words, 3),
        openings=tuple(common),
        top_opening_ratio=common[0][1] / len(answers) if common else 0.0,
        most_repeated_answer=max(repeats.values(), default=0),
        triples=_count_triples(metadata),
    )


def _read_texts(messages: Sequence[str]) -> tuple[list[str], list[str]]:
    conversations, answers = [], []
    for text in messages:
        turns = json.loads(text)
        parts = [part for turn in turns for part in (turn["content"], turn.get("input")) if part]
        conversations.append("\n".join(parts))
        answers.append("\n".join(turn["content"] for turn in turns if turn["role"] == "assistant"))
    return conversations, answers


def _drop_headings(answers: list[str]) -> list[str]:
    """Gives the answers without lines that stand in most of them: a prescribed heading says nothing about variety."""
    lines = Counter(line for answer in answers for line in set(answer.split("\n")) if line.strip())
    common = {line for line, count in lines.items() if count > max(len(answers) / 2, 1)}
    return ["\n".join(line for line in answer.split("\n") if line not in common) for answer in answers]


def _count_survivors(conversations: list[str], answers: list[str], *, is_masked: bool) -> Survivors:
    def count(texts: list[str]) -> int:
        return find_duplicates(texts, THRESHOLD, ngram=NGRAM, mask_numbers=is_masked).kept.height

    return Survivors(count(conversations), count(answers))


def _distinct_ratio(texts: Iterable[list[str]], size: int) -> float:
    seen: set[tuple[str, ...]] = set()
    total = 0
    for words in texts:
        grams = list(zip(*(words[start:] for start in range(size)), strict=False))
        seen.update(grams)
        total += len(grams)
    return len(seen) / total if total else 0.0


def _count_triples(metadata: Sequence[str]) -> int:
    triples = set()
    for text in metadata:
        values = json.loads(text)
        if "rule" in values:
            steps = (
                " ".join(split_words(str(values.get(key, "")), mask_numbers=True)) for key in ("reasoning", "action")
            )
            triples.add((values["rule"], *steps))
    return len(triples)
