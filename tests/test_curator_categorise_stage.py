"""Labels first, then weighted words, then the classifier, and otherwise openly nobody."""

import random
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.categorise import categorise_examples
from curator.categorise.classifier import Classifier, Regression, train_classifier
from curator.categorise.features import learn_features
from curator.categorise.lexicon import MAX_HITS, count_votes, decide_by_votes, load_lexicon, normalise_words
from schemas.config import CategoriseConfig
from schemas.errors import ConfigError
from schemas.example import dump_messages
from schemas.pack import Pack
from sources.packs.loader import load_pack

PACK = """
name = "mini"
title = "Mini"
languages = ["en", "ar"]
lexicon = "lexicon.toml"
category_roles = {planning = "planner"}
categories = [
    {name = "exercise", title = "Exercise", target = 0.5},
    {name = "planning", title = "Planning", target = 0.5},
]
roles.coach = {temperature = 0.5, system_prompt = {en = "Coach."}}
roles.planner = {temperature = 0.5, system_prompt = {en = "Planner."}}
"""
LEXICON = """
[en.exercise]
squat = 2.0
"set" = 1.5
"set up" = -1.5
"hip thrust" = 2.0
program = -2.0
[en.planning]
program = 2.0
"periodi*" = 2.0
week = 1.0
[en.other]
meme = 4.0
[ar.exercise]
"قرفصاء" = 2.0
"قوّة" = 2.0
"""


def make_pack(folder: Path, lexicon: str = LEXICON) -> Pack:
    (folder / "pack.toml").write_text(PACK)
    (folder / "lexicon.toml").write_text(lexicon)
    return load_pack(folder)


@pytest.fixture
def pack(tmp_path: Path) -> Pack:
    return make_pack(tmp_path)


def frame(*rows: dict) -> pl.DataFrame:
    base = {"category": None, "category_basis": None, "role": None, "language": "en"}
    schema = dict.fromkeys(("id", "messages", "category", "category_basis", "role", "language"), pl.String)
    return pl.DataFrame([{**base, **row} for row in rows], schema=schema)


def row(question: str, answer: str = "ok", name: str = "a", **values) -> dict:
    turns = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return {"id": name, "messages": dump_messages(turns), **values}


def label(pack: Pack, question: str, answer: str = "ok", make_classifier=lambda: None, **values) -> dict:
    config = CategoriseConfig(min_lexicon_score=2.0, min_lexicon_margin=0.3)
    return categorise_examples(frame(row(question, answer, **values)), config, pack, make_classifier).row(0, named=True)


def votes_of(pack: Pack, question: str, answer: str = "ok", language: str = "en") -> dict[str, float]:
    texts = pl.DataFrame(
        {"id": ["a"], "language": [language], "question": [question], "full": [f"{question}\n{answer}"]}
    )
    return dict(count_votes(texts, load_lexicon(pack)).select("category", "votes").iter_rows())


def test_the_label_of_the_source_wins_over_every_word(pack):
    found = label(pack, "squat squat squat", category="planning", category_basis="front_matter")
    assert (found["category"], found["basis"], found["confidence"]) == ("planning", "front_matter", 1.0)
    assert found["role"] == "planner"


def test_a_label_that_is_no_category_of_the_pack_is_no_label(pack):
    found = label(pack, "How to squat?", category="other", category_basis="flair")
    assert (found["category"], found["basis"]) == ("exercise", "lexicon")


def test_words_decide_and_are_the_evidence(pack):
    found = label(pack, "How deep is a squat and a hip thrust?")
    assert (found["category"], found["basis"], found["evidence"]) == ("exercise", "lexicon", "hip thrust, squat")
    assert 0 < found["confidence"] < 1
    assert found["role"] == "coach"


def test_the_question_counts_twice_beside_the_whole_conversation(pack):
    assert votes_of(pack, "squat") == {"exercise": 6.0}
    assert votes_of(pack, "hello", "squat") == {"exercise": 2.0}


def test_words_count_whole_and_prefixes_at_their_start(pack):
    assert votes_of(pack, "squatting unset thinset") == {}
    assert votes_of(pack, "periodization or periodised") == {"planning": 12.0}
    assert votes_of(pack, "aperiodic") == {}
    assert votes_of(pack, "Squat! (SQUAT) squat-squat") == {"exercise": 18.0}


def test_set_up_is_no_exercise(pack):
    assert votes_of(pack, "one more set") == {"exercise": 4.5}
    assert votes_of(pack, "how do I set up the rack") == {"exercise": 0.0}
    assert label(pack, "how do I set up the rack")["category"] is None


def test_a_word_may_speak_against_a_category(pack):
    assert votes_of(pack, "squat program") == {"exercise": 0.0, "planning": 6.0}
    assert label(pack, "squat program")["category"] == "planning"


def test_one_repeated_word_counts_at_most_three_times(pack):
    assert votes_of(pack, "hi", "squat " * 50) == {"exercise": 2.0 * MAX_HITS}


def test_a_close_race_stays_open(pack):
    found = label(pack, "squat week week", "squat program")
    assert (found["category"], found["basis"]) == (None, "undecided")


def test_what_is_other_stays_uncategorised_and_is_never_asked(pack):
    def never() -> Classifier:
        raise AssertionError("asked")

    found = label(pack, "a meme about a squat", make_classifier=never)
    assert (found["category"], found["basis"], found["confidence"]) == (None, "undecided", None)


