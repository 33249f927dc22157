"""Rows of general sources get a category only when they speak of the domain."""

import dataclasses
import re
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.categorise.stage import categorise_examples
from curator.extract import domain
from curator.extract.build import build_example
from curator.extract.domain import OFF_DOMAIN, load_domains, mark_off_domain
from schemas.config import CategoriseConfig
from schemas.errors import ConfigError
from schemas.frames import example_frame
from schemas.pack import Pack
from sources.packs.loader import load_pack

SQUAT = ("How deep should I squat?", "Squat as deep as your hips allow; that trains the muscles most.")
LOOP = ("What is a while loop?", "A loop that runs as long as its condition holds, in sets and reps of code.")


def make_row(question: str, answer: str, extractor: str = "conversation", document: str = "d", **tags: str) -> dict:
    messages = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return build_example(
        {"id": document}, extractor=extractor, span={"rows": [1, 1]}, messages=messages, unit_keys=[], **tags
    )


def mark(*rows: dict, pack: Pack | None = None) -> list[str | None]:
    frame = example_frame(rows)
    return mark_off_domain(frame, pack or load_pack("fitness"))["category_basis"].to_list()


def test_a_row_about_the_domain_stays_open_and_another_is_marked() -> None:
    assert mark(make_row(*SQUAT), make_row(*LOOP)) == [None, OFF_DOMAIN]


@pytest.mark.parametrize(
    ("question", "answer", "is_held"),
    [
        ("كم مرة أتدرب في الأسبوع وكيف أغذي العضلات؟", "ثلاثة تمارين في الأسبوع تكفي.", True),
        ("Rewrite the sentence: squats build muscle.", "Muscle is built by squats.", False),
        ("Write a poem about the gym.", "The gym, the gym, a barbell song.", False),
        ("How do I sleep better?", "Go to bed at the same time.", False),
        ("How do I sleep better?", "Sleep in a dark room.", True),
        ("How do I live well with diabetes?", "Exercise, eat protein and lose weight if you are overweight.", True),
        ("How do I live well with diabetes?", "Take your insulin on time, and exercise.", False),
        ("How do I sleep better?", f"Sleep. {'The word is not the thing. ' * 40}", False),
    ],
)
def test_question_and_answer_must_both_be_the_coachs(question: str, answer: str, is_held: bool) -> None:
    assert mark(make_row(question, answer)) == [None if is_held else OFF_DOMAIN]


def test_sections_of_a_page_are_judged_together() -> None:
    split = ("What about selecting a split?", "Beginners: full body 3x a week.")
    page = [make_row(*SQUAT, extractor="page"), make_row(*split, extractor="page")]
    assert mark(*page) == [None, None]
    assert mark(make_row(*split, extractor="page")) == [OFF_DOMAIN]


def test_threads_records_and_labelled_rows_are_not_asked() -> None:
    rows = [
        make_row(*LOOP, extractor="thread"),
        make_row(*LOOP, extractor="record"),
        make_row(*LOOP, category="technique", category_basis="label"),
    ]
    assert mark(*rows) == [None, None, "label"]


def test_a_pack_without_a_domain_marks_nothing() -> None:
    pack = load_pack("fitness").model_copy(update={"domain": None})
    assert mark(make_row(*LOOP), pack=pack) == [None]


def test_a_marked_row_gets_no_category_whatever_its_words_vote_for() -> None:
    pack = load_pack("fitness").model_copy(update={"training": []})
    votes = "What about creatine, whey, macros and calories?"
    rows = example_frame(
        [make_row(votes, "Creatine.", language="en", category_basis=basis) for basis in (None, OFF_DOMAIN)]
    ).with_columns(pl.Series("id", ["open", "off"]))
    labels = categorise_examples(rows, CategoriseConfig(), pack).sort("example_id")
    assert labels.select("example_id", "category", "basis").rows() == [
        ("off", None, OFF_DOMAIN),
        ("open", "nutrition", "lexicon"),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [("[en]\nwords = ['squat']", "words"), ("[en]\nsubjects = ['squat']\ntasks = ['(']", "tasks")],
)
def test_a_broken_domain_file_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "domain.toml").write_text(text)
    pack = load_pack("fitness").model_copy(update={"root": tmp_path, "domain": "domain.toml"})
    with pytest.raises(ConfigError, match=message):
        load_domains(pack)


def test_every_bundled_domain_speaks_the_languages_of_its_pack() -> None:
    for name in ("fitness", "golf"):
        pack = load_pack(name)
        assert len(load_domains(pack)) == len(pack.languages)
        assert all(dataclasses.is_dataclass(domain) for domain in load_domains(pack))


@given(
    st.lists(st.text("aAbsSİIıſ-3 ", min_size=1, max_size=4).filter(str.strip), min_size=1, max_size=6),
    st.text("aAbsSİIıſ-3 .", max_size=20),
)
def test_terms_are_found_as_if_each_were_held_against_every_word(terms, text):
    parts = sorted(map(re.escape, terms), key=len, reverse=True)
    plain = re.compile(rf"(?<!\w)(?:{'|'.join(parts)})(?!\w)", re.IGNORECASE)
    ours = domain._find_terms(terms)
    assert [match[0] for match in ours.finditer(text)] == [match[0] for match in plain.finditer(text)]
