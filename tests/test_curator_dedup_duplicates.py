import random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.dedup import DedupError, find_duplicates, similarity

BASE = "how do i keep my elbow still while i swing the club without losing power in the hit"
NEAR = BASE + " today"
OTHER = "what is the best way to start running after a long winter on the couch"


def test_one_of_two_near_duplicates_is_kept_and_the_other_names_it():
    found = find_duplicates([BASE, OTHER, NEAR], ids=["base", "other", "near"])
    assert found.kept.rows() == [("other", 0), ("near", 1)]
    (removed,) = found.removed.rows(named=True)
    assert removed["id"] == "base"
    assert removed["partner"] == removed["representative"] == removed["cluster"] == "near"
    assert removed["score"] == pytest.approx(similarity(BASE, NEAR))
    assert found.pairs.rows() == [("base", "near", removed["score"])]


def test_rank_decides_before_quality_and_quality_before_length():
    assert kept([BASE, NEAR]) == [1]
    assert kept([BASE, NEAR], quality=[0.9, 0.2]) == [0]
    assert kept([BASE, NEAR], quality=[0.9, 0.2], rank=[2, 1]) == [1]
    assert kept([BASE, NEAR], quality=[None, 0.2]) == [1]
    assert kept([BASE, NEAR], quality=[0.1, float("nan")]) == [0]


def kept(texts, **options):
    return find_duplicates(texts, **options).kept["id"].to_list()


def test_identical_rows_collapse_to_the_best_with_score_one():
    found = find_duplicates([BASE, BASE.upper(), BASE], rank=[3, 2, 1])
    assert found.kept.rows() == [(2, 2)]
    assert found.removed["score"].to_list() == [1.0, 1.0]
    assert found.removed["partner"].to_list() == [2, 2]


def test_empty_rows_are_kept_and_counted():
    found = find_duplicates(["", None, "...", "word", "word"])
    assert found.kept["id"].to_list() == [0, 1, 2, 3]
    assert found.num_empty == 3


def test_rows_of_one_exempt_group_are_duplicates_only_with_the_same_words():
    texts = [BASE + " 5", BASE + " 6", BASE + " 5", OTHER]
    best_first = {"quality": [4, 3, 2, 1]}
    assert kept(texts, exempt_groups=[7, 7, 7, 7], **best_first) == [0, 1, 3]
    assert kept(texts, exempt_groups=[7, 7, 7, -1], mask_numbers=True, **best_first) == [0, 1, 3]
    assert kept(texts, exempt_groups=[7, 8, 9, 9], **best_first) == [0, 3]
    assert kept(texts, exempt_groups=[-1, -1, None, 1], **best_first) == [0, 3]


def test_numbers_count_unless_they_are_masked():
    texts = ["eat 5 eggs a day", "eat 6 eggs a day"]
    assert kept(texts) == [0, 1]
    assert kept(texts, mask_numbers=True) == [0]


def chain():
    """Five texts, each near the next only: words drop out at the front and come in at the back."""
    words = [f"w{at:03d}" for at in range(200)]
    return [" ".join(words[at * 4 : at * 4 + 60]) for at in range(5)]


def test_a_chain_is_cut_where_rows_are_far_from_the_representative():
    texts = chain()
    found = find_duplicates(texts, 0.8, rank=range(5))
    assert len(found.kept) == 3
    assert found.num_cut == 2
    for row in found.removed.rows(named=True):
        assert similarity(texts[row["id"]], texts[row["representative"]]) >= 0.8


def test_a_lower_bridge_lets_the_chain_collapse_to_one():
    texts = chain()
    found = find_duplicates(texts, 0.8, bridge_similarity=0.2)
    assert len(found.kept) == 1
    assert found.num_cut == 0
    assert found.removed["score"].min() >= 0.8
    assert len(find_duplicates(texts, 0.8, bridge_similarity=0.6, rank=range(5)).kept) == 2


WORDS = st.sampled_from(["run", "swim", "bike", "lift", "rest", "5", "7", "golf", "跑"])
TEXTS = st.lists(st.lists(WORDS, min_size=0, max_size=8).map(" ".join), max_size=12)


@settings(deadline=None, max_examples=60)
@given(TEXTS, st.randoms(), st.sampled_from(["exact", "lsh"]), st.sampled_from([None, 0.3]))
def test_the_order_of_the_rows_changes_nothing(texts, generator, method, bridge):
    rows = list(enumerate(texts))
    shuffled = random.Random(generator.random()).sample(rows, len(rows))
    results = []
    for part in (rows, shuffled):
        found = find_duplicates(
            [text for _, text in part],
            0.5,
            method,
            ids=pl.Series("id", [at for at, _ in part], dtype=pl.Int64),
            bridge_similarity=bridge,
            ngram=2,
        )
        results.append((found.kept.sort("id").rows(), found.removed.sort("id").rows(), found.num_cut))
    assert results[0] == results[1]


@settings(deadline=None, max_examples=60)
@given(TEXTS, st.sampled_from([0.4, 0.6, 0.8]))
def test_no_two_kept_rows_are_near_and_every_removed_row_is_near_a_kept_one(texts, threshold):
    found = find_duplicates(texts, threshold, "exact", ngram=2)
    kept_ids = found.kept["id"].to_list()
    assert sorted(kept_ids + found.removed["id"].to_list()) == list(range(len(texts)))
    for at, one in enumerate(kept_ids):
        assert all(similarity(texts[one], texts[other], 2) < threshold for other in kept_ids[:at])
    for row in found.removed.rows(named=True):
        assert row["representative"] in kept_ids
        assert similarity(texts[row["id"]], texts[row["representative"]], 2) >= threshold
        assert similarity(texts[row["id"]], texts[row["partner"]], 2) == pytest.approx(row["score"])


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"ids": ["a"]}, "ids"),
        ({"rank": [1]}, "rank"),
        ({"quality": ["good", "bad"]}, "quality"),
        ({"threshold": 2}, "threshold"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(options, word):
    with pytest.raises(DedupError, match=word):
        find_duplicates([BASE, NEAR], **options)
