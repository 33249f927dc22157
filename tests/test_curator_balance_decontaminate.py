"""Rows that share wording with an evaluation case are found, others are not."""

import json
from pathlib import Path

import polars as pl
import pytest

from curator.balance.decontaminate import Case, find_contaminated, read_cases
from schemas.errors import ConfigError
from schemas.example import dump_messages
from sources.packs.loader import load_pack

QUESTION = "Bench 185 for 3 sets of 5, all clean, second session in a row. Sleep 8 hours. What should I do next time?"
REFERENCE = (
    "Go up to 190 lb for 3 sets of 5, because you hit the target twice in a row and slept well enough to recover."
)


def make_texts(*pairs: tuple[str, str]) -> pl.DataFrame:
    messages = [dump_messages([{"role": "user", "content": q}, {"role": "assistant", "content": a}]) for q, a in pairs]
    ids = [f"row{number}" for number in range(len(pairs))]
    return pl.DataFrame(
        {"id": ids, "messages": messages, "rejected": [None] * len(pairs)}, schema_overrides={"rejected": pl.String}
    )


CASES = [Case("load_up", QUESTION, REFERENCE)]


def test_the_same_question_is_found_however_it_is_answered() -> None:
    found = find_contaminated(make_texts((QUESTION.upper(), "Something else entirely, in words of its own.")), CASES)
    assert found["subject_id"].to_list() == ["row0"]
    assert found["partner"].to_list() == ["load_up"]
    assert "question" in found["detail"][0]


def test_an_answer_that_quotes_the_reference_is_found() -> None:
    quoted = f"Well done! {REFERENCE} Then look at your sleep for the week."
    found = find_contaminated(make_texts(("How heavy should my next bench session be?", quoted)), CASES)
    assert found.select("subject_id", "reason").rows() == [("row0", "contaminated")]


def test_a_row_of_the_same_topic_in_other_words_stays() -> None:
    other = ("My bench went well twice. More weight?", "Yes: take the smallest jump your gym has and keep the sets.")
    assert find_contaminated(make_texts(other), CASES).height == 0


def test_the_packs_own_cases_are_always_read_and_further_files_too(tmp_path: Path) -> None:
    extra = tmp_path / "eval.jsonl"
    extra.write_text(json.dumps({"question": "Is it safe?", "answer": "Ask a doctor."}) + "\n", encoding="utf-8")
    cases = read_cases(load_pack("fitness"), [extra])
    assert len(cases) > 60
    assert cases[-1] == Case("eval.jsonl:1", "Is it safe?", "Ask a doctor.")


def test_a_line_that_is_no_case_is_named(tmp_path: Path) -> None:
    bad = tmp_path / "eval.jsonl"
    bad.write_text('{"question": "ok"}\n{"nothing": 1}\n', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"eval\.jsonl:2"):
        read_cases(load_pack("golf"), [bad])


def test_the_fitness_pack_does_not_train_on_its_own_cases() -> None:
    cases = read_cases(load_pack("fitness"))
    texts = make_texts(*((case.question, case.answer) for case in cases))
    assert find_contaminated(texts, cases).height == len(cases)
