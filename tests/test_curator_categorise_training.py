"""The classifier learns from a pack's labelled texts, and hears the lexicon's votes beside their words."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from curator.categorise import categorise_examples, training
from curator.categorise.classifier import Classifier, train_classifier
from curator.categorise.features import MAX_CHARS, learn_features
from curator.categorise.lexicon import find_votes, load_lexicon, sum_votes
from curator.categorise.storage import dump_classifier, load_classifier
from curator.categorise.training import make_pack_classifier, read_training_texts
from schemas.config import CategoriseConfig
from schemas.errors import ConfigError
from schemas.example import dump_messages
from schemas.pack import Pack
from sources.packs.loader import load_pack

PACK = """
name = "mini"
title = "Mini"
languages = ["en"]
lexicon = "lexicon.toml"
training = ["posts.jsonl"]
categories = [
    {name = "exercise", title = "Exercise", target = 0.5},
    {name = "planning", title = "Planning", target = 0.5},
]
roles.coach = {temperature = 0.5, system_prompt = {en = "Coach."}}
"""
LEXICON = """
[en.exercise]
squat = 2.0
press = 1.0
[en.planning]
program = 2.0
[en.other]
meme = 2.0
"""
CONFIG = CategoriseConfig(min_training_rows=20, min_confidence=0.6)
POSTS = [
    *[("exercise", f"How low do I go?\n\nMy knees and the bar wander, film {n}") for n in range(12)],
    *[("planning", f"Which days do I rest?\n\nSix weeks of sets, month {n}") for n in range(12)],
    *[("other", f"Look at my dog\n\nHe is sleeping on the sofa, picture {n}") for n in range(12)],
]


def make_pack(folder: Path, posts: list[tuple[str, str]] = POSTS) -> Pack:
    (folder / "pack.toml").write_text(PACK)
    (folder / "lexicon.toml").write_text(LEXICON)
    lines = [json.dumps({"text": text, "category": category}) for category, text in posts]
    (folder / "posts.jsonl").write_text("\n".join(lines) + "\n")
    return load_pack(folder)


@pytest.fixture
def pack(tmp_path: Path) -> Pack:
    return make_pack(tmp_path)


def label(pack: Pack, *questions: str, config: CategoriseConfig = CONFIG, **values) -> list[dict]:
    schema = dict.fromkeys(("id", "messages", "category", "category_basis", "role", "language"), pl.String)
    rows = [
        {
            "id": f"{n:03}",
            "messages": dump_messages([{"role": "user", "content": text}]),
            **dict.fromkeys(("category", "category_basis", "role")),
            "language": "en",
            **values,
        }
        for n, text in enumerate(questions)
    ]
    maker = make_pack_classifier(pack, config, 0)
    return categorise_examples(pl.DataFrame(rows, schema=schema), config, pack, maker).to_dicts()


def test_texts_are_read_with_their_labels_and_full_weight(pack):
    texts = read_training_texts(pack)
    assert texts.rows()[0] == (POSTS[0][1], "exercise", 1.0)
    assert texts["category"].value_counts().sort("category").rows() == [
        ("exercise", 12),
        ("other", 12),
        ("planning", 12),
    ]


def test_words_that_no_lexicon_holds_are_learnt_from_posts(pack):
    found = label(pack, "How low do I go with my knees?", "Which days in six weeks?")
    assert [row["category"] for row in found] == ["exercise", "planning"]
    assert {row["basis"] for row in found} == {"classifier"}
    assert found[0]["evidence"] == "classifier: exercise"


def test_what_looks_like_an_other_post_stays_uncategorised(pack):
    found = label(pack, "My dog sleeping on the sofa, look")[0]
    assert (found["category"], found["basis"], found["evidence"]) == (None, "undecided", "classifier: other")
    assert found["confidence"] >= CONFIG.min_confidence


def test_a_lexicon_winner_does_not_overrule_the_classifier(pack):
    assert label(pack, "Look at my dog sleeping on the sofa, he can squat")[0]["category"] is None


def test_words_are_the_basis_where_lexicon_and_classifier_agree(pack):
    found = label(pack, "How low do I go in the squat? My knees wander")[0]
    assert (found["category"], found["basis"], found["evidence"]) == ("exercise", "lexicon", "squat")
    assert CONFIG.min_confidence <= found["confidence"] < 1


def test_below_the_confidence_nothing_is_guessed(pack):
    strict = CategoriseConfig(min_training_rows=20, min_confidence=1.0)
    found = label(pack, "How low do I go with my knees?", config=strict)[0]
    assert (found["category"], found["basis"], found["evidence"]) == (None, "undecided", "classifier: exercise")


def test_the_label_of_the_source_still_wins(pack):
    found = label(pack, "My dog sleeping on the sofa", category="planning", category_basis="flair")[0]
    assert (found["category"], found["basis"], found["confidence"]) == ("planning", "flair", 1.0)


def test_too_few_posts_leave_the_decision_to_the_lexicon(tmp_path):
    pack = make_pack(tmp_path, POSTS[:3])
    assert make_pack_classifier(pack, CONFIG, 0)() is None
    found = label(pack, "a deep squat", "nothing known")
    assert [(row["category"], row["basis"]) for row in found] == [("exercise", "lexicon"), (None, "undecided")]


def test_the_same_posts_give_the_same_labels_in_any_company(pack):
    questions = ["How low do I go?", "Which days do I rest?", "A picture of my dog", "knees", "weeks"]
    first = label(pack, *questions)
    assert label(pack, *questions) == first
    alone = label(pack, questions[4])[0]
    assert {**alone, "example_id": "004"} == first[4]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "posts.jsonl:2"),
        ('{"text": "a"}', "category"),
        ('["text", "category"]', "posts.jsonl:2"),
        ('{"text": " ", "category": "exercise"}', "expected words"),
        ('{"text": 7, "category": "exercise"}', "expected words"),
        ('{"text": "a", "category": "golf"}', "'golf' is no category"),
    ],
)
def test_a_broken_line_is_named(tmp_path, line, message):
    pack = make_pack(tmp_path)
    (tmp_path / "posts.jsonl").write_text(json.dumps({"text": "a", "category": "other"}) + "\n" + line + "\n")
    with pytest.raises(ConfigError, match=message):
        read_training_texts(pack)


def test_an_absent_training_file_is_named(tmp_path):
    pack = make_pack(tmp_path)
    (tmp_path / "posts.jsonl").unlink()
    with pytest.raises(ConfigError, match=r"posts\.jsonl is not a file of the pack"):
        read_training_texts(pack)


def test_votes_are_summed_by_text_and_category(pack):
    terms = load_lexicon(pack)
    votes = sum_votes(find_votes(pl.Series(["Squat, press!", "nothing", "squat meme"]), terms), 3, terms)
    assert votes.tolist() == [[3.0, 0.0, 0.0], [0.0, 0.0, 0.0], [2.0, 2.0, 0.0]]


def test_only_the_beginning_of_a_text_is_read(pack):
    features = learn_features(pl.Series([text for _, text in POSTS]), load_lexicon(pack))
    text = "knees and the bar " * 100
    both = features.transform(pl.Series([text, text[:MAX_CHARS] + " squat meme"])).toarray()
    assert np.array_equal(both[0], both[1])


def test_words_in_the_title_count_again():
    features = learn_features(pl.Series([text for _, text in POSTS]))
    in_title, in_body = features.transform(pl.Series(["low\nsofa", "sofa\nlow"])).toarray()
    assert np.count_nonzero(in_body) == 2
    assert np.count_nonzero(in_title) == 3


def test_a_row_of_weight_counts_more():
    texts = pl.Series(["bar a", "bar b"] * 10 + ["bar c", "week d"] * 10)
    labels = pl.Series(["x"] * 20 + ["y"] * 20)

    def confidence(weights: pl.Series | None) -> float:
        found: Classifier | None = train_classifier(texts, labels, 10, weights)
        assert found is not None
        guess = found.predict(pl.Series(["bar"]))
        return guess["confidence"][0] if guess["category"][0] == "x" else 1 - guess["confidence"][0]

    heavy = pl.Series([1.0] * 20 + [1.0, 9.0] * 10)
    assert confidence(heavy) > confidence(None) > 0.5


def test_the_bundled_posts_are_many_of_each_kind_and_no_text_has_two_labels():
    pack = load_pack("fitness")
    texts = read_training_texts(pack)
    assert set(texts["category"]) == {*pack.category_names, "other"}
    assert texts["category"].value_counts()["count"].min() >= 90
    assert texts["text"].n_unique() == texts.height


@pytest.mark.parametrize("num_classes", [2, 3])
def test_probabilities_are_those_of_scikit_learn(num_classes, monkeypatch):
    from sklearn.linear_model import LogisticRegression

    fitted = []
    fit = LogisticRegression.fit
    monkeypatch.setattr(LogisticRegression, "fit", lambda self, *a, **k: fitted.append(self) or fit(self, *a, **k))
    posts = POSTS[: 12 * num_classes]
    texts = pl.Series([text for _, text in posts])
    classifier = train_classifier(texts, pl.Series([category for category, _ in posts]), 10)
    assert classifier is not None
    numbers = classifier.features.transform(texts)
    ours, theirs = classifier.regression.predict(numbers), fitted[0].predict_proba(numbers)
    assert ours.shape == theirs.shape == (12 * num_classes, num_classes)
    assert np.allclose(ours, theirs, rtol=0, atol=1e-14)


def test_a_stored_classifier_answers_to_the_last_bit(pack):
    terms = load_lexicon(pack)
    texts = pl.Series([text for _, text in POSTS])
    classifier = train_classifier(texts, pl.Series([category for category, _ in POSTS]), 10, terms=terms)
    assert classifier is not None
    stored = load_classifier(dump_classifier(classifier), terms)
    assert stored is not None
    numbers = classifier.features.transform(texts)
    assert (stored.features.transform(texts) != numbers).nnz == 0
    assert np.array_equal(stored.regression.predict(numbers), classifier.regression.predict(numbers))
    assert stored.predict(texts).equals(classifier.predict(texts))


def test_a_classifier_is_trained_once_for_the_same_pack_and_anew_for_another(pack, tmp_path_factory, monkeypatch):
    cache = tmp_path_factory.mktemp("cache")
    trained = []

    def train(texts: pl.Series, *values) -> Classifier | None:
        trained.append(len(texts))
        return train_classifier(texts, *values)

    monkeypatch.setenv("CURATOR_CACHE_DIR", str(cache))
    monkeypatch.setattr(training, "train_classifier", train)
    questions = ("How low do I go?", "Which days do I rest?")
    first = label(pack, *questions)
    assert label(pack, *questions) == first
    # A threshold changes what is done with an answer, not the answer.
    label(pack, *questions, config=CategoriseConfig(min_training_rows=20, min_confidence=0.9))
    assert trained == [36]
    (path,) = cache.iterdir()
    path.write_bytes(path.read_bytes()[:-1])
    assert label(pack, *questions) == first
    assert trained == [36, 36]
    label(make_pack(pack.root, POSTS[1:]), *questions)
    assert trained == [36, 36, 35]


def test_a_stored_classifier_needs_no_scikit_learn(pack, tmp_path_factory, monkeypatch):
    # Not where other tests keep theirs: only the last few stay.
    monkeypatch.setenv("CURATOR_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
    label(pack, "How low do I go?")
    code = (
        "import sys; from pathlib import Path; from sources.packs.loader import load_pack;"
        "from curator.categorise.training import make_pack_classifier; from schemas.config import CategoriseConfig;"
        f"pack = load_pack(Path({str(pack.root)!r})); config = CategoriseConfig(min_training_rows=20);"
        "print(make_pack_classifier(pack, config, 0)() is not None, 'sklearn' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["True", "False"]
