"""The fast way of counting words gives the very numbers of scikit-learn's own."""

import polars as pl
import pytest

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


@pytest.mark.parametrize("part", ["_body", "_title"])
def test_words_counted_over_columns_weigh_what_scikit_learn_says(part: str) -> None:
    texts = pl.Series(TEXTS * 2)
    fitted = features.TextFeatures([])
    fitted.fit(texts)
    vectorizer = getattr(fitted, part)
    expected = vectorizer.transform(texts).toarray()
    found = features._weigh_words(vectorizer, texts).toarray()
    assert expected.any()
    assert found == pytest.approx(expected, abs=1e-12)
