"""The fast way of counting words gives the very numbers of scikit-learn's own."""

import polars as pl
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from curator.categorise import features

TEXTS = [
    "How deep should I squat?\nI squat twice a week, don't I? Squat depth!",
    "Squat depth twice a week\nand protein, protein, protein; it's naïve_x.",
    "سؤال عن التمرين؟\nكم مرّة في الأسبوع",
    "كم مرّة في الأسبوع twice a week",
    "İstanbul's ΣΑΣ 5x5 ½ ²\nISTANBUL",
    "",
    "?!",
]


@pytest.mark.parametrize(("part", "has_pairs"), [("body", False), ("title", True)])
def test_words_counted_over_columns_weigh_what_scikit_learn_says(part: str, has_pairs: bool) -> None:
    texts = pl.Series(TEXTS * 2)
    vocabulary = getattr(features.learn_features(texts), part)
    vectorizer = TfidfVectorizer(
        min_df=2, sublinear_tf=True, token_pattern=features.WORD_PATTERN, ngram_range=(1, 1 + has_pairs)
    )
    seen = pl.Series([text.partition("\n")[0] for text in texts]) if part == "title" else texts
    expected = vectorizer.fit_transform(seen).toarray()
    found = features._weigh_words(vocabulary, seen).toarray()
    assert expected.any()
    assert vocabulary.words == vectorizer.get_feature_names_out().tolist()
    assert found == pytest.approx(expected, abs=1e-12)
