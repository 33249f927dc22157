from itertools import combinations

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.dedup import DedupError, find_pairs, similarity

WORDS = st.sampled_from(["run", "swim", "bike", "lift", "rest", "5", "7", "golf", "跑", "Straße"])
TEXTS = st.lists(st.lists(WORDS, max_size=9).map(" ".join), max_size=14)


def brute_force(texts, threshold, **options):
    pairs = ((a, b, similarity(texts[a], texts[b], **options)) for a, b in combinations(range(len(texts)), 2))
    return [(a, b, np.float32(s)) for a, b, s in pairs if s >= threshold]


@settings(deadline=None)
@given(TEXTS, st.sampled_from([0.3, 0.5, 0.7, 0.8, 1.0]), st.integers(1, 5), st.booleans())
def test_exact_pairs_are_those_of_the_plain_definition(texts, threshold, ngram, mask_numbers):
    found = find_pairs(texts, threshold, ngram=ngram, mask_numbers=mask_numbers)
    assert found.rows() == brute_force(texts, threshold, ngram=ngram, mask_numbers=mask_numbers)


@settings(deadline=None)
@given(TEXTS, st.sampled_from([0.4, 0.8]))
def test_exact_pairs_by_characters_are_those_of_the_plain_definition(texts, threshold):
    assert find_pairs(texts, threshold, kind="char").rows() == brute_force(texts, threshold, kind="char")


@settings(deadline=None)
@given(TEXTS)
def test_lsh_reports_no_pair_below_the_threshold(texts):
    exact = set(find_pairs(texts, 0.8).rows())
    assert set(find_pairs(texts, 0.8, method="lsh").rows()) <= exact


def test_texts_of_fewer_than_five_words_are_one_shingle():
    assert find_pairs(["a b c", "A, b c!", "a b d"]).rows() == [(0, 1, 1.0)]


def test_empty_texts_match_nothing():
    assert find_pairs(["", None, "...", "", "word"]).is_empty()


def test_columns_have_their_types():
    assert find_pairs(["a", "a"]).schema == {"left": pl.UInt32, "right": pl.UInt32, "similarity": pl.Float32}
    assert find_pairs([]).schema == find_pairs(["a", "a"]).schema


@pytest.mark.parametrize(
    "make",
    [
        list,
        tuple,
        np.array,
        lambda texts: np.array(texts, dtype=object),
        pl.Series,
        lambda texts: pl.Series(texts).cast(pl.Categorical),
        pa.array,
        lambda texts: pa.chunked_array([texts[:2], texts[2:]]),
        lambda texts: pa.array(texts, type=pa.large_string()),
        lambda texts: pa.array(texts, type=pa.string_view()),
        lambda texts: pl.concat([pl.Series(texts[:1]), pl.Series(texts[1:])], rechunk=False),
    ],
)
def test_any_container_of_strings_is_read(make):
    texts = ["one two three four five six seven", "something else", "ONE two three four five six seven!", "läuft"]
    assert find_pairs(make(texts)).rows() == [(0, 2, 1.0)]


def test_spanning_pairs_connect_the_same_texts_with_fewer_pairs():
    texts = ["a b c d e f g h i j k l"] * 4 + ["a b c d e f g h i j k l m"] * 3 + ["other"]
    pairs = find_pairs(texts, spanning=True)
    assert len(find_pairs(texts)) == 21
    assert len(pairs) == 6
    connected = {0}
    for left, right, _ in pairs.rows() * 2:
        if {left, right} & connected:
            connected |= {left, right}
    assert connected == set(range(7))


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"threshold": 0.0}, "threshold"),
        ({"threshold": 1.1}, "threshold"),
        ({"ngram": 0}, "ngram"),
        ({"method": "fast"}, "method"),
        ({"kind": "byte"}, "kind"),
        ({"threshold": 0.01, "method": "lsh"}, "threshold"),
    ],
)
def test_impossible_options_are_refused_in_one_line(options, word):
    with pytest.raises(DedupError, match=word) as caught:
        find_pairs(["a", "b"], **options)
    assert "\n" not in caught.value.message
    assert caught.value.hint


def test_values_that_are_no_strings_are_refused():
    with pytest.raises(DedupError, match="strings"):
        find_pairs([1, 2])
    with pytest.raises(DedupError, match="strings"):
        find_pairs(["a", 2])


def test_too_many_pairs_are_refused_before_they_are_made():
    with pytest.raises(DedupError, match="pairs"):
        find_pairs(["the same"] * 20_000)
