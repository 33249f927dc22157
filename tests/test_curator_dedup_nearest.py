import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.dedup import DedupError, find_near, index
from curator.dedup.jaccard import shingle_set

WORDS = st.sampled_from(["run", "swim", "bike", "lift", "rest", "5", "7", "golf", "跑", "Straße"])
TEXTS = st.lists(st.lists(WORDS, max_size=7).map(" ".join), max_size=7)


def score(measure, ours, theirs):
    if not ours or not theirs:
        return 0.0
    shared = len(ours & theirs)
    below = {"jaccard": len(ours | theirs), "containment": len(ours), "overlap": min(len(ours), len(theirs))}
    return shared / below[measure]


def brute_force(texts, against, threshold, ngram, measure, top_k):
    rows = []
    theirs = [shingle_set(text, ngram) for text in against]
    for at, text in enumerate(texts):
        ours = shingle_set(text, ngram)
        scores = [(-score(measure, ours, other), near) for near, other in enumerate(theirs)]
        best = [(at, near, np.float32(-value)) for value, near in sorted(scores) if -value >= threshold and value < 0]
        rows += best[:top_k]
    return rows


@settings(deadline=None, max_examples=80)
@given(
    TEXTS,
    TEXTS,
    st.sampled_from([0.0, 0.4, 0.8]),
    st.integers(1, 5),
    st.sampled_from(["jaccard", "containment", "overlap"]),
    st.sampled_from([1, 2, 100]),
)
def test_nearest_texts_are_those_of_the_plain_definition(texts, against, threshold, ngram, measure, top_k):
    found = find_near(texts, against, threshold, ngram, measure=measure, top_k=top_k)
    assert found.rows() == brute_force(texts, against, threshold, ngram, measure, top_k)


def test_both_paths_find_the_same(monkeypatch):
    generator = np.random.default_rng(1)
    words = [f"w{at}" for at in range(300)]
    texts = [" ".join(generator.choice(words, 20)) for _ in range(5000)] + ["", "naïve cafe\u0301 我跑"]
    against = [text + " more" for text in texts[::50]]
    monkeypatch.setattr(index, "NUMPY_ROWS", 10**9)
    plain = find_near(texts, against, 0.3, 3, top_k=5)
    monkeypatch.setattr(index, "NUMPY_ROWS", 0)
    monkeypatch.setattr(index, "COMPILE_ROWS", 0)
    assert find_near(texts, against, 0.3, 3, top_k=5).equals(plain)
    assert len(plain) >= 100


def test_without_top_k_the_best_one_is_returned():
    assert find_near(["a b c d"], ["a b c", "a b c d e"], 0.1, 1).select("near").item() == 1


def test_a_quotation_is_found_by_containment():
    book = " ".join(f"w{at}" for at in range(1000))
    quote = " ".join(f"w{at}" for at in range(400, 440))
    assert find_near([quote], [book], 0.8).is_empty()
    assert find_near([quote], [book], 0.8, measure="containment")["similarity"].item() == 1.0


@pytest.mark.parametrize("options", [{"threshold": 1.5}, {"measure": "cosine"}, {"ngram": 0}])
def test_impossible_options_are_refused(options):
    with pytest.raises(DedupError):
        find_near(["a"], ["a"], **options)