def test_words_of_another_language_do_not_count(pack):
    assert votes_of(pack, "squat", language="ar") == {}
    assert votes_of(pack, "قرفصاء", language="ar") == {"exercise": 6.0}


def test_words_with_vowel_signs_are_found(pack):
    assert votes_of(pack, "تمارين قوّة الساق", language="ar") == {"exercise": 6.0}


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs", "Cn"]), max_size=20))
def test_terms_are_normalised_like_the_texts_they_are_looked_for_in(text):
    column = pl.Series([text]).str.to_lowercase().str.replace_all(r"[^\p{L}\p{N}\p{M}%]+", " ").item()
    assert normalise_words(text) == " ".join(column.split(" ")).strip()


def fixed_classifier(exercise: float) -> Classifier:
    """Gives a classifier that says of every text that it is about exercise, with this probability."""
    features = learn_features(pl.Series(["which one", "this week"] * 2))
    num_features = features.transform(pl.Series([""])).shape[1]
    odds = np.log(np.maximum([exercise, 1 - exercise], 1e-300))
    return Classifier(features, Regression(["exercise", "planning"], np.zeros((2, num_features)), odds), [])


@pytest.mark.parametrize(
    ("probability", "category"), [(0.6, "exercise"), (0.59, None), (0.41, None), (0.4, "planning")]
)
def test_the_classifier_decides_from_its_threshold_on(pack, probability, category):
    found = label(pack, "which one", "this week", make_classifier=lambda: fixed_classifier(probability))
    guess = "exercise" if probability > 0.5 else "planning"
    assert (found["category"], found["evidence"]) == (category, f"classifier: {guess}")
    assert found["basis"] == ("undecided" if category is None else "classifier")
    assert found["confidence"] == max(probability, round(1 - probability, 4))


def test_the_classifier_is_not_asked_about_rows_without_a_word_of_the_domain(pack):
    found = label(pack, "what is the weather", make_classifier=lambda: fixed_classifier(1.0))
    assert (found["category"], found["basis"]) == (None, "undecided")


def test_the_classifier_is_made_once_and_only_when_it_is_needed(pack):
    calls = []

    def make() -> None:
        calls.append(1)

    config = CategoriseConfig()
    categorise_examples(frame(row("squat squat")), config, pack, make)
    assert calls == []
    categorise_examples(frame(row("which one", "this week"), row("which?", "this week", name="b")), config, pack, make)
    assert calls == [1]


def test_the_role_of_the_row_wins_over_that_of_its_category(pack):
    assert label(pack, "squat program", role="insight")["role"] == "insight"


def test_labels_do_not_depend_on_order_or_neighbours(pack):
    rng = random.Random(3)
    words = ["squat", "set", "set up", "program", "week", "meme", "periodized", "hip thrust", "and", "rest"]
    rows = [
        row(" ".join(rng.choices(words, k=4)), " ".join(rng.choices(words, k=4)), name=f"{n:02}") for n in range(40)
    ]
    config = CategoriseConfig()
    expected = categorise_examples(frame(*rows), config, pack)
    assert categorise_examples(frame(*rng.sample(rows, 40)), config, pack).equals(expected)
    assert expected["example_id"].to_list() == [item["id"] for item in rows]
    assert 0 < expected["category"].null_count() < 40
    alone = categorise_examples(frame(rows[7]), config, pack)
    assert alone.equals(expected.slice(7, 1))


def test_nothing_gives_nothing(pack):
    assert categorise_examples(frame(), CategoriseConfig(), pack).height == 0


def test_a_tie_without_a_margin_goes_by_name():
    votes = pl.DataFrame({"id": ["a", "a"], "category": ["b", "a"], "votes": [3.0, 3.0], "words": [["x"], ["y"]]})
    tie = decide_by_votes(votes, 2.0, 0.1).row(0, named=True)
    assert (tie["winner"], tie["margin"], tie["is_decided"]) == ("a", 0.0, False)


@pytest.mark.parametrize(
    ("lexicon", "message"),
    [
        ("[en.golf]\nputt = 1.0", "golf"),
        ('[en.exercise]\nsquat = "2"', "squat"),
        ("[en.exercise]\nsquat = true", "squat"),
    ],
)
def test_a_broken_lexicon_is_named(tmp_path, lexicon, message):
    with pytest.raises(ConfigError, match=message):
        load_lexicon(make_pack(tmp_path, lexicon))


def test_the_classifier_learns_and_gives_the_same_answer_every_time():
    texts = pl.Series(
        [f"squat bar depth number {n}" for n in range(30)] + [f"weekly plan block number {n}" for n in range(30)]
    )
    categories = pl.Series(["exercise"] * 30 + ["planning"] * 30)
    asked = pl.Series(["how deep the squat bar", "a block of the weekly plan"])
    first = train_classifier(texts, categories, 10).predict(asked)
    assert first["category"].to_list() == ["exercise", "planning"]
    assert first["confidence"].min() > 0.6
    assert train_classifier(texts, categories, 10).predict(asked).equals(first)


def test_too_little_to_learn_from_gives_no_classifier():
    texts, one = pl.Series(["a b"] * 20), pl.Series(["exercise"] * 20)
    assert train_classifier(texts, one, 10) is None
    assert train_classifier(texts, pl.Series(["exercise"] * 18 + ["planning"] * 2), 10) is None
    assert train_classifier(texts, pl.Series(["exercise"] * 10 + ["planning"] * 10), 21) is None
