"""Diversity: numbers hide clones, so they are masked; the generator's own bars."""

import json
from pathlib import Path

import pytest

from curator.diversity import measure_diversity
from sources.packs.loader import load_pack
from sources.protocol import SourceContext
from sources.synthetic import SyntheticOptions, SyntheticSource


def conversation(question: str, answer: str) -> str:
    return json.dumps([{"role": "user", "content": question}, {"role": "assistant", "content": answer}])


def test_clones_with_other_numbers_count_once():
    # Three templates of numbers only: no two rows are near-duplicates as written, three are left when masked.
    rows = [
        conversation(
            f"I lift {n} {n + 1} {n + 2} {n * 7}", f"{['Add', 'Hold', 'Drop'][n % 3]} {n * 3} {n * 5} {n * 11} now"
        )
        for n in range(10, 310)
    ]
    found = measure_diversity(rows)
    assert found.masked.conversations == 3
    assert found.masked.answers == 3
    assert found.unmasked.answers == 300
    assert found.most_repeated_answer == 100
    assert found.top_opening_ratio == pytest.approx(1 / 3)


def test_different_answers_all_survive():
    words = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
    rows = [conversation("q " + " ".join(words[n:]), " ".join(words[n : n + 5])) for n in range(7)]
    assert measure_diversity(rows).masked.answers == 7


def test_prescribed_headings_are_no_opening():
    rows = [conversation("q", f"WHAT TO DO:\n{word} {word} {word} {word} {word} {word}") for word in ("a", "b", "c")]
    assert dict(measure_diversity(rows).openings) == {"a a a a a a": 1, "b b b b b b": 1, "c c c c c c": 1}


def test_triples_are_counted_without_numbers():
    facts = [json.dumps({"rule": "r", "reasoning": f"because {n}", "action": "add"}) for n in range(3)]
    facts.append(json.dumps({"rule": "r", "reasoning": "because", "action": "hold 5"}))
    rows = [conversation("q", "a")] * 4
    assert measure_diversity(rows, facts).triples == 2


def test_nothing_gives_zeros():
    assert measure_diversity([]).count == 0


# In a small sample the most common opening weighs more than in the long run, where it stays under 3 percent.
@pytest.mark.parametrize(
    ("pack_name", "count", "whole", "answers", "opening"),
    [("fitness", 1000, 0.95, 0.9, 0.03), ("golf", 200, 0.99, 0.99, 0.06)],
)
def test_generated_rows_are_not_clones(pack_name, count, whole, answers, opening):
    context = SourceContext(root=Path("/"), pack=load_pack(pack_name))
    source = SyntheticSource(SyntheticOptions(count=count), context)
    documents = next(source.read(None)).documents
    rows = [json.dumps(json.loads(content)["messages"]) for content in documents["content"]]
    found = measure_diversity(rows, documents["metadata"].to_list())
    assert found.masked.conversations >= whole * count
    assert found.masked.answers >= answers * count
    assert found.top_opening_ratio < opening
    assert found.most_repeated_answer <= 20
